import CrestTensor

extension Symbol {
  /// Returns a plain recurrent layer over this sequence, [T, B, I] or batch first [B, T, I] (ONNX
  /// `RNN`, opset 14).
  ///
  ///     h' = f(x · Wᵀ + h · Rᵀ + Wb + Rb)
  ///
  /// Elman: *Finding Structure in Time*, 1990. The layer is unrolled: its graph grows with the number
  /// of steps.
  ///
  /// - Parameters:
  ///   - inputs: The weights, lengths and initial state; G is 1.
  ///   - attributes: Direction, clip and layout.
  ///   - activations: f for each direction; tanh when nil.
  /// - Returns: The state after every step, [T, D, B, H] or [B, T, D, H], and the last one, [D, B, H]
  ///   or [B, D, H].
  /// - Throws: ``GraphError`` when the shapes don't fit.
  public func rnn(
    _ inputs: RecurrentInputs, _ attributes: RecurrentAttributes = RecurrentAttributes(),
    activations: [RecurrentActivation]? = nil
  ) throws -> (steps: Symbol, hidden: Symbol) {
    let layer = try Recurrence(self, inputs, attributes, gates: 1, "RNN")
    let functions = try layer.activations(activations, usual: [.tanh])
    let initial = try layer.statesByDirection(inputs.initialState).map { [$0] }
    let (steps, last) = try layer.run(initial: initial, addsStateBias: true) {
      direction, weights, contribution, before in
      let linear = try before[0].map { try contribution + $0.matMul(weights.recurrent) }
      return [try functions[direction][0](linear ?? contribution, clip: attributes.clip)]
    }
    return (steps, last[0])
  }
}
