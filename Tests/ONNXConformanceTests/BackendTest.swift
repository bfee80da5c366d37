import CrestONNX
import CrestTensor
import Foundation

/// One of ONNX's own backend tests: a model, and what it must give for what.
struct BackendTest: Sendable {
  /// As in `node/test_relu`.
  let name: String
  let path: String

  /// Where Debian's libonnx-testdata keeps the tests.
  static let folder = "/usr/share/libonnx-testdata/data"
  static let missing = "there is no \(folder); script/bootstrap installs libonnx-testdata on Debian"
  static var isInstalled: Bool { FileManager.default.fileExists(atPath: folder) }

  /// All tests that have a model; those of whole networks only say where to download one.
  static func all() throws -> [BackendTest] {
    let categories = ["node", "simple", "pytorch-converted", "pytorch-operator"]
    return try categories.flatMap { category in
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(category)")
      return names.sorted().map {
        BackendTest(name: "\(category)/\($0)", path: "\(folder)/\(category)/\($0)")
      }
    }
  }

  func model() throws -> ModelProto { try ModelProto(path: path + "/model.onnx") }

  /// The folders of inputs and outputs.
  func dataSets() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path)
      .filter { $0.hasPrefix("test_data_set_") }.sorted().map { "\(path)/\($0)" }
  }

  /// The tensor in a file that holds nothing else (ONNX `TensorProto`).
  static func tensor(_ path: String) throws -> Tensor {
    let bytes = Array(try Data(contentsOf: URL(filePath: path)))
    // As the only initializer of a model, which begins with its IR version.
    let model = try ModelProto(bytes: [1 << 3, 8] + field(7, field(5, bytes)), name: path)
    return try TensorReader(model).tensor(model.graph.initializers[0])
  }

  /// A message as a field of another.
  private static func field(_ number: UInt8, _ body: [UInt8]) -> [UInt8] {
    var (length, rest): ([UInt8], Int) = ([], body.count)
    repeat {
      length.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
      rest >>= 7
    } while rest > 0
    return [number << 3 | 2] + length + body
  }
}
