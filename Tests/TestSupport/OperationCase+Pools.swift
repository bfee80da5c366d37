import CrestGraph
import CrestTensor

extension OperationCase {
  /// Pools of every spatial rank and attribute, with their gradients as operations.
  static let pools: [OperationCase] =
    variants.flatMap { variant, attributes, x in
      let y = MaxPool(attributes).outputShape(x)
      return [
        OperationCase(MaxPool(attributes), variant, [CaseInput(x, .spaced(offset: 0))]),
        OperationCase(
          MaxPoolGradient(attributes), variant,
          [CaseInput(x, .spaced(offset: 0)), CaseInput(y)], differentiation: .refused),
        OperationCase(MaxPoolIndices(attributes), variant, [CaseInput(x, .spaced(offset: 0))]),
        OperationCase(
          MaxPoolIndices(attributes, isColumnMajor: true), "\(variant), column-major",
          [CaseInput(x, .spaced(offset: 0))]),
        OperationCase(AveragePool(attributes), variant, [CaseInput(x)]),
        OperationCase(
          AveragePoolGradient(attributes, inputShape: x), variant, [CaseInput(y)]),
      ]
    }
    + [
      ("images", [2, 3, 4, 5]), ("1 × 1", [2, 3, 1, 1]), ("1-D", [2, 3, 7]),
      ("3-D", [1, 2, 2, 3, 2]), ("batch of 0", [0, 3, 2, 2]),
    ].map { variant, shape in
      OperationCase(GlobalAveragePool(), variant, [CaseInput(Shape(shape))])
    }

  private static let variants: [(String, PoolAttributes, Shape)] = [
    ("side by side", PoolAttributes(kernel: [2, 2]), [2, 3, 4, 6]),
    (
      "overlapping, padded",
      PoolAttributes(kernel: [3, 3], strides: [2, 2], padsBefore: [1, 1], padsAfter: [1, 1]),
      [1, 2, 5, 6]
    ),
    (
      "padding counted",
      PoolAttributes(
        kernel: [3, 2], strides: [1, 2], padsBefore: [1, 0], padsAfter: [2, 1],
        countsPadding: true), [1, 2, 4, 5]
    ),
    (
      "ceil mode",
      PoolAttributes(kernel: [3, 3], strides: [2, 2], ceilMode: true), [1, 2, 6, 8]
    ),
    (
      "ceil mode, padding counted",
      PoolAttributes(
        kernel: [3, 3], strides: [2, 2], padsBefore: [1, 0], padsAfter: [1, 0], ceilMode: true,
        countsPadding: true), [1, 2, 5, 6]
    ),
    (
      "dilated", PoolAttributes(kernel: [2, 2], strides: [1, 2], dilations: [2, 1]), [1, 2, 5, 4]
    ),
    ("1-D", PoolAttributes(kernel: [3], strides: [2]), [2, 2, 8]),
    ("3-D", PoolAttributes(kernel: [2, 1, 2]), [1, 2, 4, 2, 4]),
    (
      "3-D, overlapping, padded, ceil mode",
      PoolAttributes(
        kernel: [3, 2, 3], strides: [2, 1, 2], padsBefore: [1, 0, 1], padsAfter: [1, 1, 1],
        ceilMode: true), [1, 2, 4, 3, 4]
    ),
    (
      "3-D, padding counted, dilated",
      PoolAttributes(
        kernel: [2, 2, 2], strides: [1, 2, 1], dilations: [2, 1, 1], padsBefore: [1, 1, 0],
        padsAfter: [0, 1, 1], countsPadding: true), [2, 1, 4, 3, 3]
    ),
    ("4-D", PoolAttributes(kernel: [2, 1, 2, 2], strides: [1, 1, 2, 1]), [1, 2, 3, 2, 4, 3]),
    ("batch of 0", PoolAttributes(kernel: [2, 2]), [0, 2, 4, 4]),
    ("one pixel of one channel", PoolAttributes(kernel: [1, 1]), [1, 1, 1, 1]),
    (
      "stride beyond the image", PoolAttributes(kernel: [2, 2], strides: [9, 9]), [1, 2, 3, 5]
    ),
    ("no channels", PoolAttributes(kernel: [2, 2]), [1, 0, 4, 4]),
  ]
}

extension MaxPool {
  /// The shape of what it makes of an input.
  fileprivate func outputShape(_ x: Shape) -> Shape {
    do {
      return try outputTypes(for: [ValueType(x)])[0].shape
    } catch {
      preconditionFailure("\(x) can't be pooled: \(error)")
    }
  }
}
