import CrestGraph
public import CrestRuntime
public import CrestTensor

/// What training makes small: a number for each element or example, whose mean is the loss.
public struct Loss: Sendable {
  /// The name, as the command takes it.
  public let name: String
  /// Traces the losses before their mean.
  public let trace: LossTrace

  /// A loss of one's own.
  ///
  /// - Parameters:
  ///   - name: What logs and errors call it.
  ///   - trace: Traces the losses, of any shape, from predictions and targets; the mean over all of
  ///     them is minimised.
  public init(_ name: String, trace: @escaping LossTrace) {
    self.name = name
    self.trace = trace
  }

  /// Cross-entropy of logits (PyTorch `CrossEntropyLoss`, fastai `CrossEntropyLossFlat`).
  ///
  ///     loss = -Σ target · log softmax(prediction), over the classes
  ///
  /// Predictions are logits [N, C]; targets are labels [N] of an integer type, or probabilities
  /// [N, C].
  ///
  /// - Parameter labelSmoothing: s in (1 - s) · target + s / C (Szegedy et al. 2015).
  /// - Returns: The loss.
  /// - Precondition: `labelSmoothing` lies in 0 … 1.
  public static func crossEntropy(labelSmoothing: Double = 0) -> Loss {
    precondition(
      (0...1).contains(labelSmoothing), "label smoothing is \(labelSmoothing), not in 0 … 1")
    return Loss("cross-entropy") { prediction, target in
      try target.elementType.isInteger
        ? prediction.crossEntropy(labels: target, smoothing: labelSmoothing)
        : prediction.crossEntropy(probabilities: target, smoothing: labelSmoothing)
    }
  }

  /// The squared distance, (prediction - target)² (PyTorch `MSELoss`, Keras `mse`).
  ///
  /// Predictions and targets have one shape.
  public static let meanSquaredError = Loss("mse") { prediction, target in
    try prediction.squaredError(target)
  }

  /// The distance, |prediction - target| (PyTorch `L1Loss`, Keras `mae`).
  ///
  /// Predictions and targets have one shape.
  public static let meanAbsoluteError = Loss("mae") { prediction, target in
    guard prediction.type == target.type else {
      throw GraphError(
        path: prediction.builder.path, operation: "mae",
        expected: "targets of the predictions' type \(prediction.type)", got: "\(target.type)")
    }
    return try (prediction - target).absolute()
  }

  /// Cross-entropy of independent logits (PyTorch `BCEWithLogitsLoss`).
  ///
  ///     loss = log(1 + eˣ) - x · target
  ///
  /// Predictions are logits x; targets are probabilities of the same shape.
  public static let binaryCrossEntropy = Loss("bce") { prediction, target in
    try prediction.binaryCrossEntropy(ofLogitsWith: target)
  }

  /// The losses the command knows by name.
  public static let all = [
    crossEntropy(), meanSquaredError, meanAbsoluteError, binaryCrossEntropy,
  ]

  /// The loss of a name: `cross-entropy`, `mse`, `mae` or `bce`.
  ///
  /// - Throws: ``LossError/unknownName(_:)`` listing the known ones.
  public static func named(_ name: String) throws(LossError) -> Loss {
    guard let loss = all.first(where: { $0.name == name }) else {
      throw .unknownName(name)
    }
    return loss
  }

  /// The loss for targets of a type: cross-entropy for integers, else mean squared error.
  public static func standard(for targets: ElementType) -> Loss {
    targets.isInteger ? crossEntropy() : meanSquaredError
  }
}

/// A loss that can't be had.
public enum LossError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A name that no loss has.
  case unknownName(String)

  /// What was expected and got.
  public var description: String {
    switch self {
    case .unknownName(let name):
      "loss: expected one of \(Loss.all.map(\.name).joined(separator: ", ")), got \"\(name)\""
    }
  }
}
