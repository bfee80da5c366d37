import CrestTensor

extension GraphTemplate {
  /// Follows the examples through the graph for inputs of concrete types, in inference.
  ///
  /// - Parameters:
  ///   - inputTypes: The types of the inputs, in the order of ``sample``.
  ///   - axes: The axis of the examples in each input; nil for one that all examples share.
  ///   - count: The number of examples, at least 2.
  /// - Returns: What the outputs depend on.
  /// - Throws: As ``graph(for:)``.
  package func rowAnalysis(
    _ inputTypes: [ValueType], axes: [Int?], count: Int
  ) throws -> RowAnalysis {
    let builder = GraphBuilder()
    try builder.replay(try graph(for: inputTypes), inputTypes: inputTypes, mode: .inference)
    return RowAnalysis(builder.result, axes: axes, count: count)
  }

  /// Why a batch's examples, along axis 0 of each input, aren't proved to be computed
  /// independently; nil when they are, and lie along axis 0 of the first output too.
  ///
  /// Batch normalisation counts as in inference: that training normalises by the batch is what it is for.
  ///
  /// - Parameter examples: The type of one example of each input.
  /// - Returns: The reason, with the node.
  /// - Throws: As ``graph(for:)``.
  package func rowMixing(of examples: [ValueType]) throws -> Graph.RowMixing? {
    func analysis(_ count: Int) throws -> RowAnalysis {
      try rowAnalysis(
        examples.map { ValueType(Shape([count] + $0.shape.dimensions), $0.elementType) },
        axes: examples.map { _ in 0 }, count: count)
    }
    // A batch of one is one example.
    if fixedBatchSize == 1 { return nil }
    let size = fixedBatchSize ?? 2
    let few = try analysis(size)
    switch few.outputs[0] {
    case .mixed(let mixing): return mixing
    case .along(axis: 0, inner: 1) where few.shape(ofOutput: 0).first == size: break
    case .along: return .unknown("returns the examples in another order")
    case .shared: return .combined("has an output that depends on no example")
    }
    guard fixedBatchSize == nil else { return nil }
    return try analysis(3).form(ofOutput: 0) == few.form(ofOutput: 0)
      ? nil : .unknown("computes with the number of examples")
  }
}
