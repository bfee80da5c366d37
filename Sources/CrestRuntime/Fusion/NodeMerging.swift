import CrestGraph
import CrestTensor

/// A graph some of whose nodes do the work of others, which are left out.
///
/// Nodes keep their numbers until the result is asked for, and run in their order.
struct NodeMerging {
  let graph: Graph
  private var nodes: [Graph.Node?]
  private var makers: [Graph.ValueID: Int] = [:]
  /// The nodes that read each value, once for each time they do.
  private var readers: [Graph.ValueID: [Int]] = [:]
  /// Values that must be in memory after a stage.
  private let wanted: Set<Graph.ValueID>

  /// A graph as it is.
  init(_ graph: Graph) {
    self.graph = graph
    nodes = graph.nodes
    wanted = Set(graph.outputs.map(\.value) + graph.updates.map(\.value))
    for (number, node) in graph.nodes.enumerated() {
      for output in node.outputs { makers[output] = number }
      for input in node.inputs { readers[input, default: []].append(number) }
    }
  }

  /// Applies a rule to each node in order.
  mutating func apply(_ rule: (Int, Graph.Node, inout NodeMerging) -> Void) {
    for number in nodes.indices {
      if let node = nodes[number] { rule(number, node, &self) }
    }
  }

  /// The graph with the nodes as they are now.
  var result: Graph { graph.withNodes(nodes.compactMap(\.self)) }

  /// The node of a number.
  ///
  /// - Precondition: it is not left out.
  subscript(number: Int) -> Graph.Node {
    guard let node = nodes[number] else { programmerError("node \(number) is left out") }
    return node
  }

  /// The node that makes a value; nil for what is there before any runs.
  func maker(of value: Graph.ValueID) -> Int? { makers[value] }

  /// The nodes that read a value, in order, once for each time they do.
  func readers(of value: Graph.ValueID) -> [Int] { (readers[value] ?? []).sorted() }

  /// Whether a value must be in memory.
  func isWanted(_ value: Graph.ValueID) -> Bool { wanted.contains(value) }

  /// Whether values are there when a node runs.
  func areReady(_ values: some Sequence<Graph.ValueID>, before number: Int) -> Bool {
    values.allSatisfy { makers[$0].map { $0 < number } ?? true }
  }

  /// Puts another node in place of one.
  mutating func replace(
    _ number: Int, by operation: any GraphOperation, _ inputs: [Graph.ValueID],
    _ outputs: [Graph.ValueID]
  ) {
    let node = self[number]
    programmerError(
      unless: areReady(inputs, before: number), "node \(number) would read what is made after it")
    disconnect(number, node)
    nodes[number] = Graph.Node(
      operation: operation, inputs: inputs, outputs: outputs, path: node.path, stage: node.stage)
    for output in outputs { makers[output] = number }
    for input in inputs { readers[input, default: []].append(number) }
  }

  /// Leaves a node out.
  ///
  /// - Precondition: nothing reads what it alone makes.
  mutating func remove(_ number: Int) {
    disconnect(number, self[number])
    nodes[number] = nil
  }

  private mutating func disconnect(_ number: Int, _ node: Graph.Node) {
    for output in node.outputs where makers[output] == number { makers[output] = nil }
    for input in Set(node.inputs) { readers[input]?.removeAll { $0 == number } }
  }
}
