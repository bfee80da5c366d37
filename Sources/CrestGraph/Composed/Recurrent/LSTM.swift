import CrestTensor

extension Symbol {
  /// What a long short-term memory gives; D is the number of directions.
  public struct LSTMResult {
    /// The output of every step: [T, D, B, H], or [B, T, D, H] batch first.
    public let steps: Symbol
    /// The last output: [D, B, H], or [B, D, H] batch first.
    public let hidden: Symbol
    /// The last cell state, of the same shape.
    public let cell: Symbol
  }
}

extension Symbol {
  /// Returns a long short-term memory over this sequence, [T, B, I] or batch first [B, T, I] (ONNX
  /// `LSTM`, opset 14).
  ///
  /// Hochreiter, Schmidhuber: *Long Short-Term Memory*, 1997.
  ///
  ///     i = f(x · Wiᵀ + h · Riᵀ + Pi ∘ c + Wbi + Rbi)
  ///     f = f(x · Wfᵀ + h · Rfᵀ + Pf ∘ c + Wbf + Rbf)
  ///     c' = f ∘ c + i ∘ g(x · Wcᵀ + h · Rcᵀ + Wbc + Rbc)
  ///     o = f(x · Woᵀ + h · Roᵀ + Po ∘ c' + Wbo + Rbo)
  ///     h' = o ∘ h(c')
  ///
  /// Gates lie in ONNX's order i, o, f, c along the weights (PyTorch's is i, f, g, o). The layer is
  /// unrolled: its graph grows with the number of steps.
  ///
  /// - Parameters:
  ///   - inputs: The weights, lengths and initial output; G is 4.
  ///   - initialCell: The cell state before the first step, of the initial output's shape; zeros when
  ///     nil.
  ///   - peepholes: [D, 3 · H], the weights P in the order i, o, f; none when nil.
  ///   - attributes: Direction, clip and layout.
  ///   - activations: f, g and h for each direction; sigmoid, tanh and tanh when nil.
  ///   - couplesForget: Whether the forget gate is 1 - i (ONNX `input_forget`).
  /// - Returns: The output of every step, and the last output and cell state.
  /// - Throws: ``GraphError`` when the shapes don't fit.
  public func lstm(
    _ inputs: RecurrentInputs, initialCell: Symbol? = nil, peepholes: Symbol? = nil,
    _ attributes: RecurrentAttributes = RecurrentAttributes(),
    activations: [RecurrentActivation]? = nil, couplesForget: Bool = false
  ) throws -> LSTMResult {
    let operation = "LSTM"
    let layer = try Recurrence(self, inputs, attributes, gates: 4, operation)
    let functions = try layer.activations(activations, usual: [.sigmoid, .tanh, .tanh])
    let (count, size) = (attributes.direction.count, layer.hiddenSize)
    let batch = shape[attributes.isBatchFirst ? 0 : 1]
    let state: Shape = attributes.isBatchFirst ? [batch, count, size] : [count, batch, size]
    for (what, value, expected) in [
      ("an initial cell state", initialCell, state), ("peepholes", peepholes, [count, 3 * size]),
    ] {
      guard let value, value.type != ValueType(expected, elementType) else { continue }
      throw GraphError(
        path: builder.path, operation: operation,
        expected: "\(what) \(ValueType(expected, elementType))", got: "\(value.type)")
    }
    let peeks = try peepholes.map { peepholes in
      try layer.byDirection(peepholes).map { try $0.split(count: 3) }
    }
    let clip = attributes.clip
    let initial = zip(
      try layer.statesByDirection(inputs.initialState), try layer.statesByDirection(initialCell)
    ).map { [$0, $1] }
    let (steps, last) = try layer.run(initial: initial, addsStateBias: true) {
      direction, weights, contribution, before in
      let (gate, candidate, squash) = (
        functions[direction][0], functions[direction][1], functions[direction][2]
      )
      let hidden = try before[0].map { try contribution + $0.matMul(weights.recurrent) }
      let parts = try (hidden ?? contribution).split(count: 4, axis: 1)
      func peeking(_ part: Int, at cell: Symbol?, by number: Int) throws -> Symbol {
        guard let peek = peeks?[direction][number], let cell else { return parts[part] }
        return try parts[part] + cell * peek
      }
      let input = try gate(peeking(0, at: before[1], by: 0), clip: clip)
      var cell = try input * candidate(parts[3], clip: clip)
      if let old = before[1] {
        let forget =
          try couplesForget
          ? 1 - input : gate(peeking(2, at: old, by: 2), clip: clip)
        cell = try forget * old + cell
      }
      let output = try gate(peeking(1, at: cell, by: 1), clip: clip)
      // What ONNX leaves open: ONNX Runtime clips the gates, not the cell state on its way out.
      return [try output * squash(cell, clip: nil), cell]
    }
    return LSTMResult(steps: steps, hidden: last[0], cell: last[1])
  }
}
