public import CrestData
public import CrestLayers
import CrestTensor

extension Loss {
  /// Checks that the targets of a batch are probabilities, or labels of yes and no, where the loss takes
  /// those: others give a number that means nothing.
  func check(_ targets: Tensor, batch: Int, of dataset: any Dataset) throws(LearnerError) {
    let wrong: (place: Int, value: Double)?
    switch (self.targets, targets.elementType) {
    case (.classes, .float32), (.binary, .float32):
      wrong = targets.withElements(as: Float.self) { values in
        // Written so that a comparison with NaN finds it.
        values.firstIndex { !($0 >= 0 && $0 <= 1) }.map { ($0, Double(values[$0])) }
      }
    case (.binary, .int64):
      wrong = targets.withElements(as: Int64.self) { labels in
        labels.firstIndex { $0 != 0 && $0 != 1 }.map { ($0, Double(labels[$0])) }
      }
    default: return
    }
    guard let wrong else { return }
    let size = targets.shape.dropFirst().reduce(1, *)
    throw .targetOutOfRange(
      loss: name, value: wrong.value, example: wrong.place / size, batch: batch, name: dataset.name)
  }

  /// The default metrics of the loss, for a model and targets: accuracy for classes and binary
  /// labels, the mean absolute error for numbers.
  public func standardMetrics(for model: Model, target: Target) -> [any Metric] {
    switch (targets, target) {
    case (.binary, _):
      [BinaryAccuracy(of: predictions(of: model))]
    case (.classes, _), (.any, .classes), (.values, .classes): [Accuracy()]
    case (.any, .values), (.values, .values): [MeanAbsoluteError()]
    }
  }
}
