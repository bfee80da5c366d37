import CrestGraph
import CrestTensor

extension OperationCase {
  /// Convolutions of every spatial rank and attribute, with both gradients as operations.
  static let convolutions: [OperationCase] = variants.flatMap { variant, attributes, x, filter in
    let y = Conv(attributes).outputShape(x, filter)
    return [
      OperationCase(Conv(attributes), variant, [CaseInput(x), CaseInput(filter)]),
      OperationCase(
        Conv(attributes), "\(variant), with bias",
        [CaseInput(x), CaseInput(filter), CaseInput([filter[0]])]),
      OperationCase(
        ConvInputGradient(attributes, inputShape: x), variant, [CaseInput(y), CaseInput(filter)]),
      OperationCase(
        ConvFilterGradient(attributes, filterShape: filter), variant,
        [CaseInput(x), CaseInput(y)]),
    ]
  }

  private static let variants: [(String, ConvAttributes, Shape, Shape)] = [
    ("2-D", ConvAttributes(), [2, 3, 5, 4], [4, 3, 3, 3]),
    (
      "2-D, padded", ConvAttributes(padsBefore: [1, 1], padsAfter: [1, 1]), [1, 2, 4, 4],
      [3, 2, 3, 3]
    ),
    ("1 × 1", ConvAttributes(), [2, 3, 3, 3], [4, 3, 1, 1]),
    (
      "strided 1 × 1", ConvAttributes(strides: [2, 2]), [1, 2, 5, 5], [3, 2, 1, 1]
    ),
    (
      "strided, uneven pads",
      ConvAttributes(strides: [2, 1], padsBefore: [0, 1], padsAfter: [1, 2]), [1, 2, 5, 4],
      [2, 2, 3, 2]
    ),
    (
      "dilated",
      ConvAttributes(dilations: [2, 1], padsBefore: [2, 0], padsAfter: [2, 0]), [1, 2, 4, 4],
      [2, 2, 3, 2]
    ),
    ("two groups", ConvAttributes(groups: 2), [1, 4, 4, 4], [6, 2, 3, 3]),
    (
      "depthwise", ConvAttributes(padsBefore: [1, 1], padsAfter: [1, 1], groups: 3), [2, 3, 4, 4],
      [3, 1, 3, 3]
    ),
    (
      "1-D",
      ConvAttributes(strides: [2], dilations: [1], padsBefore: [1], padsAfter: [0]), [2, 3, 8],
      [4, 3, 3]
    ),
    (
      "3-D",
      ConvAttributes(
        strides: [1, 1, 2], dilations: [1, 1, 1], padsBefore: [0, 1, 0], padsAfter: [0, 1, 0]),
      [1, 2, 3, 3, 4], [2, 2, 2, 3, 2]
    ),
    (
      "3-D, padded and dilated depth, two groups",
      ConvAttributes(
        strides: [2, 1, 1], dilations: [2, 1, 2], padsBefore: [2, 0, 1], padsAfter: [1, 1, 0],
        groups: 2), [2, 4, 5, 3, 4], [4, 2, 3, 2, 2]
    ),
    (
      "3-D, 1 × 1 × 1",
      ConvAttributes(
        strides: [1, 1, 1], dilations: [1, 1, 1], padsBefore: [0, 0, 0], padsAfter: [0, 0, 0]),
      [2, 3, 2, 3, 2], [4, 3, 1, 1, 1]
    ),
    (
      "4-D",
      ConvAttributes(
        strides: [1, 1, 2, 1], dilations: [1, 1, 1, 1], padsBefore: [1, 0, 0, 1],
        padsAfter: [0, 0, 1, 1]), [1, 2, 2, 3, 2, 3], [2, 2, 2, 2, 2, 3]
    ),
    ("batch of 0", ConvAttributes(), [0, 2, 4, 4], [3, 2, 3, 3]),
    (
      "batch of 0, 3-D",
      ConvAttributes(
        strides: [1, 1, 1], dilations: [1, 1, 1], padsBefore: [0, 0, 0], padsAfter: [0, 0, 0]),
      [0, 2, 3, 3, 3], [2, 2, 2, 2, 2]
    ),
    (
      "one pixel of one channel", ConvAttributes(padsBefore: [1, 1], padsAfter: [1, 1]),
      [1, 1, 1, 1], [1, 1, 3, 3]
    ),
    (
      "stride beyond the image",
      ConvAttributes(strides: [7, 9], padsBefore: [1, 1], padsAfter: [1, 1]), [2, 2, 3, 5],
      [3, 2, 3, 3]
    ),
    (
      "odd sizes and channels", ConvAttributes(padsBefore: [1, 1], padsAfter: [1, 1]),
      [1, 17, 7, 5], [19, 17, 3, 3]
    ),
    (
      "no pixels", ConvAttributes(padsBefore: [2, 1], padsAfter: [2, 1]), [1, 2, 0, 3],
      [2, 2, 3, 3]
    ),
  ]
}

extension OperationCase {
  /// Transposed convolutions of every spatial rank and attribute.
  static let transposedConvolutions: [OperationCase] = transposed.flatMap {
    variant, operation, x, filter in
    [
      OperationCase(operation, variant, [CaseInput(x), CaseInput(filter)]),
      OperationCase(
        operation, "\(variant), with bias",
        [
          CaseInput(x), CaseInput(filter),
          CaseInput([filter[1] * operation.attributes.groups]),
        ]),
    ]
  }

  private static let transposed: [(String, ConvTranspose, Shape, Shape)] = [
    ("2-D", ConvTranspose(), [2, 3, 3, 4], [3, 2, 3, 3]),
    (
      "doubling",
      ConvTranspose(
        ConvAttributes(strides: [2, 2], padsBefore: [1, 1], padsAfter: [1, 1]),
        outputPadding: [1, 1]), [1, 2, 3, 3], [2, 2, 3, 3]
    ),
    (
      "uneven pads, zeros beyond",
      ConvTranspose(
        ConvAttributes(strides: [3, 2], padsBefore: [0, 1], padsAfter: [1, 0]),
        outputPadding: [2, 1]), [1, 1, 3, 2], [1, 2, 2, 3]
    ),
    (
      "dilated", ConvTranspose(ConvAttributes(dilations: [2, 1])), [1, 2, 3, 3], [2, 1, 2, 2]
    ),
    ("two groups", ConvTranspose(ConvAttributes(groups: 2)), [1, 4, 2, 3], [4, 3, 2, 2]),
    (
      "1-D",
      ConvTranspose(
        ConvAttributes(strides: [2], dilations: [1], padsBefore: [1], padsAfter: [0])),
      [2, 3, 4], [3, 2, 3]
    ),
    (
      "3-D",
      ConvTranspose(
        ConvAttributes(
          strides: [1, 2, 1], dilations: [1, 1, 1], padsBefore: [0, 0, 0],
          padsAfter: [0, 0, 0])), [1, 2, 2, 2, 2], [2, 1, 2, 2, 1]
    ),
    ("batch of 0", ConvTranspose(), [0, 2, 3, 3], [2, 1, 2, 2]),
  ]
}

extension Conv {
  /// The shape of what it makes of an input and a filter.
  fileprivate func outputShape(_ x: Shape, _ filter: Shape) -> Shape {
    do {
      return try outputTypes(for: [ValueType(x), ValueType(filter)])[0].shape
    } catch {
      preconditionFailure("\(x) and \(filter) can't be convolved: \(error)")
    }
  }
}
