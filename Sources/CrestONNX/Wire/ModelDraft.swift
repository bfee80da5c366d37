package import CrestTensor

/// A tensor to be written, its elements as `raw_data`.
package struct TensorDraft {
  package var name: String
  package var elementType: ElementType
  package var shape: Shape
  package var elements: ByteStream

  /// A tensor whose elements `elements` gives as they lie in memory.
  ///
  /// - Precondition: there are as many bytes as the shape and type take.
  package init(name: String, elementType: ElementType, shape: Shape, elements: ByteStream) {
    programmerError(
      unless: elements.byteCount == shape.elementCount * elementType.byteCount,
      "\(elements.byteCount) bytes for \(elementType) \(shape)")
    self.name = name
    self.elementType = elementType
    self.shape = shape
    self.elements = elements
  }

  /// A tensor of known elements.
  package init(name: String, _ tensor: Tensor) {
    self.init(
      name: name, elementType: tensor.elementType, shape: tensor.shape,
      elements: ByteStream(tensor))
  }

  /// The fields of `TensorProto`.
  package var content: WireContent {
    var content = WireContent()
    for size in shape { content.append(1, integer: Int64(size)) }
    content.append(2, integer: Int64(TensorDataType(elementType).rawValue))
    if !name.isEmpty { content.append(8, text: name) }
    content.append(TensorStorageFields.raw, stream: elements)
    return content
  }
}

/// An attribute's value to be written.
package enum AttributeDraft {
  case float(Float)
  case int(Int64)
  case string(String)
  case tensor(TensorDraft)
  case graph(GraphDraft)
  case floats([Float])
  case ints([Int64])
  case strings([String])

  /// The fields of an `AttributeProto` called `name`.
  package func content(name: String) -> WireContent {
    var content = WireContent()
    content.append(1, text: name)
    let number = kind.field.number
    switch self {
    case .float(let value): content.append(number, float: value)
    case .int(let value): content.append(number, integer: value)
    case .string(let value): content.append(number, text: value)
    case .tensor(let value): content.append(number, message: value.content)
    case .graph(let value): content.append(number, message: value.content)
    case .floats(let values): for value in values { content.append(number, float: value) }
    case .ints(let values): for value in values { content.append(number, integer: value) }
    case .strings(let values): for value in values { content.append(number, text: value) }
    }
    content.append(20, integer: Int64(kind.rawValue))
    return content
  }

  private var kind: AttributeKind {
    switch self {
    case .float: .float
    case .int: .int
    case .string: .string
    case .tensor: .tensor
    case .graph: .graph
    case .floats: .floats
    case .ints: .ints
    case .strings: .strings
    }
  }
}

/// A node to be written.
package struct NodeDraft {
  package var operation: String
  package var domain: String
  package var name: String
  package var inputs: [String]
  package var outputs: [String]
  package var attributes: [(name: String, value: AttributeDraft)]

  package init(
    _ operation: String, domain: String = "", name: String = "", inputs: [String],
    outputs: [String], attributes: [(name: String, value: AttributeDraft)] = []
  ) {
    self.operation = operation
    self.domain = domain
    self.name = name
    self.inputs = inputs
    self.outputs = outputs
    self.attributes = attributes
  }

  /// The fields of `NodeProto`.
  package var content: WireContent {
    var content = WireContent()
    for input in inputs { content.append(1, text: input) }
    for output in outputs { content.append(2, text: output) }
    if !name.isEmpty { content.append(3, text: name) }
    content.append(4, text: operation)
    for attribute in attributes {
      content.append(5, message: attribute.value.content(name: attribute.name))
    }
    if !domain.isEmpty { content.append(7, text: domain) }
    return content
  }
}

/// A value's name and tensor type to be written.
package struct ValueDraft {
  package var name: String
  package var dataType: TensorDataType
  /// The sizes; nil when the rank is not known.
  package var shape: [DimensionProto]?

  package init(name: String, dataType: TensorDataType, shape: [DimensionProto]?) {
    self.name = name
    self.dataType = dataType
    self.shape = shape
  }

  /// The fields of `ValueInfoProto`.
  package var content: WireContent {
    var content = WireContent()
    content.append(1, text: name)
    content.append(2) { type in
      type.append(1) { tensor in
        tensor.append(1, integer: Int64(dataType.rawValue))
        guard let shape else { return }
        tensor.append(2) { dimensions in
          for dimension in shape {
            dimensions.append(1) { message in
              switch dimension {
              case .unknown: break
              case .size(let size): message.append(1, integer: size)
              case .parameter(let name): message.append(2, text: name)
              }
            }
          }
        }
      }
    }
    return content
  }
}

/// A graph to be written.
package struct GraphDraft {
  package var name: String
  package var nodes: [NodeDraft] = []
  package var initializers: [TensorDraft] = []
  package var inputs: [ValueDraft] = []
  package var outputs: [ValueDraft] = []
  package var values: [ValueDraft] = []

  package init(name: String) {
    self.name = name
  }

  /// The fields of `GraphProto`.
  package var content: WireContent {
    var content = WireContent()
    for node in nodes { content.append(1, message: node.content) }
    content.append(2, text: name)
    for tensor in initializers { content.append(5, message: tensor.content) }
    for value in inputs { content.append(11, message: value.content) }
    for value in outputs { content.append(12, message: value.content) }
    for value in values { content.append(13, message: value.content) }
    return content
  }
}

/// A model to be written; equal drafts give equal bytes.
package struct ModelDraft {
  /// IR 8 and opset 17 load in every ONNX Runtime since 1.12, and official checkers of 2022 know them.
  package var irVersion: Int64 = 8
  package var opsets = [OperatorSet(version: 17)]
  package var producerName = "crest"
  package var producerVersion = ""
  package var metadata: [MetadataEntry] = []
  package var graph: GraphDraft

  package init(graph: GraphDraft) {
    self.graph = graph
  }

  /// The fields of `ModelProto`, which are the file.
  package var content: WireContent {
    var content = WireContent()
    content.append(1, integer: irVersion)
    if !producerName.isEmpty { content.append(2, text: producerName) }
    if !producerVersion.isEmpty { content.append(3, text: producerVersion) }
    content.append(7, message: graph.content)
    for set in opsets {
      content.append(8) { message in
        // Written even when empty, as onnx's own helper does.
        message.append(1, text: set.domain)
        message.append(2, integer: set.version)
      }
    }
    for entry in metadata { content.append(14, message: entry.content) }
    return content
  }
}

extension MetadataEntry {
  /// The fields of `StringStringEntryProto`.
  package var content: WireContent {
    var content = WireContent()
    content.append(1, text: key)
    content.append(2, text: value)
    return content
  }
}
