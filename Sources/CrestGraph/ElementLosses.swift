import CrestTensor

extension Symbol {
  /// Returns (x - target)², one loss for each element (PyTorch `mse_loss`, `reduction='none'`).
  ///
  /// - Throws: ``GraphError`` when the shapes differ: broadcasting a loss is nearly always a
  ///   mistake.
  public func squaredError(_ targets: Symbol) throws -> Symbol {
    try checkTargets(targets, "squaredError")
    let difference = try self - targets
    return try difference * difference
  }

  /// Returns the cross-entropy of sigmoid(x) with targets in 0...1, one loss for each element
  /// (PyTorch `binary_cross_entropy_with_logits`, `reduction='none'`).
  ///
  ///     loss = log(1 + eˣ) - x · target
  ///
  /// - Throws: ``GraphError`` when the shapes differ: broadcasting a loss is nearly always a
  ///   mistake.
  public func binaryCrossEntropy(ofLogitsWith targets: Symbol) throws -> Symbol {
    try checkTargets(targets, "binaryCrossEntropy")
    return try softplus() - self * targets
  }

  private func checkTargets(_ targets: Symbol, _ operation: String) throws {
    guard targets.type == type else {
      throw GraphError(
        path: builder.path, operation: operation, expected: "targets \(type), like the predictions",
        got: "\(targets.type)", advice: "reshape or cast one of them")
    }
  }
}
