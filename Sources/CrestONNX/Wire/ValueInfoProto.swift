/// The size of a dimension as a model states it.
package enum DimensionProto: Hashable, Sendable {
  /// Nothing is said.
  case unknown
  /// A number, as written: exporters are known to write 0 or -1 for an unknown size.
  case size(Int64)
  /// A name; equal names are equal sizes.
  case parameter(String)
}

/// The type of a value (ONNX `TypeProto`).
package enum TypeProto: Equatable, Sendable {
  /// Nothing is said.
  case unknown
  /// A tensor; the shape is nil when even the rank isn't stated.
  case tensor(TensorDataType, shape: [DimensionProto]?)
  /// A type that isn't a dense tensor, by name.
  case other(String)
}

/// A value's name and type (ONNX `ValueInfoProto`).
package struct ValueInfoProto: Sendable {
  package let span: WireSpan
  package fileprivate(set) var name = ""
  package fileprivate(set) var type = TypeProto.unknown
  /// What it is in the program that it was exported from, and what it was called there, as PyTorch's exporter
  /// notes it in the metadata; nil when nothing is said.
  package fileprivate(set) var programKind: String?
  package fileprivate(set) var programName: String?
  /// The arrays and results that an exporter computed it from; empty when nothing is said.
  package fileprivate(set) var foldedFrom: [String] = []

  fileprivate static let programKindKey = "pkg.torch.export.graph_signature.InputSpec.kind"
  fileprivate static let programNameKey = "pkg.torch.onnx.original_node_name"
  fileprivate static let foldedFromKey = "pkg.onnxscript.optimizer.folded_from"
  fileprivate static let keys: Set = [programKindKey, programNameKey, foldedFromKey]
}

extension ValueInfoProto: WireMessage {
  static func read(
    _ span: WireSpan, depth: Int, by parser: inout MessageParser
  ) throws(WireFault) -> ValueInfoProto { try parser.valueInfo(span, depth: depth) }
}

extension TypeProto: WireMessage {
  static func read(
    _ span: WireSpan, depth: Int, by parser: inout MessageParser
  ) throws(WireFault) -> TypeProto { try parser.type(span, depth: depth) }
}

extension DimensionProto: WireMessage {
  static func read(
    _ span: WireSpan, depth: Int, by parser: inout MessageParser
  ) throws(WireFault) -> DimensionProto { try parser.dimension(span, depth: depth) }
}

extension MessageParser {
  fileprivate mutating func valueInfo(_ span: WireSpan, depth: Int) throws(WireFault)
    -> ValueInfoProto
  {
    try count(.values, at: span.start)
    var value = ValueInfoProto(span: span)
    var fields = try fields(in: span.body, depth: depth, singular: [1, 2, 3])
    while let field = try fields.next() {
      switch field.number {
      case 1: value.name = try text(field, "name")
      case 2: value.type = try message(field, "type", depth: depth)
      case 4:
        guard let entry = try note(field, of: ValueInfoProto.keys, depth: depth + 1) else { break }
        switch entry.key {
        case ValueInfoProto.programKindKey: value.programKind = entry.value
        case ValueInfoProto.programNameKey: value.programName = entry.value
        default: value.foldedFrom = Self.list(entry.value)
        }
      default: break
      }
    }
    guard !value.name.isEmpty else {
      throw WireFault(at: span.start, "name", expected: "a value's name", got: "none")
    }
    return value
  }

  fileprivate mutating func type(_ span: WireSpan, depth: Int) throws(WireFault) -> TypeProto {
    let names = [
      4: "sequence_type", 5: "map_type", 7: "opaque_type", 8: "sparse_tensor_type",
      9: "optional_type",
    ]
    var type: TypeProto?
    var fields = try fields(in: span.body, depth: depth, singular: [1, 4, 5, 6, 7, 8, 9])
    while let field = try fields.next() {
      let found: TypeProto
      if field.number == 1 {
        _ = try body(field, "tensor_type")
        found = try inside("tensor_type") { () throws(WireFault) in
          try tensorType(field.span.body, depth: depth + 1)
        }
      } else if let name = names[field.number] {
        _ = try body(field, name)
        found = .other(name)
      } else {
        continue
      }
      guard type == nil else {
        throw WireFault(at: field.span.start, expected: "one type", got: "two")
      }
      type = found
    }
    return type ?? .unknown
  }

  private mutating func tensorType(
    _ range: Range<Int>, depth: Int
  ) throws(WireFault) -> TypeProto {
    var dataType = TensorDataType.undefined
    var shape: [DimensionProto]?
    var fields = try fields(in: range, depth: depth, singular: [1, 2])
    while let field = try fields.next() {
      switch field.number {
      case 1: dataType = TensorDataType(rawValue: try number(field, "elem_type"))
      case 2:
        let range = try body(field, "shape")
        shape = try inside("shape") { () throws(WireFault) in
          try dimensions(range, depth: depth + 1)
        }
      default: break
      }
    }
    return .tensor(dataType, shape: shape)
  }

  private mutating func dimensions(
    _ range: Range<Int>, depth: Int
  ) throws(WireFault) -> [DimensionProto] {
    var sizes: [DimensionProto] = []
    var fields = try fields(in: range, depth: depth, singular: [])
    while let field = try fields.next() {
      guard field.number == 1 else { continue }
      guard sizes.count < limits.rank else {
        throw WireFault(at: field.span.start, limit: "\(limits.rank) dimensions")
      }
      try count(.listElements, at: field.span.start)
      try append(field, "dim", to: &sizes, depth: depth)
    }
    return sizes
  }

  fileprivate func dimension(_ span: WireSpan, depth: Int) throws(WireFault) -> DimensionProto {
    var dimension: DimensionProto?
    var fields = try fields(in: span.body, depth: depth, singular: [1, 2, 3])
    while let field = try fields.next() {
      guard field.number == 1 || field.number == 2 else { continue }
      guard dimension == nil else {
        throw WireFault(
          at: field.span.start, expected: "dim_value or dim_param", got: "both")
      }
      dimension =
        field.number == 1
        ? .size(try integer(field, "dim_value")) : .parameter(try text(field, "dim_param"))
    }
    return dimension ?? .unknown
  }
}
