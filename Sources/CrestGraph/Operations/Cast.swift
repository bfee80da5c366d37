public import CrestTensor

/// The elements as another type (ONNX `Cast`, opset 13).
///
/// Float to integer truncates toward zero and saturates, NaN becoming 0 (ONNX leaves both open);
/// integer to integer wraps; anything but 0 is true.
package struct Cast: BoundedOperation {
  /// The element type of the output.
  package let elementType: ElementType

  /// A conversion to `elementType`.
  package init(to elementType: ElementType) { self.elementType = elementType }

  /// The input's shape in the new type.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: 1...1)
    return [ValueType(inputs[0].shape, elementType)]
  }

  package var outputNumbers: OutputNumbers { .kept }

  /// The input, when it has the type already.
  package func simplified(_ inputs: [Symbol]) throws -> [Symbol]? {
    inputs[0].elementType == elementType ? inputs : nil
  }

  /// Each example independently.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try elementwiseFlow(context)
  }

  /// Each element converted; floats are not rounded.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let type = ValueType(inputs[0].shape, elementType)
    return switch inputs[0].elements {
    case .reals(let reals) where elementType.isFloat: [ReferenceArray(reals, type)]
    case .reals(let reals): [ReferenceArray(integers: reals.map(truncated), type)]
    case .integers(let integers) where elementType.isFloat:
      [ReferenceArray(integers.map(Double.init), type)]
    case .integers(let integers):
      [ReferenceArray(Tensor(wrapping: integers, to: elementType, shape: type.shape))]
    }
  }

  private func truncated(_ real: Double) -> Int64 {
    let range: ClosedRange<Int64> =
      switch elementType {
      case .int8: -0x80...0x7F
      case .int16: -0x8000...0x7FFF
      case .int32: -0x8000_0000...0x7FFF_FFFF
      case .uint8: 0...0xFF
      case .bool, .int64, .float32, .float64, .bfloat16, .float16: .min ... .max
      }
    if elementType == .bool { return real == 0 ? 0 : 1 }
    if real.isNaN { return 0 }
    // 2⁶³ - 1 is no Double: at or above 2⁶³ the conversion itself would trap.
    if real >= 0x1p63 { return range.upperBound }
    if real < -0x1p63 { return range.lowerBound }
    return min(max(Int64(real), range.lowerBound), range.upperBound)
  }

  /// dy cast back; zero unless both types are floats.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let type = context.inputs[0].elementType
    guard type.isFloat, elementType.isFloat else { return [nil] }
    return [try context.outputGradient.cast(to: type)]
  }
}

extension Symbol {
  /// Returns the elements as another type (ONNX `Cast`).
  public func cast(to elementType: ElementType) throws -> Symbol {
    elementType == self.elementType ? self : try applying(Cast(to: elementType))
  }
}
