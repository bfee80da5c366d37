import Crest
import Foundation

/// Refuses an export that would fail, before the training that it would waste.
func checkExport(of learner: Learner, to path: String) throws {
  try learner.model.checkONNXExport()
  let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
  var isFolder: ObjCBool = false
  let manager = FileManager.default
  if manager.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
    throw ONNXError.unwritable(file: path, reason: "it is a folder")
  }
  guard manager.isWritableFile(atPath: folder) else {
    throw ONNXError.unwritable(file: path, reason: "its folder isn't there or can't be written to")
  }
}

/// The key of metadata under which an exported model says how its inputs were prepared.
let preprocessingKey = "crest.preprocessing"

/// How the inputs of a model from a file must be prepared.
func preprocessing(in file: ONNXFile) throws -> Preprocessing {
  guard let text = file.metadata[preprocessingKey] else { return .none }
  do {
    return try JSONDecoder().decode(Preprocessing.self, from: Data(text.utf8))
  } catch {
    throw CommandError.preprocessing(text)
  }
}

/// What an exported model keeps of its data: how numbers were prepared, and what classes are called.
func metadata(of data: any Dataset) throws -> [String: String] {
  try exportedMetadata(data.preprocessing, data.target.classNames)
}

/// How numbers were prepared and what classes are called, as far as it is known, as metadata of a file.
func exportedMetadata(
  _ preprocessing: Preprocessing?, _ classNames: [String]?
) throws -> [String: String] {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  func json(_ value: some Encodable) throws -> String {
    String(decoding: try encoder.encode(value), as: UTF8.self)
  }
  var metadata: [String: String] = [:]
  if let preprocessing { metadata[preprocessingKey] = try json(preprocessing) }
  if let classNames { metadata["crest.classes"] = try json(classNames) }
  return metadata
}
