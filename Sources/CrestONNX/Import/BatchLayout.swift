import CrestGraph

/// Where a file has the examples of a batch.
struct BatchLayout: Sendable {
  /// The axis of each input.
  let inputAxes: [Int]
  /// The axis of the first output.
  var outputAxis = 0
}

extension Symbol {
  /// The value with one axis at another place, and the others in their order.
  func movingAxis(_ axis: Int, to place: Int) throws -> Symbol {
    guard axis != place else { return self }
    var order = Array(shape.indices)
    order.remove(at: axis)
    order.insert(axis, at: place)
    return try transposed(order)
  }

  /// A model's output with the axis of the examples first.
  ///
  /// An activation at the end stays there, for losses that take what goes into it.
  func withExamplesFirst(from axis: Int) throws -> Symbol {
    guard axis != 0 else { return self }
    let graph = builder.result
    guard case .node(let number, output: 0) = graph.values[id.index].origin else {
      return try movingAxis(axis, to: 0)
    }
    let node = graph.nodes[number]
    func moved() throws -> Symbol { try builder.symbol(node.inputs[0]).movingAxis(axis, to: 0) }
    /// Where an axis is when that of the examples is first.
    func place(_ other: Int) -> Int { other == axis ? 0 : other < axis ? other + 1 : other }
    if node.function == .sigmoid { return try moved().sigmoid() }
    guard let softmax = node.operation as? Softmax else { return try movingAxis(axis, to: 0) }
    let operation = Softmax(softmax.kind, axis: place(softmax.axis))
    return try builder.apply(operation, [moved()])[0]
  }
}
