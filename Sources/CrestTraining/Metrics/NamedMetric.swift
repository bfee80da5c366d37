package import CrestLayers

/// A metric that has a name on the command line: a row for each.
package struct NamedMetric: Sendable {
  /// The name.
  package let name: String
  /// The metric for a model's predictions under a loss.
  package let make: @Sendable (Loss, Model) -> any Metric

  private init(_ name: String, _ make: @escaping @Sendable (Loss, Model) -> any Metric) {
    self.name = name
    self.make = make
  }

  /// All, in the order of help.
  package static let all = [
    NamedMetric("accuracy") { loss, model in
      loss.takesYesOrNo
        ? BinaryAccuracy(of: loss.predictions(of: model)) as any Metric : Accuracy()
    },
    NamedMetric("top-5-accuracy") { _, _ in TopKAccuracy(5) },
    NamedMetric("f1") { loss, model in
      loss.takesYesOrNo
        ? BinaryF1Score(of: loss.predictions(of: model)) as any Metric : F1Score()
    },
    NamedMetric("mae") { _, _ in MeanAbsoluteError() },
    NamedMetric("mse") { _, _ in MeanSquaredError() },
  ]
}

extension Loss {
  /// Whether targets are independent labels of yes or no.
  fileprivate var takesYesOrNo: Bool { targets == .binary }

  /// What the model predicts of yes or no.
  package func predictions(of model: Model) -> BinaryAccuracy.Predictions {
    model.predictsProbabilities(of: self, classAxis: nil) ? .probabilities : .logits
  }
}
