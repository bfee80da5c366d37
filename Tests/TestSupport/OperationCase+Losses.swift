import CrestGraph
import CrestTensor

extension OperationCase {
  /// Losses of every rank, with and without label smoothing.
  static let losses: [OperationCase] =
    [
      ("rows", 0, [5, 4]), ("smoothed", 0.1, [5, 4]), ("pixels", 0, [2, 3, 2, 2]),
      ("smoothed pixels", 0.3, [2, 3, 2, 2]), ("all smoothed", 1, [2, 3]), ("one row", 0, [1, 10]),
      ("batch of 0", 0, [0, 4]),
    ].flatMap { variant, smoothing, shape in crossEntropies(variant, smoothing, Shape(shape)) }

  private static func crossEntropies(
    _ variant: String, _ smoothing: Double, _ shape: Shape
  ) -> [OperationCase] {
    let rows = Shape([shape[0]] + shape.dimensions[2...])
    let logits = CaseInput(shape, .uniform(-3...3))
    let labels = CaseInput(rows, .whole(0...Int64(shape[1] - 1), .int64))
    let targets = CaseInput(shape, .probabilities)
    return [
      OperationCase(CrossEntropyLabels(smoothing: smoothing), variant, [logits, labels]),
      OperationCase(
        CrossEntropyLabelsGradient(smoothing: smoothing), variant,
        [logits, labels, CaseInput(rows)], differentiation: .refused),
      OperationCase(CrossEntropyProbabilities(smoothing: smoothing), variant, [logits, targets]),
      OperationCase(
        CrossEntropyProbabilitiesGradient(smoothing: smoothing), variant,
        [logits, targets, CaseInput(rows)], differentiation: .refused),
    ]
  }
}
