import CrestData
import Foundation

/// The data sets that runs read, by the names of their folders.
enum DataSet: String, CaseIterable {
  case mnist
  /// MNIST's training set alone: the last tenth measures, and nothing sees the test set.
  case mnistHeldOut = "mnist-held-out"
  case fashionMNIST = "fashion-mnist"
  /// Likewise of Fashion-MNIST.
  case fashionHeldOut = "fashion-mnist-held-out"
  case cifar10 = "cifar-10"
  /// The first 1,000 training images of each class, in their order, and the whole test set.
  case thousandOfEachClass = "cifar-10-1000"
  /// The first 900 of these of each class for training; the last 100 measure, and nothing sees the test set.
  case thousandHeldOut = "cifar-10-1000-held-out"
}

/// The folder of all data sets, made from those of MNIST, Fashion-MNIST and CIFAR-10.
struct DataFolder {
  let url: URL
  let mnist: URL
  let fashionMNIST: URL
  let cifar10: URL

  /// Makes what isn't there yet.
  func prepare() throws {
    let files = FileManager.default
    try files.createDirectory(at: url, withIntermediateDirectories: true)
    for set in DataSet.allCases {
      let folder = url.appending(path: set.rawValue)
      // A link to what has gone is no file that exists, and stands in the way.
      if files.fileExists(atPath: folder.path) { continue }
      try? files.removeItem(at: folder)
      switch set {
      case .mnist: try link(folder, to: mnist)
      case .cifar10: try link(folder, to: cifar10)
      case .mnistHeldOut: try make(folder) { try holdOut(mnist, $0) }
      case .fashionMNIST: try link(folder, to: fashionMNIST)
      case .fashionHeldOut: try make(folder) { try holdOut(fashionMNIST, $0) }
      case .thousandOfEachClass: try make(folder) { try takeThousands($0, heldOut: 0) }
      case .thousandHeldOut: try make(folder) { try takeThousands($0, heldOut: 100) }
      }
    }
  }

  private func link(_ folder: URL, to original: URL) throws {
    try FileManager.default.createSymbolicLink(
      atPath: folder.path, withDestinationPath: original.absoluteURL.path)
  }

  /// Makes a folder whole or not at all.
  private func make(_ folder: URL, _ body: (URL) throws -> Void) throws {
    let files = FileManager.default
    let part = folder.appendingPathExtension("part")
    try? files.removeItem(at: part)
    try files.createDirectory(at: part, withIntermediateDirectories: true)
    try body(part)
    try files.moveItem(at: part, to: folder)
  }

  private func holdOut(_ original: URL, _ folder: URL) throws {
    for (kind, magic, rank) in [("images-idx3", 2051, 3), ("labels-idx1", 2049, 1)]
      as [(String, UInt32, Int)]
    {
      var path = original.appending(path: "train-\(kind)-ubyte").path
      if !FileManager.default.fileExists(atPath: path) { path += ".gz" }
      let file = try IDXFile(path, magic: magic, rank: rank)
      let bytes = try file.bytes()
      let count = file.sizes[0]
      let parts = [("train", 0..<count - count / 10), ("t10k", count - count / 10..<count)]
      for (name, range) in parts {
        let size = bytes.count / count
        let header = [magic] + ([range.count] + file.sizes.dropFirst()).map(UInt32.init)
        let data =
          Data(header.flatMap { word in withUnsafeBytes(of: word.bigEndian) { Array($0) } })
          + bytes[range.lowerBound * size..<range.upperBound * size]
        try data.write(to: folder.appending(path: "\(name)-\(kind)-ubyte"))
      }
    }
  }

  /// Writes the first 1,000 of each class, of which the last `heldOut` take the place of the test set.
  private func takeThousands(_ folder: URL, heldOut: Int) throws {
    let recordByteCount = 3073
    var counts = [Int](repeating: 0, count: 10)
    var taken: [Data] = []
    var measured: [Data] = []
    for file in 1...5 {
      let records = try Data(contentsOf: cifar10.appending(path: "data_batch_\(file).bin"))
      for start in stride(from: 0, to: records.count - recordByteCount + 1, by: recordByteCount) {
        let label = Int(records[start])
        guard label < counts.count else { throw CampaignError("CIFAR-10 has a label \(label)") }
        guard counts[label] < 1000 else { continue }
        counts[label] += 1
        let record = records[start..<start + recordByteCount]
        if counts[label] > 1000 - heldOut { measured.append(record) } else { taken.append(record) }
      }
    }
    guard counts.allSatisfy({ $0 == 1000 }) else {
      throw CampaignError("CIFAR-10 has fewer than 1,000 of a class: \(counts)")
    }
    for file in 0..<5 {
      let part = taken[file * taken.count / 5..<(file + 1) * taken.count / 5]
      try Data(part.joined()).write(to: folder.appending(path: "data_batch_\(file + 1).bin"))
    }
    var copied = ["batches.meta.txt"]
    if heldOut == 0 {
      copied.append("test_batch.bin")
    } else {
      try Data(measured.joined()).write(to: folder.appending(path: "test_batch.bin"))
    }
    for name in copied {
      try FileManager.default.copyItem(
        at: cifar10.appending(path: name), to: folder.appending(path: name))
    }
  }
}
