import Crest
import Foundation

/// The key of metadata under which an exported model says how its inputs were prepared.
let preprocessingKey = "crest.preprocessing"

/// How the inputs of a model from a file must be prepared.
func preprocessing(in template: ONNXTemplate) throws -> Preprocessing {
  guard let text = template.metadata[preprocessingKey] else { return .none }
  do {
    return try JSONDecoder().decode(Preprocessing.self, from: Data(text.utf8))
  } catch {
    throw CommandError.preprocessing(text)
  }
}

/// What an exported model keeps of its data: how numbers were prepared, and what classes are called.
func metadata(of data: any Dataset) throws -> [String: String] {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  func json(_ value: some Encodable) throws -> String {
    String(decoding: try encoder.encode(value), as: UTF8.self)
  }
  var metadata = [preprocessingKey: try json(data.preprocessing)]
  if let classes = data.target.classNames { metadata["crest.classes"] = try json(classes) }
  return metadata
}
