import CrestGraph
import CrestTensor

/// A graph being written as ONNX, node by node.
///
/// Opset 17 and IR 8: what every ONNX Runtime since 1.12 loads. The batch, axis 0 of inputs and
/// outputs, stays open. Operations that mean something else in training are written in their neutral
/// form, so that the file predicts as it is and can be trained again.
struct GraphExport {
  let graph: Graph
  private let value: (Graph.Variable) -> Tensor
  private var names: [Graph.ValueID: String] = [:]
  private var taken: Set<String> = []
  private var draft: GraphDraft
  private var node = 0

  /// The number of the operator set that is written.
  static let opset: Int64 = 17

  /// Writes `graph`, taking the values of its variables from `value`.
  ///
  /// - Throws: ``ONNXError`` when a node has no equal in ONNX.
  static func draft(
    of graph: Graph, name: String, value: @escaping (Graph.Variable) -> Tensor
  ) throws(ONNXError) -> GraphDraft {
    let graph = decomposed(graph)
    var export = GraphExport(graph, name: name, value: value)
    for number in graph.nodesForOutputs {
      export.node = number
      let node = graph.nodes[number]
      guard let operation = node.operation as? any ExportedOperation else {
        throw export.unsupported("an operation with an ONNX equivalent", got: "one without")
      }
      try operation.write(node, to: &export)
    }
    export.nameOutputs()
    return export.draft
  }

  /// The graph, with operations that ONNX lacks taken apart.
  private static func decomposed(_ graph: Graph) -> Graph {
    func hasEqual(_ node: Graph.Node) -> Bool {
      (node.operation as? any ExportedOperation)?.isInOpset ?? false
    }
    if graph.nodes.allSatisfy(hasEqual) { return graph }
    let builder = GraphBuilder()
    do {
      try builder.copy(
        graph, inputTypes: graph.inputs.map { graph.type(of: $0.value) }, keepsUpdates: true
      ) { node, inputs in hasEqual(node) ? nil : try node.operation.decomposed(inputs) }
    } catch {
      programmerError("an operation was taken apart into what doesn't fit: \(error)")
    }
    return builder.result
  }

  private init(
    _ graph: Graph, name: String, value: @escaping (Graph.Variable) -> Tensor
  ) {
    self.graph = graph
    self.value = value
    draft = GraphDraft(name: name)
    for port in graph.inputs {
      names[port.value] = unique(port.name)
      draft.inputs.append(batch(port, name: names[port.value] ?? port.name))
    }
    for port in graph.outputs {
      taken.insert(port.name)
      draft.outputs.append(batch(port, name: port.name))
      if graph.isComputed(port.value), names[port.value] == nil {
        names[port.value] = port.name
      }
    }
  }

  /// An input or output with the batch open.
  private func batch(_ port: Graph.Port, name: String) -> ValueDraft {
    let type = graph.type(of: port.value)
    return ValueDraft(
      name: name, dataType: TensorDataType(type.elementType),
      shape: [.parameter("N")] + type.shape.dropFirst().map { .size(Int64($0)) })
  }

  /// An output that is an input, a variable, or another output too, is a copy of it.
  private mutating func nameOutputs() {
    for port in graph.outputs where names[port.value] != port.name {
      draft.nodes.append(
        NodeDraft("Identity", inputs: [name(of: port.value)], outputs: [port.name]))
    }
  }

  private mutating func unique(_ wanted: String) -> String {
    var name = wanted
    var count = 1
    while !taken.insert(name).inserted {
      name = "\(wanted)_\(count)"
      count += 1
    }
    return name
  }

  /// The name of a value, which becomes an initializer when it is a variable or a constant.
  mutating func name(of value: Graph.ValueID) -> String {
    if let name = names[value] { return name }
    let name: String
    switch graph.values[value.index].origin {
    case .variable(let number):
      let declaration = graph.variables[number]
      name = unique(declaration.name)
      draft.initializers.append(TensorDraft(name: name, self.value(declaration)))
    case .constant(let tensor): name = initializer(tensor, "constant")
    case .input, .node:
      let path = graph.producer(of: value)?.path ?? ""
      name = unique(path.isEmpty ? "value\(value.index)" : "\(path)/value\(value.index)")
    }
    names[value] = name
    return name
  }

  /// Adds a tensor that the graph holds as an attribute, and ONNX takes as an input.
  mutating func initializer(_ tensor: Tensor, _ purpose: String) -> String {
    let name = unique(purpose)
    draft.initializers.append(TensorDraft(name: name, tensor))
    return name
  }

  /// Adds a node that makes a value which has no place in the graph.
  mutating func intermediate(
    _ operation: String, _ inputs: [String],
    _ attributes: [(name: String, value: AttributeDraft)] = []
  ) -> String {
    let output = unique("\(graph.nodes[node].path)/\(operation.lowercased())")
    add(operation, inputs, [output], attributes)
    return output
  }

  /// Adds a node named after the layer it was traced in.
  mutating func add(
    _ operation: String, _ inputs: [String], _ outputs: [String],
    _ attributes: [(name: String, value: AttributeDraft)] = []
  ) {
    let path = graph.nodes[node].path
    draft.nodes.append(
      NodeDraft(
        operation, name: unique(path.isEmpty ? operation : "\(path)/\(operation)"),
        inputs: inputs, outputs: outputs, attributes: attributes))
  }

  /// Adds the present node as one of ONNX's, with its inputs followed by `more`.
  mutating func add(
    _ operation: String, more: [String] = [],
    _ attributes: [(name: String, value: AttributeDraft)] = []
  ) {
    let node = graph.nodes[node]
    let inputs = node.inputs.map { name(of: $0) }
    add(operation, inputs + more, [name(of: node.outputs[0])], attributes)
  }

  /// The present node can't be written.
  func unsupported(_ expected: String, got: String) -> ONNXError {
    let node = graph.nodes[self.node]
    return .notExportable(
      operation: node.operation.name, path: node.path, opset: Self.opset, expected: expected,
      got: got)
  }
}

/// An operation that ONNX has, or that is written as several of ONNX's.
protocol ExportedOperation: GraphOperation {
  /// Whether the opset that is written has it; otherwise it is taken apart.
  var isInOpset: Bool { get }

  /// Adds what computes `node`, which is of this operation.
  func write(_ node: Graph.Node, to export: inout GraphExport) throws(ONNXError)
}

extension ExportedOperation {
  /// Those that ONNX has are, unless it says otherwise.
  var isInOpset: Bool { true }
}

extension Graph {
  /// The numbers of the nodes that outputs depend on, in order.
  fileprivate var nodesForOutputs: [Int] {
    var needed: Set<Int> = []
    var pending = outputs.map(\.value)
    while let value = pending.popLast() {
      guard case .node(let number, _) = values[value.index].origin,
        needed.insert(number).inserted
      else { continue }
      pending += nodes[number].inputs
    }
    return needed.sorted()
  }

  fileprivate func isComputed(_ value: ValueID) -> Bool { producer(of: value) != nil }
}
