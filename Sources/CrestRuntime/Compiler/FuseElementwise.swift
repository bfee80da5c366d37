import CCrestKernels
import CrestGraph
import CrestTensor

extension Graph {
  /// The graph with chains of elementwise operations joined, so that what lies between them never
  /// leaves the cache.
  ///
  /// A node joins its readers' chain when all of them are in that chain, it has the chain's type and
  /// stage, and nothing outside wants its value. A chain of one becomes a fused node too, so that
  /// there is one way to lower them all.
  ///
  /// - Parameter joining: Whether nodes join at all; if not, every value can be looked at.
  /// - Returns: An equal graph whose elementwise nodes are all ``FusedElementwise``.
  func fusingElementwise(joining: Bool) -> Graph {
    let readers = readersByValue()
    let wanted = Set(outputs.map(\.value) + updates.map(\.value))
    var chains: [Int: Chain] = [:]
    var rootOf: [Int: Int] = [:]
    for (number, node) in nodes.enumerated().reversed() {
      guard let operation = node.operation as? Elementwise, operation.function.hasKernel,
        type(of: node.outputs[0]).elementType == .float32
      else { continue }
      let output = node.outputs[0]
      let roots = Set((readers[output] ?? []).map { rootOf[$0] })
      if joining, roots.count == 1, case .some(.some(let root)) = roots.first,
        !wanted.contains(output),
        nodes[root].stage == node.stage,
        type(of: nodes[root].outputs[0]) == type(of: output),
        chains[root]?.add(number, operation, node, in: self) == true
      {
        rootOf[number] = root
      } else {
        rootOf[number] = number
        var chain = Chain(output: output)
        let fits = chain.add(number, operation, node, in: self)
        programmerError(unless: fits, "\(node.operation.name) alone does not fit a chain")
        chains[number] = chain
      }
    }
    return withNodes(
      nodes.enumerated().map { number, node in
        guard let chain = chains[number] else { return node }
        let (instructions, inputs) = chain.assembled(in: self)
        return Node(
          operation: FusedElementwise(instructions: instructions, type: type(of: chain.output)),
          inputs: inputs, outputs: node.outputs, path: node.path, stage: node.stage)
      })
  }
}

/// Elementwise nodes that become one; nodes are added from the last to the first.
private struct Chain {
  let output: Graph.ValueID
  private var members: [(number: Int, function: ElementwiseFunction)] = []
  private var leaves: Set<Graph.ValueID> = []

  init(output: Graph.ValueID) { self.output = output }

  /// Adds a node; false when the chain would outgrow what the kernel holds.
  mutating func add(
    _ number: Int, _ operation: Elementwise, _ node: Graph.Node, in graph: Graph
  ) -> Bool {
    var leaves = self.leaves
    leaves.remove(node.outputs[0])
    leaves.formUnion(node.inputs.filter { graph.scalar($0) == nil })
    let constants = node.inputs.count { graph.scalar($0) != nil }
    guard leaves.count <= Int(CK_MAX_INPUTS),
      instructionCount + 1 + constants <= Int(CK_MAX_INSTRUCTIONS)
    else { return false }
    self.leaves = leaves
    instructionCount += 1 + constants
    members.append((number, operation.function))
    return true
  }

  /// Instructions the kernel will run, each constant counted where it is used.
  private var instructionCount = 0

  /// The chain's instructions in the order they run, and what they read.
  func assembled(
    in graph: Graph
  ) -> (instructions: [FusedElementwise.Instruction], inputs: [Graph.ValueID]) {
    let inputs = leaves.sorted()
    var places: [Graph.ValueID: FusedElementwise.Operand] = [:]
    for (place, input) in inputs.enumerated() { places[input] = .input(place) }
    var instructions: [FusedElementwise.Instruction] = []
    for (number, function) in members.reversed() {
      let node = graph.nodes[number]
      let operands = node.inputs.map { input -> FusedElementwise.Operand in
        if let scalar = graph.scalar(input) { return .constant(scalar) }
        guard let place = places[input] else {
          programmerError("\(input) is read in a chain before it is made")
        }
        return place
      }
      places[node.outputs[0]] = .result(instructions.count)
      instructions.append(FusedElementwise.Instruction(function: function, operands: operands))
    }
    return (instructions, inputs)
  }
}
