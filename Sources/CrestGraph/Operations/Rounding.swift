import CrestTensor

/// Every element rounded to a whole number (ONNX `Floor`, `Ceil`, opset 13, and `Round`, opset 11).
public struct Rounding: Operation {
  /// `Rounding`.
  public static let name = "Rounding"

  /// Which whole number; raw values are ONNX's operators.
  public enum Mode: String, Sendable, Hashable, CaseIterable {
    /// The largest that isn't above.
    case down = "Floor"
    /// The smallest that isn't below.
    case up = "Ceil"
    /// The nearest, the even one of two.
    case nearest = "Round"
  }

  /// Which whole number.
  public let mode: Mode

  /// The operation of a mode.
  public init(_ mode: Mode) { self.mode = mode }

  /// The input's type.
  public func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    try OperationError.checkFloat(inputs[0])
    return inputs
  }

  /// Each example by itself.
  public func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    try elementwiseFlow(context)
  }

  /// Every element rounded; NaN and infinities stay.
  public func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let rule: FloatingPointRoundingRule =
      switch mode {
      case .down: .down
      case .up: .up
      case .nearest: .toNearestOrEven
      }
    return [ReferenceArray(inputs[0].reals.map { $0.rounded(rule) }, inputs[0].type)]
  }

  /// None: the steps are flat.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] { [nil] }
}

extension Symbol {
  /// Returns every element rounded to a whole number (ONNX `Floor`, `Ceil`, `Round`).
  ///
  /// - Throws: ``GraphError`` when the elements aren't floats.
  public func rounded(_ mode: Rounding.Mode) throws -> Symbol { try applying(Rounding(mode)) }
}
