import CrestOptimizers
import CrestTensor

/// The share of the predictions of a class that are right: TP / (TP + FP).
///
/// Of yes and no, that of yes. A class that is never predicted has 0; classes that neither predictions nor targets have
/// don't count in the mean, as in scikit-learn's `precision_score`.
///
/// fastai's and Keras's `Precision`.
public struct Precision: ConfusionMetric {
  /// How the scores of classes are averaged.
  public let average: ConfusionMatrix.Average
  /// What predictions are.
  public let predictions: PredictionKind
  /// What was counted.
  public var counts = ConfusionMatrix()

  /// A metric of no examples.
  public init(average: ConfusionMatrix.Average = .macro, of predictions: PredictionKind = .classes)
  {
    self.average = average
    self.predictions = predictions
  }

  /// `precision`.
  public var name: String { "precision" }
  /// From 0 to 1.
  public var value: Double {
    counts.average(predictions.isBinary ? nil : average) { right, predicted, _ in
      ratio(right, predicted)
    }
  }
}

/// The share of the examples of a class that are found: TP / (TP + FN).
///
/// Of yes and no, that of yes. scikit-learn's `recall_score`, fastai's and Keras's `Recall`.
public struct Recall: ConfusionMetric {
  /// How the scores of classes are averaged.
  public let average: ConfusionMatrix.Average
  /// What predictions are.
  public let predictions: PredictionKind
  /// What was counted.
  public var counts = ConfusionMatrix()

  /// A metric of no examples.
  public init(average: ConfusionMatrix.Average = .macro, of predictions: PredictionKind = .classes)
  {
    self.average = average
    self.predictions = predictions
  }

  /// `recall`.
  public var name: String { "recall" }
  /// From 0 to 1.
  public var value: Double {
    counts.average(predictions.isBinary ? nil : average) { right, _, actual in
      ratio(right, actual)
    }
  }
}

/// The weighted harmonic mean of precision and recall: (1 + β²) TP / ((1 + β²) TP + β² FN + FP).
///
/// scikit-learn's `fbeta_score`, fastai's `FBeta`, Keras's `FBetaScore`.
public struct FBetaScore: ConfusionMetric {
  /// The weight of recall over precision.
  public let beta: Double
  /// How the scores of classes are averaged.
  public let average: ConfusionMatrix.Average
  /// What predictions are.
  public let predictions: PredictionKind
  /// What was counted.
  public var counts = ConfusionMatrix()

  /// A metric of no examples.
  ///
  /// - Precondition: `beta` is finite and above 0.
  public init(
    beta: Double, average: ConfusionMatrix.Average = .macro,
    of predictions: PredictionKind = .classes
  ) {
    programmerError(
      unless: beta.isFinite && beta > 0, "β is \(beta), expected a finite number above 0")
    self.beta = beta
    self.average = average
    self.predictions = predictions
  }

  /// `f` with β, as in `f2`.
  public var name: String { beta == 2 ? "f2" : "f\(beta.short)" }
  /// From 0 to 1.
  public var value: Double {
    counts.average(predictions.isBinary ? nil : average, fScore(beta: beta))
  }
}

/// Intersection over union: TP / (TP + FP + FN), of classes, or of the pixels of a segmentation, over all examples.
///
/// scikit-learn's `jaccard_score`, torchmetrics' `JaccardIndex`, Keras's `MeanIoU`.
public struct IoU: ConfusionMetric {
  /// How the scores of classes are averaged.
  public let average: ConfusionMatrix.Average
  /// What predictions are.
  public let predictions: PredictionKind
  /// What was counted.
  public var counts = ConfusionMatrix()

  /// A metric of no examples.
  public init(average: ConfusionMatrix.Average = .macro, of predictions: PredictionKind = .classes)
  {
    self.average = average
    self.predictions = predictions
  }

  /// `iou`.
  public var name: String { "iou" }
  /// From 0 to 1.
  public var value: Double {
    // Of the sums, each wrong prediction is in the union twice.
    counts.average(predictions.isBinary ? nil : average) { right, predicted, actual in
      ratio(right, predicted + actual - right)
    }
  }
}

/// The mean recall of the classes that targets have: accuracy, were all classes equally frequent.
///
/// scikit-learn's `balanced_accuracy_score`, torchmetrics' `MulticlassAccuracy`.
public struct BalancedAccuracy: ConfusionMetric {
  /// What predictions are.
  public let predictions: PredictionKind
  /// What was counted.
  public var counts = ConfusionMatrix()

  /// A metric of no examples.
  public init(of predictions: PredictionKind = .classes) { self.predictions = predictions }

  /// `balanced-accuracy`.
  public var name: String { "balanced-accuracy" }
  /// From 0 to 1; NaN of no examples.
  public var value: Double {
    let actual = counts.actual
    let seen = actual.indices.filter { actual[$0] > 0 }
    return seen.reduce(0) { $0 + ratio(counts[actual: $1, predicted: $1], actual[$1]) }
      / Double(seen.count)
  }
}

/// Agreement beyond chance: 1 − Σ w c / Σ w e, over the counts c and those of chance, e.
///
/// NaN when all predictions and targets are of one class. scikit-learn's `cohen_kappa_score`, fastai's `CohenKappa`.
public struct CohenKappa: ConfusionMetric {
  /// How much a wrong prediction weighs.
  public enum Weights: String, Sendable, Codable, CaseIterable {
    /// All the same.
    case none
    /// By the distance of the classes.
    case linear
    /// By its square.
    case quadratic
  }

  /// How much a wrong prediction weighs.
  public let weights: Weights
  /// What predictions are.
  public let predictions: PredictionKind
  /// What was counted.
  public var counts = ConfusionMatrix()

  /// A metric of no examples.
  public init(weights: Weights = .none, of predictions: PredictionKind = .classes) {
    self.weights = weights
    self.predictions = predictions
  }

  /// `kappa`.
  public var name: String { "kappa" }
  /// At most 1; 0 of chance.
  public var value: Double {
    let (actual, predicted, total) = (counts.actual, counts.predicted, Double(counts.total))
    var (observed, expected) = (0.0, 0.0)
    for row in actual.indices {
      for column in predicted.indices where row != column {
        let distance = Double(abs(row - column))
        let weight =
          switch weights {
          case .none: 1.0
          case .linear: distance
          case .quadratic: distance * distance
          }
        observed += weight * Double(counts[actual: row, predicted: column])
        expected += weight * Double(actual[row]) * Double(predicted[column]) / total
      }
    }
    return expected == 0 ? .nan : 1 - observed / expected
  }
}

/// The correlation of predictions and targets (Matthews 1975; Gorodkin 2004 for more than two classes).
///
///     (c n − Σ tₖ pₖ) / √((n² − Σ pₖ²)(n² − Σ tₖ²)), with c right predictions of n
///
/// 0 where that is 0 over 0. scikit-learn's `matthews_corrcoef`, fastai's `MatthewsCorrCoef`.
public struct MatthewsCorrelation: ConfusionMetric {
  /// What predictions are.
  public let predictions: PredictionKind
  /// What was counted.
  public var counts = ConfusionMatrix()

  /// A metric of no examples.
  public init(of predictions: PredictionKind = .classes) { self.predictions = predictions }

  /// `mcc`.
  public var name: String { "mcc" }
  /// From −1 to 1; NaN of no examples.
  public var value: Double {
    let total = Double(counts.total)
    guard total > 0 else { return .nan }
    let (actual, predicted) = (counts.actual.map(Double.init), counts.predicted.map(Double.init))
    func sum(_ left: [Double], _ right: [Double]) -> Double {
      zip(left, right).reduce(0) { $0 + $1.0 * $1.1 }
    }
    let product =
      (total * total - sum(predicted, predicted)) * (total * total - sum(actual, actual))
    return product == 0
      ? 0 : (Double(counts.right) * total - sum(actual, predicted)) / product.squareRoot()
  }
}
