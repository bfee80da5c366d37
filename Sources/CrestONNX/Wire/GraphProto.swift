/// Nodes and the values between them (ONNX `GraphProto`).
package struct GraphProto: Sendable {
  package let span: WireSpan
  package fileprivate(set) var name = ""
  package fileprivate(set) var nodes: [NodeProto] = []
  /// Tensors with a value: parameters and constants.
  package fileprivate(set) var initializers: [TensorProto] = []
  package fileprivate(set) var sparseInitializers: [SparseTensorProto] = []
  /// The inputs; up to IR 3 they repeat the initializers.
  package fileprivate(set) var inputs: [ValueInfoProto] = []
  package fileprivate(set) var outputs: [ValueInfoProto] = []
  /// What is known of the values in between (`value_info`).
  package fileprivate(set) var values: [ValueInfoProto] = []
  /// The parameters, buffers and constants of the program that it was exported from, a line each, as PyTorch's
  /// exporter notes them in the metadata; nil when nothing is said.
  package fileprivate(set) var programSignature: String?
}

extension GraphProto: WireMessage {
  static func read(
    _ span: WireSpan, depth: Int, by parser: inout MessageParser
  ) throws(WireFault) -> GraphProto { try parser.graph(span, depth: depth) }
}

extension MessageParser {
  fileprivate mutating func graph(_ span: WireSpan, depth: Int) throws(WireFault) -> GraphProto {
    var graph = GraphProto(span: span)
    var fields = try fields(in: span.body, depth: depth, singular: [2, 10])
    graph.nodes.reserveCapacity(try nodeCount(fields))
    while let field = try fields.next() {
      switch field.number {
      case 1: try append(field, "node", to: &graph.nodes, depth: depth)
      case 2: graph.name = try text(field, "name")
      case 5: try append(field, "initializer", to: &graph.initializers, depth: depth)
      case 11: try append(field, "input", to: &graph.inputs, depth: depth)
      case 12: try append(field, "output", to: &graph.outputs, depth: depth)
      case 13: try append(field, "value_info", to: &graph.values, depth: depth)
      case 15: try append(field, "sparse_initializer", to: &graph.sparseInitializers, depth: depth)
      case 16:
        let signature = "pkg.torch.export.ExportedProgram.graph_signature"
        graph.programSignature =
          try note(field, of: [signature], depth: depth + 1)?.value ?? graph.programSignature
      default: break
      }
    }
    return graph
  }

  /// How many nodes are to be read at most: growing their array step by step takes as long as reading.
  private func nodeCount(_ fields: Fields) throws(WireFault) -> Int {
    var fields = fields
    var count = 0
    while let field = try fields.next() { count += field.number == 1 ? 1 : 0 }
    return min(count, limits[.nodes])
  }
}
