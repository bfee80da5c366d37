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
    NamedMetric("precision") { Precision(of: $0.predictionKind(of: $1)) },
    NamedMetric("recall") { Recall(of: $0.predictionKind(of: $1)) },
    NamedMetric("f2") { FBetaScore(beta: 2, of: $0.predictionKind(of: $1)) },
    NamedMetric("iou") { IoU(of: $0.predictionKind(of: $1)) },
    NamedMetric("balanced-accuracy") { BalancedAccuracy(of: $0.predictionKind(of: $1)) },
    NamedMetric("kappa") { CohenKappa(of: $0.predictionKind(of: $1)) },
    NamedMetric("mcc") { MatthewsCorrelation(of: $0.predictionKind(of: $1)) },
    NamedMetric("auroc") { AUROC(of: $0.predictionKind(of: $1)) },
    NamedMetric("average-precision") { AveragePrecision(of: $0.predictionKind(of: $1)) },
    NamedMetric("log-loss") { LogLoss(of: $0.predictionKind(of: $1)) },
    NamedMetric("perplexity") { Perplexity(of: $0.predictionKind(of: $1)) },
    NamedMetric("brier") { BrierScore(of: $0.predictionKind(of: $1)) },
    NamedMetric("ece") { ExpectedCalibrationError(of: $0.predictionKind(of: $1)) },
    NamedMetric("mae") { _, _ in MeanAbsoluteError() },
    NamedMetric("mse") { _, _ in MeanSquaredError() },
    NamedMetric("rmse") { _, _ in RootMeanSquaredError() },
    NamedMetric("r2") { _, _ in R2Score() },
    NamedMetric("explained-variance") { _, _ in ExplainedVariance() },
    NamedMetric("mape") { _, _ in MeanAbsolutePercentageError() },
    NamedMetric("smape") { _, _ in SymmetricMeanAbsolutePercentageError() },
    NamedMetric("pearson") { _, _ in PearsonCorrelation() },
    NamedMetric("spearman") { _, _ in SpearmanCorrelation() },
  ]
}

extension Loss {
  /// Whether targets are independent labels of yes or no.
  fileprivate var takesYesOrNo: Bool { targets == .binary || targets == .signs }

  /// What the model predicts of classes or of yes or no.
  package func predictionKind(of model: Model) -> PredictionKind {
    let hasProbabilities = model.predictsProbabilities(of: self, classAxis: nil)
    return takesYesOrNo
      ? hasProbabilities ? .probabilities : .logits
      : hasProbabilities ? .classProbabilities : .classes
  }

  /// What the model predicts of yes or no.
  package func predictions(of model: Model) -> BinaryAccuracy.Predictions {
    model.predictsProbabilities(of: self, classAxis: nil) ? .probabilities : .logits
  }
}
