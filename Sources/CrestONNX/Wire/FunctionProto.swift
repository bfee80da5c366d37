/// An operation that the model itself defines (ONNX `FunctionProto`, IR 8).
package struct FunctionProto: Sendable {
  package let span: WireSpan
  package fileprivate(set) var name = ""
  package fileprivate(set) var domain = ""
  package fileprivate(set) var overload = ""
  package fileprivate(set) var inputs: [String] = []
  package fileprivate(set) var outputs: [String] = []
  /// The names of attributes that a use must give.
  package fileprivate(set) var attributes: [String] = []
  /// The attributes that have a default.
  package fileprivate(set) var defaults: [AttributeProto] = []
  package fileprivate(set) var nodes: [NodeProto] = []
  package fileprivate(set) var opsets: [OperatorSet] = []
}

extension FunctionProto: WireMessage {
  static func read(
    _ span: WireSpan, depth: Int, by parser: inout MessageParser
  ) throws(WireFault) -> FunctionProto { try parser.function(span, depth: depth) }
}

extension MessageParser {
  fileprivate mutating func function(_ span: WireSpan, depth: Int) throws(WireFault)
    -> FunctionProto
  {
    try count(.functions, at: span.start)
    var function = FunctionProto(span: span)
    var fields = try fields(in: span.body, depth: depth, singular: [1, 8, 10, 13])
    while let field = try fields.next() {
      switch field.number {
      case 1: function.name = try text(field, "name")
      case 4:
        try count(.valueNames, at: field.span.start)
        function.inputs.append(try text(field, "input"))
      case 5:
        try count(.valueNames, at: field.span.start)
        function.outputs.append(try text(field, "output"))
      case 6:
        try count(.valueNames, at: field.span.start)
        function.attributes.append(try text(field, "attribute"))
      case 7: try append(field, "node", to: &function.nodes, depth: depth)
      case 9:
        _ = try body(field, "opset_import")
        function.opsets.append(
          try OperatorSet.read(field.span, depth: depth + 1, by: &self))
      case 10: function.domain = try text(field, "domain")
      case 11: try append(field, "attribute_proto", to: &function.defaults, depth: depth)
      case 13: function.overload = try text(field, "overload")
      default: break
      }
    }
    guard !function.name.isEmpty else {
      throw WireFault(at: span.start, "name", expected: "a function's name", got: "none")
    }
    return function
  }
}
