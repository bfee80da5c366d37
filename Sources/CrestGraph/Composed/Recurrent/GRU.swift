import CrestTensor

extension Symbol {
  /// Returns a gated recurrent unit over this sequence, [T, B, I] or batch first [B, T, I] (ONNX
  /// `GRU`, opset 14).
  ///
  /// Cho and others: *Learning Phrase Representations using RNN Encoder–Decoder*, 2014.
  ///
  ///     z = f(x · Wzᵀ + h · Rzᵀ + Wbz + Rbz)
  ///     r = f(x · Wrᵀ + h · Rrᵀ + Wbr + Rbr)
  ///     n = g(x · Whᵀ + (r ∘ h) · Rhᵀ + Wbh + Rbh)       or, with the linear part before the reset,
  ///     n = g(x · Whᵀ + r ∘ (h · Rhᵀ + Rbh) + Wbh)
  ///     h' = (1 - z) ∘ n + z ∘ h
  ///
  /// Gates lie in ONNX's order z, r, h along the weights (PyTorch's is r, z, n, with the linear part
  /// before the reset). The layer is unrolled: its graph grows with the number of steps.
  ///
  /// - Parameters:
  ///   - inputs: The weights, lengths and initial state; G is 3.
  ///   - attributes: Direction, clip and layout.
  ///   - activations: f and g for each direction; sigmoid and tanh when nil.
  ///   - isLinearBeforeReset: Whether the state is multiplied by its weight before it is reset (ONNX
  ///     `linear_before_reset`).
  /// - Returns: The state after every step, [T, D, B, H] or [B, T, D, H], and the last one, [D, B, H]
  ///   or [B, D, H].
  /// - Throws: ``GraphError`` when the shapes don't fit.
  public func gru(
    _ inputs: RecurrentInputs, _ attributes: RecurrentAttributes = RecurrentAttributes(),
    activations: [RecurrentActivation]? = nil, isLinearBeforeReset: Bool = false
  ) throws -> (steps: Symbol, hidden: Symbol) {
    let layer = try Recurrence(self, inputs, attributes, gates: 3, "GRU")
    let functions = try layer.activations(activations, usual: [.sigmoid, .tanh])
    let (clip, size) = (attributes.clip, layer.hiddenSize)
    let initial = try layer.statesByDirection(inputs.initialState).map { [$0] }
    let (steps, last) = try layer.run(initial: initial, addsStateBias: false) {
      direction, weights, contribution, before in
      let (gate, candidate) = (functions[direction][0], functions[direction][1])
      let given = try contribution.split(sizes: [2 * size, size], axis: 1)
      let matrices = try weights.recurrent.split(sizes: [2 * size, size], axis: 1)
      let biases = try weights.biases?.state.split(sizes: [2 * size, size])
      func biased(_ value: Symbol, _ part: Int) throws -> Symbol {
        try biases.map { try value + $0[part] } ?? value
      }
      let fromState = try before[0].map { try given[0] + $0.matMul(matrices[0]) } ?? given[0]
      let gates = try biased(fromState, 0).split(count: 2, axis: 1)
      let update = try gate(gates[0], clip: clip)
      let reset = try gate(gates[1], clip: clip)
      let candidateInput: Symbol
      if isLinearBeforeReset {
        let linear = try before[0].map { try biased($0.matMul(matrices[1]), 1) } ?? biases?[1]
        candidateInput = try linear.map { try given[1] + reset * $0 } ?? given[1]
      } else {
        let linear = try before[0].map { try given[1] + (reset * $0).matMul(matrices[1]) }
        candidateInput = try biased(linear ?? given[1], 1)
      }
      let new = try (1 - update) * candidate(candidateInput, clip: clip)
      return [try before[0].map { try new + update * $0 } ?? new]
    }
    return (steps, last[0])
  }
}
