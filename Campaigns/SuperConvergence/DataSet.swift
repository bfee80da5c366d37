import CrestData
import Foundation

/// The data sets that runs read, by the names of their folders.
enum DataSet: String, CaseIterable {
  case mnist
  /// MNIST's training set alone: the last tenth measures, and nothing sees the test set.
  case mnistHeldOut = "mnist-held-out"
  case cifar10 = "cifar-10"
  /// The first 1,000 training images of each class, in their order, and the whole test set.
  case thousandOfEachClass = "cifar-10-1000"
}

/// The folder of all data sets, made from those of MNIST and CIFAR-10.
struct DataFolder {
  let url: URL
  let mnist: URL
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
      case .mnistHeldOut: try make(folder, holdOut)
      case .thousandOfEachClass: try make(folder, takeThousands)
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

  private func holdOut(_ folder: URL) throws {
    for (kind, magic, rank) in [("images-idx3", 2051, 3), ("labels-idx1", 2049, 1)]
      as [(String, UInt32, Int)]
    {
      var path = mnist.appending(path: "train-\(kind)-ubyte").path
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

  private func takeThousands(_ folder: URL) throws {
    let recordByteCount = 3073
    var counts = [Int](repeating: 0, count: 10)
    var taken: [Data] = []
    for file in 1...5 {
      let records = try Data(contentsOf: cifar10.appending(path: "data_batch_\(file).bin"))
      for start in stride(from: 0, to: records.count - recordByteCount + 1, by: recordByteCount) {
        let label = Int(records[start])
        guard label < counts.count else { throw CampaignError("CIFAR-10 has a label \(label)") }
        guard counts[label] < 1000 else { continue }
        counts[label] += 1
        taken.append(records[start..<start + recordByteCount])
      }
    }
    guard counts.allSatisfy({ $0 == 1000 }) else {
      throw CampaignError("CIFAR-10 has fewer than 1,000 of a class: \(counts)")
    }
    for file in 0..<5 {
      let part = taken[file * taken.count / 5..<(file + 1) * taken.count / 5]
      try Data(part.joined()).write(to: folder.appending(path: "data_batch_\(file + 1).bin"))
    }
    for name in ["test_batch.bin", "batches.meta.txt"] {
      try FileManager.default.copyItem(
        at: cifar10.appending(path: name), to: folder.appending(path: name))
    }
  }
}
