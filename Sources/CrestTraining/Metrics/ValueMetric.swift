public import CrestGraph

/// A metric of numbers beside targets of their shape, without settings.
public protocol ValueMetric: Metric {
  /// A metric of no examples.
  init()
}

extension ValueMetric {
  /// Targets of another type than the predictions, but for a last axis of size 1.
  public func objection(predictions: ValueType, targets: ValueType, classAxis: Int) -> String? {
    shapeObjection(predictions, targets, ofOneType: true)
  }

  /// Forgets all examples.
  public mutating func reset() { self = Self() }
}
