import CrestPlatform
import CrestTensor

/// What a division leaves (ONNX `Mod`, opset 13; NumPy broadcasting).
///
/// With the sign of the divisor, of integers only (Python's `%`), or with the sign of the dividend, of
/// floats and integers (C's `fmod`). What an integer leaves when divided by 0 is 0, as NumPy has it.
package struct Mod: BoundedOperation {
  /// Whether the result has the dividend's sign (ONNX `fmod`).
  package let followsDividend: Bool

  /// The operation.
  package init(followsDividend: Bool = false) { self.followsDividend = followsDividend }

  /// The shape both broadcast to, in their common type.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 2...2)
    try OperationError.checkSameElementType(inputs)
    let type = inputs[0].elementType
    guard type.isInteger || followsDividend && type.isFloat else {
      throw OperationError(
        expected: followsDividend ? "a float or integer input" : "an integer input",
        got: "\(inputs[0])",
        advice: type.isFloat ? "use the dividend's sign (fmod 1)" : "cast it first")
    }
    return [ValueType(try OperationError.checkBroadcast(inputs), type)]
  }

  /// Each example independently, where the inputs have theirs along the same axis.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try elementwiseFlow(context)
  }

  /// What each division leaves.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    [
      inputs[0].type.elementType.isFloat
        ? inputs.elementwise(reals: { fmod($0[0], $0[1]) })
        : inputs.elementwise(integers: { remainder($0[0], $0[1]) })
    ]
  }

  private func remainder(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    // Divided by -1 nothing is left, and the quotient of the least number would overflow.
    guard divisor != 0, divisor != -1 else { return 0 }
    let rest = dividend % divisor
    let differs = rest != 0 && (rest < 0) != (divisor < 0)
    return differs && !followsDividend ? rest + divisor : rest
  }

  /// dy, and -dy times the whole quotient.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (dividend, divisor, rest) = (context.inputs[0], context.inputs[1], context.outputs[0])
    return try context.broadcastGradients({ $0 }, { try -($0 * ((dividend - rest) / divisor)) })
  }
}

extension Symbol {
  /// Returns the remainder of the division by `divisor`, with broadcasting (ONNX `Mod`).
  ///
  /// - Parameters:
  ///   - divisor: The divisor.
  ///   - followsDividend: Whether the result has this value's sign (ONNX `fmod`), which floats need.
  /// - Returns: A value of this one's element type.
  /// - Throws: ``GraphError`` when the types or shapes don't fit.
  public func remainder(_ divisor: Symbol, followsDividend: Bool = false) throws -> Symbol {
    try applying(Mod(followsDividend: followsDividend), divisor)
  }
}
