import CrestGraph
import CrestRuntime
import CrestTensor

extension NamedLoss {
  static let binaries = [
    NamedLoss(
      "bce", [.init("pos-weight", .numbers(.positive)), .labelSmoothing],
      pyTorch: "BCEWithLogitsLoss", keras: "BinaryCrossentropy(from_logits=True)",
      fastai: "BCEWithLogitsLossFlat"
    ) {
      .binaryCrossEntropy(
        posWeights: $0.numbers("pos-weight")?.map { Float($0) } ?? [],
        labelSmoothing: $0.number("label-smoothing") ?? 0)
    },
    NamedLoss(
      "binary-focal",
      [.init("gamma", .number(.notNegative)), .init("alpha", .number(.fraction))],
      pyTorch: "torchvision.ops.sigmoid_focal_loss", keras: "BinaryFocalCrossentropy"
    ) {
      .binaryFocal(gamma: $0.number("gamma") ?? 2, alpha: $0.number("alpha"))
    },
    NamedLoss("hinge", keras: "Hinge") { _ in .hinge },
    NamedLoss("squared-hinge", keras: "SquaredHinge") { _ in .squaredHinge },
  ]
}

extension Loss {
  /// Cross-entropy of independent logits (PyTorch `BCEWithLogitsLoss`).
  ///
  ///     loss = log(1 + eˣ) - x · target
  ///
  /// Predictions are logits x; targets are probabilities, or labels of 0 and 1, of the same shape,
  /// except that either may lack a last axis of size 1.
  public static let binaryCrossEntropy = Loss("bce", .binary) { prediction, target, _ in
    let goals = try target.asNumbers(like: prediction)
    return Program.LossTerms(
      try prediction.binaryCrossEntropy(ofLogitsWith: goals.aligned(with: prediction)))
  }

  /// Cross-entropy of independent logits, of which yes may weigh more than no (PyTorch `BCEWithLogitsLoss` with
  /// `pos_weight`, Keras `label_smoothing`).
  ///
  ///     t = (1 - s) · target + s / 2
  ///     loss = p · t · log(1 + e⁻ˣ) + (1 - t) · log(1 + eˣ)
  ///
  /// The mean is over all elements, as in PyTorch. Without weights and smoothing it is ``binaryCrossEntropy``.
  ///
  /// - Parameters:
  ///   - posWeights: p, the weight of yes: one for all labels, or one for each along axis 1; none for 1.
  ///   - labelSmoothing: s.
  /// - Returns: The loss.
  /// - Precondition: weights are above 0, and `labelSmoothing` is in 0 … 1.
  public static func binaryCrossEntropy(
    posWeights: [Float], labelSmoothing: Double = 0
  ) -> Loss {
    NumberRange.fraction.require(labelSmoothing, "label smoothing")
    for weight in posWeights { NumberRange.positive.require(Double(weight), "a positive weight") }
    guard !posWeights.isEmpty || labelSmoothing != 0 else { return binaryCrossEntropy }
    var settings: [String: String] = [:]
    if !posWeights.isEmpty {
      settings["posWeights"] = posWeights.map { "\($0)" }.joined(separator: "/")
    }
    if labelSmoothing != 0 { settings["labelSmoothing"] = "\(labelSmoothing)" }
    return Loss("bce", .binary, settings) { prediction, target, _ in
      var goals = try target.asGoals(of: prediction, "bce")
      if labelSmoothing != 0 { goals = try goals * (1 - labelSmoothing) + labelSmoothing / 2 }
      var yes = try goals * (-prediction).softplus()
      if !posWeights.isEmpty { yes = try yes * prediction.constant(posWeights) }
      return Program.LossTerms(try yes + (1 - goals) * prediction.softplus())
    }
  }

  /// Cross-entropy of independent logits that easy examples have little part in (torchvision
  /// `sigmoid_focal_loss`, Keras `BinaryFocalCrossentropy`; Lin and others 2017).
  ///
  ///     p = sigmoid(prediction),   1 - q = p · (1 - target) + (1 - p) · target
  ///     loss = α' · (1 - q)^γ · cross-entropy,   α' = α · target + (1 - α) · (1 - target)
  ///
  /// Targets are as of ``binaryCrossEntropy``.
  ///
  /// - Parameters:
  ///   - gamma: γ; 0 is the cross-entropy.
  ///   - alpha: α, the weight of yes, that of no being 1 - α; both 1 when nil.
  /// - Returns: The loss.
  /// - Precondition: `gamma` isn't below 0, and `alpha` is in 0 … 1.
  public static func binaryFocal(gamma: Double = 2, alpha: Double? = nil) -> Loss {
    NumberRange.notNegative.require(gamma, "gamma")
    if let alpha { NumberRange.fraction.require(alpha, "alpha") }
    var settings = ["gamma": "\(gamma)"]
    settings["alpha"] = alpha.map { "\($0)" }
    return Loss("binary-focal", .binary, settings) { x, target, _ in
      let goals = try target.asGoals(of: x, "binary-focal")
      let others = try 1 - goals
      let losses = try goals * (-x).softplus() + others * x.softplus()
      let wrong = try x.sigmoid() * others + (-x).sigmoid() * goals
      let focused = try losses * wrong.toPower(gamma)
      guard let alpha else { return Program.LossTerms(focused) }
      return Program.LossTerms(try focused * (goals * alpha + others * (1 - alpha)))
    }
  }

  /// How far a score is from 1 on the side of its label (Keras `Hinge`).
  ///
  ///     loss = max(0, 1 - y · prediction),   y = 1 for yes, -1 for no
  ///
  /// Predictions are scores, whose sign decides; targets are 1 for yes, and 0 or -1 for no, of the same shape, except
  /// that either may lack a last axis of size 1.
  public static let hinge = Loss("hinge", .signs) { prediction, target, _ in
    Program.LossTerms(try prediction.shortfall(of: target, "hinge"))
  }

  /// The square of ``hinge`` (Keras `SquaredHinge`).
  public static let squaredHinge = Loss("squared-hinge", .signs) { prediction, target, _ in
    let shortfall = try prediction.shortfall(of: target, "squared-hinge")
    return Program.LossTerms(try shortfall * shortfall)
  }
}

extension Symbol {
  /// These targets as numbers of the predictions' type, if they are labels.
  func asNumbers(like predictions: Symbol) throws -> Symbol {
    let isLabels = elementType.isInteger || elementType == .bool
    return isLabels ? try cast(to: predictions.elementType) : self
  }

  /// These targets, labels or numbers, in the predictions' type and shape.
  func asGoals(of predictions: Symbol, _ loss: String) throws -> Symbol {
    try asNumbers(like: predictions).standing(beside: predictions, loss)
  }

  /// max(0, 1 - y · this), y = ±1.
  fileprivate func shortfall(of targets: Symbol, _ loss: String) throws -> Symbol {
    let goals = try targets.asGoals(of: self, loss)
    let sign = try goals.greaterMask(goals.scalar(0)) * 2 - 1
    return try (1 - sign * self).relu()
  }

  /// Weights, one for all or one for each along axis 1, that broadcast to this.
  fileprivate func constant(_ weights: [Float]) throws -> Symbol {
    if weights.count == 1 { return try scalar(Double(weights[0])) }
    let count = shape.rank > 1 ? shape[1] : 1
    guard weights.count == count else {
      throw LossError.weights(
        loss: "bce", setting: "positive weights", expected: count, got: weights.count)
    }
    let ones = [Int](repeating: 1, count: shape.rank - 2)
    return builder.constant(
      Tensor(
        rounding: weights.map(Double.init), to: elementType, shape: Shape([1, count] + ones)))
  }
}
