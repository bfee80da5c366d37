public import CrestData
public import CrestLayers
import CrestTensor

extension Loss {
  /// Checks that the targets of a batch are probabilities, or labels of yes and no, where the loss takes
  /// those: others give a number that means nothing.
  func check(_ targets: Tensor, batch: Int, of dataset: any Dataset) throws(LearnerError) {
    let range = traits.range
    guard range != .any else { return }
    let wrong: (place: Int, value: Double)?
    switch targets.elementType {
    case .float32:
      wrong = targets.withElements(as: Float.self) { values in
        values.firstIndex { !range.contains(Double($0)) }.map { ($0, Double(values[$0])) }
      }
    case .int64:
      // Labels of classes are indices, which the program checks.
      if case .classes = self.targets { return }
      wrong = targets.withElements(as: Int64.self) { labels in
        labels.firstIndex { !range.contains(Double($0)) }.map { ($0, Double(labels[$0])) }
      }
    default: return
    }
    guard let wrong else { return }
    let size = targets.shape.dropFirst().reduce(1, *)
    guard range == .fractions else {
      throw .unsuitableTarget(
        loss: name, expected: range.expected, value: wrong.value, example: wrong.place / size,
        batch: batch, name: dataset.name)
    }
    throw .targetOutOfRange(
      loss: name, value: wrong.value, example: wrong.place / size, batch: batch, name: dataset.name)
  }

  /// The default metrics of the loss, for a model and targets: accuracy for classes and binary
  /// labels, the mean absolute error for numbers, none where predictions don't stand beside targets.
  public func standardMetrics(for model: Model, target: Target) -> [any Metric] {
    switch (traits.judges, targets, target) {
    case (.none, _, _): []
    case (.accuracy, .binary, _), (.accuracy, .signs, _):
      [BinaryAccuracy(of: predictions(of: model))]
    case (.accuracy, _, _), (_, _, .classes): [Accuracy()]
    case (_, _, .values): [MeanAbsoluteError()]
    }
  }
}
