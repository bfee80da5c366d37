public import CrestTensor

/// An ONNX file, read once and checked: what is known before it is traced for inputs of some shape.
public struct ONNXFile: Sendable {
  let model: CheckedModel

  /// Reads and checks the file at `path`, which stays mapped while it is used; side files are looked for
  /// in its folder, when they are needed.
  ///
  /// - Throws: ``ONNXError`` when it can't be read, is damaged, or its graph isn't in order; not for
  ///   operations that can't be imported.
  public init(path: String) throws(ONNXError) { try self.init(ModelProto(path: path)) }

  package init(_ proto: ModelProto) throws(ONNXError) { model = try CheckedModel(proto) }

  /// The names of the inputs, those with a value in the file left out.
  public var inputNames: [String] { model.inputs.map(\.name) }

  /// The element type of an input; nil when there is no such input, or it takes none of the types.
  public func elementType(ofInput name: String) -> ElementType? {
    guard let input = model.inputs.first(where: { $0.name == name }),
      case .tensor(let type, _) = input.type
    else { return nil }
    return type.elementType
  }

  /// The entries of the metadata; of a key that is there twice, the first.
  public var metadata: [String: String] {
    Dictionary(
      model.proto.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
  }
}
