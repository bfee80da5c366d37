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

extension MessageParser {
  mutating func function(_ span: WireSpan, depth: Int) throws(WireFault) -> FunctionProto {
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
      case 7:
        _ = try body(field, "node")
        let index = function.nodes.count
        function.nodes.append(
          try inside("node[\(index)]") { () throws(WireFault) in
            try node(field.span, depth: depth + 1)
          })
      case 9:
        _ = try body(field, "opset_import")
        function.opsets.append(try operatorSet(field.span, depth: depth + 1))
      case 10: function.domain = try text(field, "domain")
      case 11:
        _ = try body(field, "attribute_proto")
        let index = function.defaults.count
        function.defaults.append(
          try inside("attribute_proto[\(index)]") { () throws(WireFault) in
            try attribute(field.span, depth: depth + 1)
          })
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
