/// A use of an operation (ONNX `NodeProto`).
package struct NodeProto: Sendable {
  package let span: WireSpan
  package fileprivate(set) var name = ""
  package fileprivate(set) var operation = ""
  /// The operator set; empty for ONNX's own.
  package fileprivate(set) var domain = ""
  /// Which of several functions of the same name (IR 10).
  package fileprivate(set) var overload = ""
  /// The names of the values that go in; empty where an optional one is left out.
  package fileprivate(set) var inputs: [String] = []
  /// The names of the values that come out; empty where an optional one is left out.
  package fileprivate(set) var outputs: [String] = []
  package fileprivate(set) var attributes: [AttributeProto] = []
}

extension MessageParser {
  mutating func node(_ span: WireSpan, depth: Int) throws(WireFault) -> NodeProto {
    try count(.nodes, at: span.start)
    var node = NodeProto(span: span)
    var fields = try fields(in: span.body, depth: depth, singular: [3, 4, 6, 7, 8])
    while let field = try fields.next() {
      switch field.number {
      case 1:
        try count(.valueNames, at: field.span.start)
        node.inputs.append(try text(field, "input"))
      case 2:
        try count(.valueNames, at: field.span.start)
        node.outputs.append(try text(field, "output"))
      case 3: node.name = try text(field, "name")
      case 4: node.operation = try text(field, "op_type")
      case 5:
        _ = try body(field, "attribute")
        let index = node.attributes.count
        node.attributes.append(
          try inside("attribute[\(index)]") { () throws(WireFault) in
            try attribute(field.span, depth: depth + 1)
          })
      case 7: node.domain = try text(field, "domain")
      case 8: node.overload = try text(field, "overload")
      default: break
      }
    }
    guard !node.operation.isEmpty else {
      throw WireFault(at: span.start, "op_type", expected: "an operation's name", got: "none")
    }
    return node
  }
}
