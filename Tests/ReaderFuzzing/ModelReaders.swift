import CrestONNX
import Foundation

/// Readers of ONNX files and what lies beside them.
let modelReaders = [onnx, externalData]

private let onnx = FuzzedReader("onnx", sources: ["CrestONNX/Wire/", "CrestONNX/Import/"]) {
  // Small ones, of which each has something that others lack.
  let folder = Repository.root.appending(path: "Tests/Fixtures/onnx")
  let names =
    FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
  return try names.filter { $0.hasSuffix(".onnx") }.sorted().map {
    [UInt8](try Data(contentsOf: folder.appending(path: $0)))
  }.filter { $0.count <= 1100 }
} begin: {
  { bytes in
    let proto: ModelProto
    do throws(ONNXError) { proto = try ModelProto(bytes: bytes, name: "model") } catch {
      return false
    }
    let all = try ModelSplice(proto).content.bytes()
    try expect(bytes == all, "a copy has other bytes")
    do throws(ONNXError) { _ = try ONNXTemplate(proto) } catch { return false }
    return true
  }
}

/// The folder of the package.
enum Repository {
  static let root = {
    var folder = URL(filePath: #filePath).resolvingSymlinksInPath()
    while folder.path != "/",
      !FileManager.default.fileExists(atPath: folder.appending(path: "Tests/Fixtures").path)
    { folder.deleteLastPathComponent() }
    return folder
  }()
}

/// Where a model says that the numbers of a tensor lie: `dims`, `data_type`, then keys and values, a line each.
private let externalData = FuzzedReader(
  "external-data",
  sources: [
    "CrestONNX/Wire/ExternalDataFolder", "CrestONNX/Wire/Tensor", "CrestFiles/ConfinedFolder",
  ]
) {
  [
    "4\n1\nlocation\nw.bin\noffset\n0\nlength\n16", "2\n1\nlocation\nsub/../w.bin",
    "4\n1\nlocation\n./sub/w.bin\noffset\n8", "8\n3\nlocation\nw.bin\nlength\n8\nchecksum\nx",
    "1\n9\nlocation\nw.bin\noffset\n15\nlength\n1", "4\n1\nlocation\nlink.bin",
  ].map { Array($0.utf8) }
} begin: {
  let folder = try FuzzFolder()
  try FileManager.default.createDirectory(
    atPath: folder.path + "/sub", withIntermediateDirectories: true)
  for name in ["w.bin", "sub/w.bin"] {
    try folder.write((0..<16).map { $0 < 8 ? 0 : 1 }, as: name)
  }
  try FileManager.default.createSymbolicLink(
    atPath: folder.path + "/link.bin", withDestinationPath: "/proc/self/exe")
  return { bytes in
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    let path = folder.path + "/model.onnx"
    try ExternalModel(lines).write(to: path)
    do throws(ONNXError) { _ = try ONNXTemplate(path: path) } catch { return false }
    let places = stride(from: 2, to: lines.count - 1, by: 2).filter { lines[$0] == "location" }
    let isBeside = places.contains { ["w.bin", "sub/w.bin"].contains(plain(lines[$0 + 1])) }
    try expect(isBeside, "numbers were read from \(places.map { lines[$0 + 1] })")
    return true
  }
}

/// A location without parts that say nothing.
private func plain(_ location: String) -> String {
  location.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
}

/// A sum of an input and a tensor that lies elsewhere.
private struct ExternalModel {
  private var content = WireContent()

  init(_ lines: [String]) {
    let size = lines.first.flatMap(Int64.init) ?? 4
    let type = lines.count > 1 ? Int64(lines[1]) ?? 1 : 1
    content.append(1, integer: 8)
    content.append(7) { graph in
      graph.append(
        1,
        message: NodeDraft("Cast", inputs: ["w"], outputs: ["f"], attributes: [("to", .int(1))])
          .content)
      graph.append(1, message: NodeDraft("Add", inputs: ["x", "f"], outputs: ["y"]).content)
      for (number, name) in [(11, "x"), (12, "y")] {
        graph.append(number) { value in
          value.append(1, text: name)
          value.append(2) { type in
            type.append(1) { tensor in
              tensor.append(1, integer: 1)
              tensor.append(2) { shape in
                shape.append(1) { $0.append(2, text: "N") }
                shape.append(1) { $0.append(1, integer: size) }
              }
            }
          }
        }
      }
      graph.append(5) { tensor in
        tensor.append(1, integer: size)
        tensor.append(2, integer: type)
        tensor.append(8, text: "w")
        for place in stride(from: 2, to: lines.count - 1, by: 2) {
          tensor.append(
            13, message: MetadataEntry(key: lines[place], value: lines[place + 1]).content)
        }
        tensor.append(14, integer: 1)
      }
    }
    content.append(8) { $0.append(2, integer: 17) }
  }

  func write(to path: String) throws {
    try Data(content.bytes()).write(to: URL(filePath: path))
  }
}
