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
    + [
      ("ignored", 0, false, [5, 4]), ("weights, smoothed", 0.2, false, [5, 4]),
      ("weights of pixels", 0.3, false, [2, 3, 2, 2]), ("logarithms", 0, true, [5, 4]),
      ("logarithms of pixels, smoothed", 0.1, true, [2, 3, 2, 2]),
    ].flatMap { variant, smoothing, isOfLogarithms, shape in
      weightedCrossEntropies(variant, smoothing, isOfLogarithms, Shape(shape))
    } + sequences

  /// With an ignored label of -1 and, unless that is all, weights of classes.
  private static func weightedCrossEntropies(
    _ variant: String, _ smoothing: Double, _ isOfLogarithms: Bool, _ shape: Shape
  ) -> [OperationCase] {
    let rows = Shape([shape[0]] + shape.dimensions[2...])
    var form = CrossEntropyLabels.Form(smoothing: smoothing, ignoredLabel: -1)
    form.isOfLogarithms = isOfLogarithms
    let inputs = [
      CaseInput(shape, .uniform(-3...3)),
      CaseInput(rows, .whole(-1...Int64(shape[1] - 1), .int64)),
    ]
    let weights =
      variant == "ignored" ? [] : [CaseInput([shape[1]], .uniform(0.5...2))]
    return [
      OperationCase(CrossEntropyLabels(form), variant, inputs + weights),
      OperationCase(
        CrossEntropyLabelsGradient(form), variant, inputs + [CaseInput(rows)] + weights,
        differentiation: .refused),
      OperationCase(
        OneHotLabels(classCount: shape[1], ignoredLabel: -1), variant, [inputs[1]]),
    ]
  }

  /// Some labels are padding, so that the sequences have different lengths.
  private static var sequences: [OperationCase] {
    let logits = CaseInput([6, 7, 4], .uniform(-3...3))
    return [("plain", 0, 0), ("another blank", 3, -1)].flatMap { variant, blank, padding in
      let form = CTCLoss.Form(blank: blank, padding: padding)
      let labels = CaseInput([6, 3], .whole(Int64(padding)...3, .int64))
      return [
        OperationCase(CTCLoss(form), variant, [logits, labels]),
        OperationCase(
          CTCLossGradient(form), variant, [logits, labels, CaseInput([6])],
          differentiation: .refused),
      ]
    }
  }

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
