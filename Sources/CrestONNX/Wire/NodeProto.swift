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
  /// The path of the module that it was exported from, as PyTorch's exporter notes it in the metadata; empty
  /// for the network itself, nil when nothing is said.
  package fileprivate(set) var module: String?
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
      case 9: node.module = try module(field, depth: depth + 1) ?? node.module
      default: break
      }
    }
    guard !node.operation.isEmpty else {
      throw WireFault(at: span.start, "op_type", expected: "an operation's name", got: "none")
    }
    return node
  }

  /// The module that an entry of a node's metadata names; nil when it is about something else.
  private mutating func module(_ field: WireField, depth: Int) throws(WireFault) -> String? {
    _ = try body(field, "metadata_props")
    // Only this is kept, so that entries, of which exporters write many, need not be counted.
    var fields = try fields(in: field.span.body, depth: depth, singular: [1, 2])
    var (isModules, value) = (false, "")
    while let part = try fields.next() {
      switch part.number {
      case 1: isModules = try text(part, "key") == "pkg.torch.onnx.name_scopes"
      case 2: value = try text(part, "value")
      default: break
      }
    }
    guard isModules else { return nil }
    // A list as Python writes it, ['', 'encoder', 'encoder.norm', 'layer_norm_3']: modules, and the operation.
    let names = value.split(separator: ",").map { $0.filter { !" []'\"".contains($0) } }
    return names.count >= 2 ? names[names.count - 2] : nil
  }
}
