import CZlib
import CrestData
import CrestTensor

/// Readers of data sets.
///
/// The first byte of an input says which file of a folder the rest is.
let dataReaders = [idx, gzip, cifar10, cifar100, npyFolder, table]

private let idx = FuzzedReader(
  "idx", sources: ["CrestData/IDX", "CrestData/Gzip", "CrestData/FileReader"]
) {
  IDXFiles.good.enumerated().flatMap { place, file in
    [
      [UInt8(place)] + file.bytes, [UInt8(place | 4)] + stored(file.bytes),
      [UInt8(place | 8)] + file.bytes,
    ]
  }
} begin: {
  let folder = try FuzzFolder()
  return { bytes in
    let kind = bytes.first ?? 0
    let rest = Array(bytes.dropFirst())
    for (place, file) in IDXFiles.good.enumerated() {
      folder.remove(file.name + ".gz")
      folder.remove(file.name)
      guard place == kind & 3 else {
        try folder.write(file.bytes, as: file.name)
        continue
      }
      // As it is, compressed as it is, or packed without compression.
      switch kind >> 2 & 3 {
      case 1: try folder.write(rest, as: file.name + ".gz")
      case 2: try folder.write(stored(rest), as: file.name + ".gz")
      default: try folder.write(rest, as: file.name)
      }
    }
    return try accepts { () throws(DataError) in try IDXFolder(path: folder.path).split() }
  }
}

/// The first byte of an input chooses between ways to read the rest.
private let table = FuzzedReader("table", sources: ["CrestData/Tables"]) {
  let texts = [
    "a,b,c,y\n1,x,2024-02-29,u\n2.5e3,\"q,\"\"r\"\"\",2023-12-31 13:05:09+01:00,v\n,z,,u\n3,x,2024-01-01,v\n",
    "a;b;y\r\n1,5;007;10\r\n-2;NA;20\r\n3;008;30,5\r\n4;009;7\r\n",
    "\u{FEFF}#n\ny\ta\nu.\t29.02.2024\n\nv.\t1/3/1999\nu\t?\nv.\t2.4.2020\nu.\t5.6.2021\n",
  ]
  return texts.flatMap { text in (0..<4).map { [UInt8($0)] + Array(text.utf8) } }
} begin: {
  let folder = try FuzzFolder()
  return { bytes in
    let kind = bytes.first ?? 0
    try folder.write(Array(bytes.dropFirst()), as: "t.csv")
    let format = TableFormat(
      comment: "#", decimal: kind & 1 == 0 ? "." : ",", trimmedEnd: kind & 2 == 0 ? nil : ".",
      dateOrder: kind & 2 == 0 ? .yearMonthDay : .dayMonthYear)
    return try accepts { () throws(DataError) in
      try TableFile(folder.path + "/t.csv", target: "y", format: format).split()
    }
  }
}

/// Reads a set, and makes batches of its first and last examples.
private func accepts(_ load: () throws(DataError) -> DataSplit) throws -> Bool {
  let split: DataSplit
  do throws(DataError) { split = try load() } catch { return false }
  for part in [split.train, split.valid] {
    guard part.count > 0 else { throw ReaderFault("a part without examples") }
    _ = try part.batch(of: [0, part.count - 1])
  }
  return true
}

private enum IDXFiles {
  /// Two images of 2 × 2 and their labels, twice.
  static let good: [(name: String, bytes: [UInt8])] = [
    ("train-images-idx3-ubyte", header(2051, [2, 2, 2]) + (0..<8)),
    ("train-labels-idx1-ubyte", header(2049, [2]) + [1, 0]),
    ("t10k-images-idx3-ubyte", header(2051, [1, 2, 2]) + (0..<4)),
    ("t10k-labels-idx1-ubyte", header(2049, [1]) + [1]),
  ]

  static func header(_ magic: UInt32, _ sizes: [UInt32]) -> [UInt8] {
    ([magic] + sizes).flatMap { word in
      (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
    }
  }
}

/// A gzip file of one block without compression.
private func stored(_ bytes: [UInt8]) -> [UInt8] {
  let bytes = bytes.prefix(0xFFFF)
  func little(_ value: UInt32, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  let count = UInt32(bytes.count)
  let checksum = bytes.withUnsafeBufferPointer { crc32(0, $0.baseAddress, count) }
  return [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1] + little(count, 2) + little(~count, 2) + bytes
    + little(UInt32(truncatingIfNeeded: checksum), 4) + little(count, 4)
}

private let gzip = FuzzedReader("gzip", sources: ["CrestData/Gzip", "CrestData/IDXFile"]) {
  let label = IDXFiles.header(2049, [5]) + [1, 2, 3, 4, 5]
  return [
    stored(label), stored(Array(label.prefix(9))) + stored(Array(label.dropFirst(9))),
    deflated(label), deflated(IDXFiles.header(2049, [1000]) + [UInt8](repeating: 7, count: 1000)),
  ]
} begin: {
  let folder = try FuzzFolder()
  return { bytes in
    let path = try folder.write(bytes, as: "labels.gz")
    let (sizes, content): ([Int], [UInt8])
    do throws(DataError) {
      let file = try IDXFile(path, magic: 2049, rank: 1)
      (sizes, content) = (file.sizes, try file.bytes())
    } catch {
      return false
    }
    try expect(content.count == sizes[0], "\(content.count) of \(sizes[0]) bytes")
    return true
  }
}

/// A gzip file that zlib has compressed.
private func deflated(_ bytes: [UInt8]) -> [UInt8] {
  var stream = z_stream()
  guard
    deflateInit2_(
      &stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      CInt(MemoryLayout<z_stream>.size)) == Z_OK
  else { return [] }
  defer { deflateEnd(&stream) }
  var bytes = bytes
  var output = [UInt8](repeating: 0, count: bytes.count + 100)
  let (inputCount, outputCount) = (UInt32(bytes.count), UInt32(output.count))
  let left = bytes.withUnsafeMutableBufferPointer { input in
    output.withUnsafeMutableBufferPointer { output in
      stream.next_in = input.baseAddress
      stream.avail_in = inputCount
      stream.next_out = output.baseAddress
      stream.avail_out = outputCount
      _ = deflate(&stream, Z_FINISH)
      return Int(stream.avail_out)
    }
  }
  return Array(output.dropLast(left))
}

private let cifar10 = cifar(
  "cifar-10", classes: ("batches.meta.txt", 10), labels: 1,
  files: (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]
) { path throws(DataError) in try CIFAR10Folder(path: path).split() }

private let cifar100 = cifar(
  "cifar-100", classes: ("fine_label_names.txt", 100), labels: 2, files: ["train.bin", "test.bin"]
) { path throws(DataError) in try CIFAR100Folder(path: path).split() }

private func cifar(
  _ name: String, classes: (name: String, count: Int), labels: Int, files: [String],
  load: @escaping @Sendable (String) throws(DataError) -> DataSplit
) -> FuzzedReader {
  let names = (0..<classes.count).map { "class \($0)\n" }.joined()
  let record = [UInt8](repeating: 3, count: labels + 3072)
  let good = [(classes.name, Array(names.utf8))] + files.map { ($0, record) }
  return FuzzedReader(name, sources: ["CrestData/CIFAR", "CrestData/FileReader"]) {
    good.enumerated().map { place, file in [UInt8(place)] + file.1 } + [[1] + record + record]
  } begin: {
    let folder = try FuzzFolder()
    for (name, bytes) in good { try folder.write(bytes, as: name) }
    return { bytes in
      let (name, own) = good[Int(bytes.first ?? 0) % good.count]
      try folder.write(bytes.dropFirst(), as: name)
      defer { _ = try? folder.write(own, as: name) }
      return try accepts { () throws(DataError) in try load(folder.path) }
    }
  }
}

private let npyFolder = FuzzedReader(
  "npy-folder", sources: ["CrestData/NPYFolder", "CrestData/TensorFile", "CrestTensor/NPY"]
) {
  try NPYFiles.good().enumerated().map { place, file in [UInt8(place)] + file.1 } + [
    [0] + Tensor((0..<24).map(UInt8.init), shape: [2, 3, 2, 2]).npyBytes(),
    [0] + NPYText.file("{'descr': '>u2', 'fortran_order': True, 'shape': (2, 3), }", data: 12),
    [1] + Tensor([0.5, 1] as [Float]).npyBytes(),
  ]
} begin: {
  let folder = try FuzzFolder()
  let good = try NPYFiles.good()
  for (name, bytes) in good { try folder.write(bytes, as: name) }
  return { bytes in
    let (name, own) = good[Int(bytes.first ?? 0) & 3]
    let divides = (bytes.first ?? 0) & 4 != 0
    try folder.write(bytes.dropFirst(), as: name)
    defer { _ = try? folder.write(own, as: name) }
    return try accepts { () throws(DataError) in
      try NPYFolder(path: folder.path).split(divides: divides)
    }
  }
}

private enum NPYFiles {
  /// Two examples of three numbers and their classes, twice.
  static func good() throws -> [(name: String, bytes: [UInt8])] {
    let inputs = try Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3]).npyBytes()
    let targets = try Tensor([0, 1] as [Int64]).npyBytes()
    return [
      ("train-x.npy", inputs), ("train-y.npy", targets), ("valid-x.npy", inputs),
      ("valid-y.npy", targets),
    ]
  }
}
