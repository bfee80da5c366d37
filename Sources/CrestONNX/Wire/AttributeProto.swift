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

  /// What an attribute of this kind is when its field isn't there, since serialisers may leave out
  /// zeros and empty lists; nil for messages, which have no such default.
  var absent: AttributeProto.Value? {
    switch self {
    case .float: .float(0)
    case .int: .int(0)
    case .string: .string(0..<0)
    case .floats: .floats([])
    case .ints: .ints([])
    case .strings: .strings([])
    case .tensors: .tensors([])
    case .graphs: .graphs([])
    case .sparseTensors: .sparseTensors([])
    case .types: .types([])
    case .tensor, .graph, .sparseTensor, .type: nil
    }
  }

  static let byField = Dictionary(uniqueKeysWithValues: allCases.map { ($0.field.number, $0) })
}

extension MessageParser {
  mutating func attribute(_ span: WireSpan, depth: Int) throws(WireFault) -> AttributeProto {
    try count(.attributes, at: span.start)
    var name = ""
    var reference = ""
    var declared: Int32 = 0
    var found: (kind: AttributeKind, value: AttributeProto.Value)?
    var fields = try fields(
      in: span.body, depth: depth, singular: [1, 2, 3, 4, 5, 6, 13, 14, 20, 21, 22])
    while let field = try fields.next() {
      switch field.number {
      case 1: name = try text(field, "name")
      case 20: declared = try number(field, "type")
      case 21: reference = try text(field, "ref_attr_name")
      case let number:
        guard let kind = AttributeKind.byField[number] else { continue }
        if let found, found.kind != kind {
          throw WireFault(
            at: field.span.start, expected: "one value",
            got: "both \(found.kind.field.name) and \(kind.field.name)")
        }
        // Taken out of `found` so that lists grow in place.
        let before = found?.value
        found = nil
        found = (kind, try value(of: kind, field, after: before, depth: depth))
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
    // IR 1 had no `type`: there the field that is present says it.
    guard declared != 0 || found != nil,
      let kind = AttributeKind(rawValue: declared) ?? found?.kind,
      declared == 0 || kind.rawValue == declared
    else {
      throw WireFault(
        at: span.start, "type", expected: "a kind of attribute from 1 to 14", got: "\(declared)")
    }
    guard let found else {
      guard let value = kind.absent else {
        throw WireFault(at: span.start, expected: "the field \(kind.field.name)", got: "none")
      }
      return AttributeProto(span: span, name: name, value: value)
    }
    guard found.kind == kind else {
      throw WireFault(
        at: span.start, expected: "a value in \(kind.field.name), by the attribute's type",
        got: "one in \(found.kind.field.name)")
    }
    return AttributeProto(span: span, name: name, value: found.value)
  }

  /// The value in `field`, added to `before` when it is an element of a list.
  private mutating func value(
    of kind: AttributeKind, _ field: WireField, after before: consuming AttributeProto.Value?,
    depth: Int
  ) throws(WireFault) -> AttributeProto.Value {
    let name = kind.field.name
    switch (kind, before ?? kind.absent) {
    case (.float, _): return .float(try float(field, name))
    case (.int, _): return .int(try integer(field, name))
    case (.string, _): return .string(try body(field, name))
    case (.tensor, _):
      _ = try body(field, name)
      return .tensor(
        try inside(name) { () throws(WireFault) in try tensor(field.span, depth: depth + 1) })
    case (.graph, _):
      _ = try body(field, name)
      return .graph(
        try inside(name) { () throws(WireFault) in try graph(field.span, depth: depth + 1) })
    case (.sparseTensor, _):
      _ = try body(field, name)
      return .sparseTensor(
        try inside(name) { () throws(WireFault) in try sparseTensor(field.span, depth: depth + 1) })
    case (.type, _):
      return .type(
        try inside(name) { () throws(WireFault) in try type(field, depth: depth + 1) })
    case (_, .floats(var list)):
      try floats(field, name, into: &list)
      return .floats(list)
    case (_, .ints(var list)):
      try integers(field, name, into: &list)
      return .ints(list)
    case (_, .strings(var list)):
      try count(.listElements, at: field.span.start)
      list.append(try body(field, name))
      return .strings(list)
    case (_, .tensors(var list)):
      _ = try body(field, name)
      list.append(
        try inside("\(name)[\(list.count)]") { () throws(WireFault) in
          try tensor(field.span, depth: depth + 1)
        })
      return .tensors(list)
    case (_, .graphs(var list)):
      _ = try body(field, name)
      list.append(
        try inside("\(name)[\(list.count)]") { () throws(WireFault) in
          try graph(field.span, depth: depth + 1)
        })
      return .graphs(list)
    case (_, .sparseTensors(var list)):
      _ = try body(field, name)
      list.append(
        try inside("\(name)[\(list.count)]") { () throws(WireFault) in
          try sparseTensor(field.span, depth: depth + 1)
        })
      return .sparseTensors(list)
    case (_, .types(var list)):
      try count(.listElements, at: field.span.start)
      list.append(
        try inside("\(name)[\(list.count)]") { () throws(WireFault) in
          try type(field, depth: depth + 1)
        })
      return .types(list)
    default:
      preconditionFailure("a value of \(kind) goes on as another kind")
    }
  }
}
