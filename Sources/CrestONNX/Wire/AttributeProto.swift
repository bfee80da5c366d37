/// A named constant of a node (ONNX `AttributeProto`).
package struct AttributeProto: Sendable {
  /// The value; strings are ranges of the source, since they may be any bytes.
  package enum Value: Sendable {
    case float(Float)
    case int(Int64)
    case string(Range<Int>)
    indirect case tensor(TensorProto)
    indirect case graph(GraphProto)
    indirect case sparseTensor(SparseTensorProto)
    case type(TypeProto)
    case floats([Float])
    case ints([Int64])
    case strings([Range<Int>])
    case tensors([TensorProto])
    case graphs([GraphProto])
    case sparseTensors([SparseTensorProto])
    case types([TypeProto])
    /// The value that the enclosing function's attribute of this name has.
    case reference(String)
  }

  package let span: WireSpan
  package let name: String
  package let value: Value
}

/// The kinds of attributes; raw values are ONNX's `AttributeType`.
enum AttributeKind: Int32, CaseIterable {
  case float = 1
  case int = 2
  case string = 3
  case tensor = 4
  case graph = 5
  case floats = 6
  case ints = 7
  case strings = 8
  case tensors = 9
  case graphs = 10
  case sparseTensor = 11
  case sparseTensors = 12
  case type = 13
  case types = 14

  /// The number and the name of the field that holds the value.
  var field: (number: Int, name: String) {
    switch self {
    case .float: (2, "f")
    case .int: (3, "i")
    case .string: (4, "s")
    case .tensor: (5, "t")
    case .graph: (6, "g")
    case .floats: (7, "floats")
    case .ints: (8, "ints")
    case .strings: (9, "strings")
    case .tensors: (10, "tensors")
    case .graphs: (11, "graphs")
    case .type: (14, "tp")
    case .types: (15, "type_protos")
    case .sparseTensor: (22, "sparse_tensor")
    case .sparseTensors: (23, "sparse_tensors")
    }
  }

  /// The kind whose values a field holds; an array, since each element of a list asks for it.
  static func ofField(_ number: Int) -> AttributeKind? {
    byField.indices.contains(number) ? byField[number] : nil
  }

  private static let byField: [AttributeKind?] = allCases.reduce(
    into: Array(repeating: nil, count: 24)
  ) { kinds, kind in kinds[kind.field.number] = kind }
}

extension AttributeProto: WireMessage {
  static func read(
    _ span: WireSpan, depth: Int, by parser: inout MessageParser
  ) throws(WireFault) -> AttributeProto { try parser.attribute(span, depth: depth) }
}

extension MessageParser {
  fileprivate mutating func attribute(_ span: WireSpan, depth: Int) throws(WireFault)
    -> AttributeProto
  {
    try count(.attributes, at: span.start)
    var name = ""
    var reference = ""
    var declared: Int32 = 0
    var found: AttributeKind?
    var values = AttributeValues()
    var fields = try fields(
      in: span.body, depth: depth, singular: [1, 2, 3, 4, 5, 6, 13, 14, 20, 21, 22])
    while let field = try fields.next() {
      switch field.number {
      case 1: name = try text(field, "name")
      case 20: declared = try number(field, "type")
      case 21: reference = try text(field, "ref_attr_name")
      case let number:
        guard let kind = AttributeKind.ofField(number) else { continue }
        if let found, found != kind {
          throw WireFault(
            at: field.span.start, expected: "one value",
            got: "both \(found.field.name) and \(kind.field.name)")
        }
        found = kind
        try add(field, kind, to: &values, depth: depth)
      }
    }
    guard !name.isEmpty else {
      throw WireFault(at: span.start, "name", expected: "a name", got: "none")
    }
    if !reference.isEmpty {
      guard found == nil else {
        throw WireFault(
          at: span.start, expected: "a value or ref_attr_name", got: "both")
      }
      return AttributeProto(span: span, name: name, value: .reference(reference))
    }
    let kind = try kind(declared: declared, found: found, at: span.start)
    guard let value = values.value(of: kind) else {
      throw WireFault(at: span.start, expected: "the field \(kind.field.name)", got: "none")
    }
    return AttributeProto(span: span, name: name, value: value)
  }

  /// The kind that an attribute's type declares and its field has.
  private func kind(
    declared: Int32, found: AttributeKind?, at start: Int
  ) throws(WireFault) -> AttributeKind {
    // IR 1 had no `type`: there the field that is present says it.
    guard declared != 0 || found != nil,
      let kind = AttributeKind(rawValue: declared) ?? found,
      declared == 0 || kind.rawValue == declared
    else {
      throw WireFault(
        at: start, "type", expected: "a kind of attribute from 1 to 14", got: "\(declared)")
    }
    guard found == nil || found == kind else {
      throw WireFault(
        at: start, expected: "a value in \(kind.field.name), by the attribute's type",
        got: "one in \(found.map(\.field.name) ?? "none")")
    }
    return kind
  }

  /// Adds the value in `field`, or an element of a list.
  private mutating func add(
    _ field: WireField, _ kind: AttributeKind, to values: inout AttributeValues, depth: Int
  ) throws(WireFault) {
    let name = kind.field.name
    switch kind {
    case .float: values.single = .float(try float(field, name))
    case .int: values.single = .int(try integer(field, name))
    case .string: values.single = .string(try body(field, name))
    case .type: values.single = .type(try message(field, name, depth: depth))
    case .tensor: values.single = .tensor(try message(field, name, depth: depth))
    case .graph: values.single = .graph(try message(field, name, depth: depth))
    case .sparseTensor: values.single = .sparseTensor(try message(field, name, depth: depth))
    case .floats: try floats(field, name, into: &values.floats)
    case .ints: try integers(field, name, into: &values.ints)
    case .strings:
      try count(.listElements, at: field.span.start)
      values.strings.append(try body(field, name))
    case .types:
      try count(.listElements, at: field.span.start)
      values.types.append(try message(field, "\(name)[\(values.types.count)]", depth: depth))
    case .tensors:
      values.tensors.append(try message(field, "\(name)[\(values.tensors.count)]", depth: depth))
    case .graphs:
      try count(.listElements, at: field.span.start)
      values.graphs.append(try message(field, "\(name)[\(values.graphs.count)]", depth: depth))
    case .sparseTensors:
      values.sparseTensors.append(
        try message(field, "\(name)[\(values.sparseTensors.count)]", depth: depth))
    }
  }
}

/// An attribute's value while it is read: lists apart, so that each grows in place.
private struct AttributeValues {
  var single: AttributeProto.Value?
  var floats: [Float] = []
  var ints: [Int64] = []
  var strings: [Range<Int>] = []
  var tensors: [TensorProto] = []
  var graphs: [GraphProto] = []
  var sparseTensors: [SparseTensorProto] = []
  var types: [TypeProto] = []

  /// The value of a kind; nil when it is a message that isn't there.
  ///
  /// Serialisers may leave out zeros and empty lists.
  func value(of kind: AttributeKind) -> AttributeProto.Value? {
    switch kind {
    case .float: single ?? .float(0)
    case .int: single ?? .int(0)
    case .string: single ?? .string(0..<0)
    case .tensor, .graph, .sparseTensor, .type: single
    case .floats: .floats(floats)
    case .ints: .ints(ints)
    case .strings: .strings(strings)
    case .tensors: .tensors(tensors)
    case .graphs: .graphs(graphs)
    case .sparseTensors: .sparseTensors(sparseTensors)
    case .types: .types(types)
    }
  }
}
