public import CrestGraph

/// A metric of predictions of classes, or of labels of yes or no.
public protocol LabelMetric: Metric {
  /// What predictions are.
  var predictions: PredictionKind { get }
}

extension LabelMetric {
  /// Targets that aren't of the predictions' classes.
  public func objection(predictions: ValueType, targets: ValueType, classAxis: Int) -> String? {
    self.predictions.objection(predictions, targets, classAxis)
  }
}
