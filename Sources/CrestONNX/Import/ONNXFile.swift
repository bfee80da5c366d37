public import CrestTensor

/// An ONNX file, read once and checked, before it is traced for inputs of a shape.
public struct ONNXFile: Sendable {
  let model: CheckedModel

  /// Reads and checks the file at `path`, which stays mapped while it is used; external data files
  /// are looked for in its folder when they are needed.
  ///
  /// - Throws: ``ONNXError`` when it can't be read, is damaged, or its graph is invalid; not for
  ///   operations that can't be imported.
  public init(path: String) throws(ONNXError) { try self.init(ModelProto(path: path)) }

  package init(_ proto: ModelProto) throws(ONNXError) { model = try CheckedModel(proto) }

  /// The names of the inputs, those with a value in the file left out.
  public var inputNames: [String] { model.inputs.map(\.name) }

  /// The sizes of one example of an input as far as the file states them, nil where it leaves one open; nil
  /// when it states no shape, or there is no such input.
  public func exampleSizes(ofInput name: String) -> [Int?]? {
    guard let input = model.inputs.first(where: { $0.name == name }),
      case .tensor(_, let declared?) = input.type, !declared.isEmpty
    else { return nil }
    return declared.dropFirst().map { dimension in
      // Zero and negative sizes are how some exporters write that a size is open.
      if case .size(let size) = dimension, size > 0 { Int(size) } else { nil }
    }
  }

  /// The element type of an input; nil when there is no such input, or it takes none of the types.
  public func elementType(ofInput name: String) -> ElementType? {
    guard let input = model.inputs.first(where: { $0.name == name }),
      case .tensor(let type, _) = input.type
    else { return nil }
    return type.elementType
  }

  /// The preprocessing and class names in the file.
  ///
  /// - Throws: ``ONNXError/invalid(file:_:)`` when an entry isn't what Crest writes.
  public func metadata() throws(ONNXError) -> Metadata { try Metadata(model) }
}
