package import CrestLayers

/// A metric that has a name on the command line: a row for each.
package struct NamedMetric: Sendable {
  /// The name.
  package let name: String
  /// Its names in torchmetrics, Keras and fastai (or else scikit-learn); nil where they have none.
  package let torchmetrics, keras, fastai: String?
  /// The metric for a model's predictions under a loss.
  package let make: @Sendable (Loss, Model) -> any Metric

  private init(
    _ name: String, torchmetrics: String? = nil, keras: String? = nil, fastai: String? = nil,
    _ make: @escaping @Sendable (Loss, Model) -> any Metric
  ) {
    self.name = name
    (self.torchmetrics, self.keras, self.fastai) = (torchmetrics, keras, fastai)
    self.make = make
  }

  /// All, in the order of help.
  package static let all = [
    NamedMetric("accuracy", torchmetrics: "Accuracy", keras: "Accuracy", fastai: "accuracy") {
      loss, model in
      loss.takesYesOrNo
        ? BinaryAccuracy(of: loss.predictions(of: model)) as any Metric : Accuracy()
    },
    NamedMetric(
      "top-5-accuracy", torchmetrics: "Accuracy(top_k=5)", keras: "TopKCategoricalAccuracy",
      fastai: "top_k_accuracy"
    ) { _, _ in TopKAccuracy(5) },
    NamedMetric("f1", torchmetrics: "F1Score", keras: "F1Score", fastai: "F1Score") { loss, model in
      loss.takesYesOrNo
        ? BinaryF1Score(of: loss.predictions(of: model)) as any Metric : F1Score()
    },
    NamedMetric("precision", torchmetrics: "Precision", keras: "Precision", fastai: "Precision") {
      Precision(of: $0.predictionKind(of: $1))
    },
    NamedMetric("recall", torchmetrics: "Recall", keras: "Recall", fastai: "Recall") {
      Recall(of: $0.predictionKind(of: $1))
    },
    NamedMetric("f2", torchmetrics: "FBetaScore(beta=2)", keras: "FBetaScore", fastai: "FBeta") {
      FBetaScore(beta: 2, of: $0.predictionKind(of: $1))
    },
    NamedMetric("iou", torchmetrics: "JaccardIndex", keras: "MeanIoU", fastai: "Jaccard") {
      IoU(of: $0.predictionKind(of: $1))
    },
    NamedMetric(
      "balanced-accuracy", torchmetrics: "Recall(average='macro')", fastai: "BalancedAccuracy"
    ) { BalancedAccuracy(of: $0.predictionKind(of: $1)) },
    NamedMetric("kappa", torchmetrics: "CohenKappa", fastai: "CohenKappa") {
      CohenKappa(of: $0.predictionKind(of: $1))
    },
    NamedMetric("mcc", torchmetrics: "MatthewsCorrCoef", fastai: "MatthewsCorrCoef") {
      MatthewsCorrelation(of: $0.predictionKind(of: $1))
    },
    NamedMetric("auroc", torchmetrics: "AUROC", keras: "AUC", fastai: "RocAuc") {
      AUROC(of: $0.predictionKind(of: $1))
    },
    NamedMetric(
      "average-precision", torchmetrics: "AveragePrecision", keras: "AUC(curve='PR')",
      fastai: "APScoreBinary"
    ) { AveragePrecision(of: $0.predictionKind(of: $1)) },
    NamedMetric("log-loss", keras: "CategoricalCrossentropy", fastai: "sklearn: log_loss") {
      LogLoss(of: $0.predictionKind(of: $1))
    },
    NamedMetric("perplexity", torchmetrics: "Perplexity", fastai: "Perplexity") {
      Perplexity(of: $0.predictionKind(of: $1))
    },
    NamedMetric("brier", fastai: "BrierScore") { BrierScore(of: $0.predictionKind(of: $1)) },
    NamedMetric("ece", torchmetrics: "CalibrationError") {
      ExpectedCalibrationError(of: $0.predictionKind(of: $1))
    },
    NamedMetric("mae", torchmetrics: "MeanAbsoluteError", keras: "MeanAbsoluteError", fastai: "mae")
    { _, _ in MeanAbsoluteError() },
    NamedMetric("mse", torchmetrics: "MeanSquaredError", keras: "MeanSquaredError", fastai: "mse") {
      _, _ in MeanSquaredError()
    },
    NamedMetric(
      "rmse", torchmetrics: "MeanSquaredError(squared=False)", keras: "RootMeanSquaredError",
      fastai: "rmse"
    ) { _, _ in RootMeanSquaredError() },
    NamedMetric("r2", torchmetrics: "R2Score", keras: "R2Score", fastai: "R2Score") { _, _ in
      R2Score()
    },
    NamedMetric(
      "explained-variance", torchmetrics: "ExplainedVariance", fastai: "ExplainedVariance"
    ) { _, _ in ExplainedVariance() },
    NamedMetric(
      "mape", torchmetrics: "MeanAbsolutePercentageError", keras: "MeanAbsolutePercentageError"
    ) { _, _ in MeanAbsolutePercentageError() },
    NamedMetric("smape", torchmetrics: "SymmetricMeanAbsolutePercentageError") { _, _ in
      SymmetricMeanAbsolutePercentageError()
    },
    NamedMetric(
      "pearson", torchmetrics: "PearsonCorrCoef", keras: "PearsonCorrelation",
      fastai: "PearsonCorrCoef"
    ) { _, _ in PearsonCorrelation() },
    NamedMetric("spearman", torchmetrics: "SpearmanCorrCoef", fastai: "SpearmanCorrCoef") { _, _ in
      SpearmanCorrelation()
    },
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
