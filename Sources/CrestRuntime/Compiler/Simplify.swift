import CrestGraph
import CrestTensor

extension Graph {
  /// The graph with nodes that change nothing left out, transposes taken into products, and equal
  /// nodes computed once.
  func simplified() throws -> Graph {
    var known: [NodeKey: [Symbol]] = [:]
    return try rewritten { builder, node, inputs in
      if let simpler = try Self.simpler(node, inputs, builder) { return simpler }
      guard !node.operation.isRandom else { return nil }
      let key = NodeKey(operation: AnyHashable(node.operation), inputs: inputs.map(\.id))
      // Nodes run in order of their stage, so an equal node of an earlier one is always ready.
      if let equal = known[key] { return equal }
      let outputs = try builder.apply(node.operation, inputs)
      known[key] = outputs
      return outputs
    }
  }

  /// What makes two nodes compute the same.
  private struct NodeKey: Hashable {
    let operation: AnyHashable
    let inputs: [ValueID]
  }

  private static func simpler(
    _ node: Node, _ inputs: [Symbol], _ builder: GraphBuilder
  ) throws -> [Symbol]? {
    let graph = builder.result
    let type = try node.operation.outputTypes(for: inputs.map(\.type))
    switch node.operation {
    case is Reshape, is Expand, is Flatten:
      if type[0] == inputs[0].type { return [inputs[0]] }
      if node.operation is Expand { return nil }
      // Reshapes of reshapes look through to the first.
      guard let before = graph.producer(of: inputs[0].id),
        before.operation is Reshape || before.operation is Flatten
      else { return nil }
      return try builder.apply(
        Reshape(type[0].shape.dimensions, allowsZero: true), [builder.symbol(before.inputs[0])])
    case let cast as Cast where cast.elementType == inputs[0].elementType: return [inputs[0]]
    case let transpose as Transpose:
      if transpose.permutation == Array(0..<inputs[0].shape.rank) { return [inputs[0]] }
      guard let before = graph.producer(of: inputs[0].id),
        let first = before.operation as? Transpose
      else { return nil }
      return try builder.apply(
        Transpose(transpose.permutation.map { first.permutation[$0] }),
        [builder.symbol(before.inputs[0])])
    case is MatMul where inputs[0].shape.rank == 2 && inputs[1].shape.rank == 2:
      return try builder.apply(
        Gemm(alpha: 1, beta: 1, transposesA: false, transposesB: false), inputs)
    case let gemm as Gemm:
      let (a, swapsA) = untransposed(inputs[0], graph, builder)
      let (b, swapsB) = untransposed(inputs[1], graph, builder)
      guard swapsA || swapsB else { return nil }
      return try builder.apply(
        Gemm(
          alpha: gemm.alpha, beta: gemm.beta, transposesA: gemm.transposesA != swapsA,
          transposesB: gemm.transposesB != swapsB), [a, b] + inputs.dropFirst(2))
    case let elementwise as Elementwise:
      if let same = neutral(elementwise.function, inputs, type[0], graph) { return [same] }
      // Elementwise kernels repeat by themselves, so an expanded input need not exist.
      let narrow = inputs.map { input in
        guard let before = graph.producer(of: input.id), before.operation is Expand else {
          return input
        }
        return builder.symbol(before.inputs[0])
      }
      guard narrow.map(\.id) != inputs.map(\.id),
        try node.operation.outputTypes(for: narrow.map(\.type)) == type
      else { return nil }
      return try builder.apply(node.operation, narrow)
    default: return nil
    }
  }

  /// A matrix, or what it is the transpose of.
  private static func untransposed(
    _ matrix: Symbol, _ graph: Graph, _ builder: GraphBuilder
  ) -> (Symbol, Bool) {
    guard let before = graph.producer(of: matrix.id),
      let transpose = before.operation as? Transpose, transpose.permutation == [1, 0]
    else { return (matrix, false) }
    return (builder.symbol(before.inputs[0]), true)
  }

  /// The input that an elementwise operation gives back unchanged: x + 0, x · 1, x / 1, x - 0, x¹.
  private static func neutral(
    _ function: ElementwiseFunction, _ inputs: [Symbol], _ type: ValueType, _ graph: Graph
  ) -> Symbol? {
    guard inputs.count == 2 else { return nil }
    let element: Double
    switch function {
    // Adding +0 turns -0 into +0, but adding -0 changes nothing.
    case .add: element = -0.0
    case .subtract: element = 0
    case .multiply, .divide, .power: element = 1
    default: return nil
    }
    func isNeutral(_ symbol: Symbol) -> Bool {
      graph.scalar(symbol.id)?.bitPattern == element.bitPattern
    }
    if isNeutral(inputs[1]), inputs[0].type == type { return inputs[0] }
    if function == .add || function == .multiply, isNeutral(inputs[0]), inputs[1].type == type {
      return inputs[1]
    }
    return nil
  }
}
