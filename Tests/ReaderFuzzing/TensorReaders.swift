import CrestData
import CrestFiles
import CrestTensor

/// Readers of tensors, and of text.
let tensorReaders = [safetensors, npy, json, preprocessing, shownText]

private let safetensors = FuzzedReader(
  "safetensors", sources: ["CrestTensor/Safetensors/", "CrestTensor/JSON/JSONScanner"]
) {
  try [
    Safetensors(tensors: [:]).bytes(),
    Safetensors(
      tensors: [
        "bytes": Tensor([7, 8, 9] as [UInt8]),
        "a \"b\"": Tensor([1.5, 2] as [Float], shape: [2, 1]),
      ], metadata: ["k": "v\n", "é": ""]
    ).bytes(),
    Safetensors(
      tensors: [
        "flags": Tensor([true, false]), "none": Tensor(zeros: [2, 0], elementType: .float16),
      ]
    ).bytes(),
  ]
} begin: {
  { bytes in
    let contents: Safetensors
    do throws(SafetensorsError) { contents = try Safetensors(parsing: bytes) } catch {
      return false
    }
    let written = try contents.bytes()
    try expect(try Safetensors(parsing: written).bytes() == written, "written, it is another")
    return true
  }
}

private let npy = FuzzedReader("npy", sources: ["CrestTensor/NPY", "CrestData/TensorFile"]) {
  try [
    Tensor([1, 2, 3] as [Float]).npyBytes(),
    Tensor([1, 2, 3, 4] as [Int64], shape: [2, 2]).npyBytes(),
    Tensor([true, false]).npyBytes(),
    NPYText.file("{'descr': '>u4', 'fortran_order': True, 'shape': (2, 3), }", data: 24),
    NPYText.file("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", data: 8),
    NPYText.file("{'shape': (3,), 'fortran_order': True, 'descr': '|i1'}", data: 3, version: 2),
  ]
} begin: {
  let folder = try FuzzFolder()
  return { bytes in
    let tensor: Tensor
    do throws(NPYError) { tensor = try Tensor(npy: bytes) } catch { return false }
    let written = try tensor.npyBytes()
    try expect(try Tensor(npy: written).npyBytes() == written, "written, it is another")
    // The reader of files goes piece by piece.
    let file = try TensorFile.readNPY(folder.write(bytes, as: "array.npy"))
    try expect(try file.npyBytes() == written, "the file is read as \(file.typeDescription)")
    return true
  }
}

/// `.npy` files that NumPy writes and Crest doesn't.
enum NPYText {
  static func file(_ header: String, data: Int, version: UInt8 = 1) -> [UInt8] {
    let text = header + "\n"
    let length = (0..<(version == 1 ? 2 : 4)).map {
      UInt8(truncatingIfNeeded: text.utf8.count >> (8 * $0))
    }
    return [0x93] + "NUMPY".utf8 + [version, 0] + length + text.utf8
      + [UInt8](repeating: 0, count: data)
  }
}

private let json = FuzzedReader("json", sources: ["CrestTensor/JSON/"]) {
  [
    "null", "[1, -2.5e3, true, false]", #"{"a": {"b": ["\u00e9\ud83d\ude00\n", ""]}, "c": 1e-300}"#,
    "9223372036854775807", "-0", "[[[[]]], {}]",
  ].map { Array($0.utf8) }
} begin: {
  let limits = JSONValue.Limits(depth: 16, count: 10_000, numbers: .asWritten)
  return { bytes in
    guard let value = read(bytes, limits) else { return false }
    let written = value.json
    guard let again = read(Array(written.utf8), limits) else {
      throw ReaderFault("what it writes is refused: \(written)")
    }
    try expect(again == value, "written, it is another: \(written)")
    return true
  }
}

private func read(_ bytes: [UInt8], _ limits: JSONValue.Limits) -> JSONValue? {
  bytes.withUnsafeBytes { bytes in
    do throws(JSONScanner.Fault) { return try JSONValue(parsing: bytes, within: limits) } catch {
      return nil
    }
  }
}

private let preprocessing = FuzzedReader(
  "preprocessing", sources: ["CrestTensor/Preprocessing"]
) {
  [Preprocessing.identity.json, Preprocessing.cifar10.json, ["cat", "é\n"].json].map {
    Array($0.utf8)
  }
} begin: {
  { bytes in
    let text = String(decoding: bytes, as: UTF8.self)
    if let names = names(text) {
      try expect(names == renamed(names), "written, the names are others")
      return true
    }
    let preprocessing: Preprocessing
    do throws(JSONScanner.Fault) { preprocessing = try Preprocessing(json: text) } catch {
      return false
    }
    try expect(
      try Preprocessing(json: preprocessing.json) == preprocessing, "written, it is another")
    return true
  }
}

private func names(_ text: String) -> [String]? {
  do throws(JSONScanner.Fault) { return try [String](json: text) } catch { return nil }
}

private func renamed(_ list: [String]) -> [String]? { names(list.json) }

private let shownText = FuzzedReader("shown-text", sources: ["CrestFiles/ShownText"]) {
  [
    "plain", "\u{1b}[31mred\r\n\u{202e}", "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "\u{0}\u{9}",
  ]
  .map { Array($0.utf8) }
} begin: {
  { bytes in
    let limit = 60
    let shown = String(decoding: bytes, as: UTF8.self).shown(limit: limit)
    try expect(
      shown.unicodeScalars.count <= 10 * limit + 20, "\(shown.unicodeScalars.count) scalars")
    for scalar in shown.unicodeScalars {
      let category = scalar.properties.generalCategory
      try expect(
        ![.control, .format, .lineSeparator, .paragraphSeparator].contains(category),
        "U+\(String(scalar.value, radix: 16)) is shown")
    }
    return shown == String(decoding: bytes, as: UTF8.self)
  }
}
