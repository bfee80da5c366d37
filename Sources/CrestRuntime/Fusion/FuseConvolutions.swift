import CrestGraph
import CrestTensor

extension Graph {
  /// The graph with convolutions by Winograd's algorithm, and their gradients, as nodes that do on the way what
  /// nodes around them did.
  ///
  /// A node takes on another's work where all that this reads is there before the node runs, and both are of
  /// one stage. A convolution that takes on nothing becomes such a node too, so that there is one way to
  /// lower them.
  ///
  /// - Parameters:
  ///   - algorithms: The kernels that convolutions may run on.
  ///   - joining: Whether nodes take on others' work; if not, every value can be looked at.
  /// - Returns: An equal graph.
  func fusingConvolutions(_ algorithms: Engine.ConvolutionAlgorithms, joining: Bool) -> Graph {
    var merging = NodeMerging(self)
    merging.apply { $2.useTiles($0, $1, algorithms) }
    if joining {
      merging.apply { $2.joinGradients($0, $1) }
      merging.apply { $2.joinStatistics($0, $1) }
      merging.apply { $2.joinNormalizationGradient($0, $1) }
      merging.apply { $2.joinFilterGradient($0, $1) }
      // Last, when it is known which nodes read an image.
      merging.apply { $2.computeImage($0, $1) }
    }
    return merging.result
  }
}

extension NodeMerging {
  /// Lets a convolution or gradient for which Winograd's algorithm is the fastest run on it.
  fileprivate mutating func useTiles(
    _ number: Int, _ node: Graph.Node, _ algorithms: Engine.ConvolutionAlgorithms
  ) {
    guard let convolution = node.operation as? any ImageConvolution,
      (node.inputs + node.outputs).allSatisfy({ graph.type(of: $0).elementType == .float32 }),
      case .winograd(let tile) = convolution.choice(node, in: graph, algorithms)
    else { return }
    replace(number, by: convolution.tiled(tile, node), node.inputs, node.outputs)
  }

  /// The convolution of a stage that makes an image, and its number.
  ///
  /// Images of one channel or one pixel are left alone: they lie in memory as other values do.
  func convolution(
    making value: Graph.ValueID, in stage: Graph.Stage
  ) -> (number: Int, operation: FusedConvolution)? {
    let shape = graph.type(of: value).shape
    guard shape.rank == 4, shape[1] > 1, shape[2] * shape[3] > 1,
      let number = maker(of: value), self[number].stage == stage, self[number].outputs[0] == value,
      let operation = self[number].operation as? FusedConvolution
    else { return nil }
    return (number, operation)
  }

  /// Lets a node read and write more, as `change` says of the places of the first of each.
  mutating func extend(
    _ number: Int, _ operation: FusedConvolution, reads: [Graph.ValueID] = [],
    writes: [Graph.ValueID] = [],
    _ change: (inout FusedConvolution, _ read: Int, _ write: Int) -> Void
  ) {
    let node = self[number]
    var operation = operation
    change(&operation, node.inputs.count, node.outputs.count)
    replace(number, by: operation, node.inputs + reads, node.outputs + writes)
  }
}
