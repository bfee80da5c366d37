import CrestONNX
import CrestTestSupport
import Foundation

/// The committed ONNX files, and folders of others that not everybody has.
enum Fixtures {
  static let onnx = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/onnx").path(percentEncoded: false)

  static let wire = onnx + "/wire"

  /// The committed models by their paths in `wire`.
  static let names = onnxFiles(in: wire)

  static func model(_ name: String) throws -> ModelProto {
    try ModelProto(path: wire + "/" + name)
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    try fileBytes(wire + "/" + name)
  }

  /// What a JSON file in the folder says.
  static func decoded<Value: Decodable>(_ name: String, as type: Value.Type) -> Value {
    do {
      return try JSONDecoder().decode(
        type, from: Data(contentsOf: URL(filePath: onnx + "/" + name)))
    } catch {
      preconditionFailure("Tests/Fixtures/onnx/\(name) can't be read: \(error)")
    }
  }

  /// The paths of all ONNX files below a folder, from there.
  static func onnxFiles(in folder: String) -> [String] {
    let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix(".onnx") }.sorted()
  }
}

/// The folders that `models.json` summarises.
enum OtherModels {
  /// The parity models beside the package; `CREST_SHARED` overrides where.
  static let parity = SharedFolder.path("parity")

  /// `onnx/backend/test/data` of the Python package, by `CREST_ONNX_DATA`.
  static let backend = ProcessInfo.processInfo.environment["CREST_ONNX_DATA"]

  static let parityReason = SharedFolder.reason("parity")
  static let backendReason = "CREST_ONNX_DATA names no onnx/backend/test/data of the Python package"
}

func fileBytes(_ path: String) throws -> [UInt8] {
  Array(try Data(contentsOf: URL(filePath: path)))
}
