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
  /// The parameters, buffers and constants of the program that the operation which this node comes from reads,
  /// as PyTorch's exporter notes them in the metadata; nil when nothing is said.
  package fileprivate(set) var programArrays: Set<String>?
}

extension NodeProto: WireMessage {
  static func read(
    _ span: WireSpan, depth: Int, by parser: inout MessageParser
  ) throws(WireFault) -> NodeProto { try parser.node(span, depth: depth) }
}

extension MessageParser {
  fileprivate mutating func node(_ span: WireSpan, depth: Int) throws(WireFault) -> NodeProto {
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
      case 5: try append(field, "attribute", to: &node.attributes, depth: depth)
      case 7: node.domain = try text(field, "domain")
      case 8: node.overload = try text(field, "overload")
      case 9: try program(field, of: &node, depth: depth + 1)
      default: break
      }
    }
    guard !node.operation.isEmpty else {
      throw WireFault(at: span.start, "op_type", expected: "an operation's name", got: "none")
    }
    return node
  }

  /// Takes what an entry of a node's metadata says of the program that it was exported from.
  private mutating func program(
    _ field: WireField, of node: inout NodeProto, depth: Int
  ) throws(WireFault) {
    guard
      let entry = try note(
        field, of: ["pkg.torch.onnx.name_scopes", "pkg.torch.onnx.fx_node"], depth: depth)
    else { return }
    if entry.key == "pkg.torch.onnx.name_scopes" {
      // A list as Python writes it, ['', 'encoder', 'encoder.norm', 'layer_norm_3']: modules, and the operation.
      let names = Self.list(entry.value)
      if names.count >= 2 { node.module = names[names.count - 2] }
    } else {
      // As in %linear : [num_users=1] = call_function[target=…](args = (%x, %p_e_weight, %p_e_bias), kwargs = {}).
      guard let start = entry.value.firstRange(of: "](args = ") else { return }
      node.programArrays = Set(
        entry.value[start.upperBound...].split(separator: "%").dropFirst().lazy
          .map { String($0.prefix { $0.isLetter || $0.isNumber || $0 == "_" }) }
          .filter { name in ["p_", "b_", "c_"].contains { name.hasPrefix($0) } })
    }
  }

  /// An entry of metadata under one of some keys; nil for others, of which exporters write many, and which
  /// need not be counted.
  mutating func note(
    _ field: WireField, of keys: Set<String>, depth: Int
  ) throws(WireFault) -> MetadataEntry? {
    _ = try body(field, "metadata_props")
    var fields = try fields(in: field.span.body, depth: depth, singular: [1, 2])
    var (key, value) = ("", WireField?.none)
    while let part = try fields.next() {
      switch part.number {
      case 1: key = try text(part, "key")
      case 2: value = part
      default: break
      }
    }
    guard let value, keys.contains(key),
      // The list of a large program's arrays is longer than any other text, and no reason to refuse it.
      try body(value, "value").count <= limits.textByteCount
    else { return nil }
    return MetadataEntry(key: key, value: try text(value, "value"))
  }

  /// The texts of a list as Python writes it.
  static func list(_ text: String) -> [String] {
    text.split(separator: ",").map { $0.filter { !" []'\"".contains($0) } }
  }
}
