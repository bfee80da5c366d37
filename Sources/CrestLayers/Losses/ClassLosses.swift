import CrestGraph
import CrestRuntime
import CrestTensor

extension NamedLoss {
  static let classes = [
    NamedLoss(
      "cross-entropy", [.labelSmoothing, .classWeights, .ignoredLabel],
      pyTorch: "CrossEntropyLoss",
      keras: "SparseCategoricalCrossentropy, CategoricalCrossentropy",
      fastai: "CrossEntropyLossFlat, LabelSmoothingCrossEntropy"
    ) {
      .crossEntropy(
        labelSmoothing: $0.number("label-smoothing") ?? 0, classWeights: $0.classWeights,
        ignoredLabel: $0.ignoredLabel)
    },
    NamedLoss(
      "focal",
      [
        .init("gamma", .number(.notNegative)), .init("alpha", .number(.positive)), .classWeights,
        .ignoredLabel,
      ], keras: "CategoricalFocalCrossentropy", fastai: "FocalLossFlat"
    ) {
      .focal(
        gamma: $0.number("gamma") ?? 2, alpha: $0.number("alpha") ?? 1,
        classWeights: $0.classWeights, ignoredLabel: $0.ignoredLabel)
    },
    NamedLoss("nll", [.classWeights, .ignoredLabel], pyTorch: "NLLLoss") {
      .negativeLogLikelihood(classWeights: $0.classWeights, ignoredLabel: $0.ignoredLabel)
    },
    NamedLoss("kl-divergence", pyTorch: "KLDivLoss(reduction='batchmean')", keras: "KLDivergence") {
      _ in .klDivergence()
    },
    NamedLoss(
      "multi-class-hinge", [.init("margin", .number(.positive))], pyTorch: "MultiMarginLoss"
    ) {
      .multiClassHinge(margin: $0.number("margin") ?? 1)
    },
  ]
}

extension Loss {
  /// Cross-entropy of logits (PyTorch `CrossEntropyLoss`, fastai `CrossEntropyLossFlat`).
  ///
  ///     loss = -Σ weight · target · log softmax(prediction), over the classes
  ///
  /// Predictions are logits [N, C, …] or [N, …, C]; targets are labels of an integer type, of the shape
  /// without the classes, or probabilities of the predictions' shape. As in PyTorch, the mean of labels is by their
  /// weights, the mean of probabilities by their number; smoothing weighs every class by its own weight.
  ///
  /// - Parameters:
  ///   - labelSmoothing: s in (1 - s) · target + s / C (Szegedy et al. 2015).
  ///   - classWeights: The weight of each class; all 1 when nil.
  ///   - ignoredLabel: The label of positions that don't count (PyTorch `ignore_index`); none when nil.
  ///   - classAxis: The axis of the predictions along which the classes lie, where the batch is
  ///     axis 0 and negative axes count from the end; nil finds it from the shapes, see
  ///     ``Loss/ClassAxis``.
  /// - Returns: The loss.
  /// - Precondition: `labelSmoothing` is in 0 … 1, weights are at least 0, and the ignored label is one that `float32`
  ///   can hold.
  public static func crossEntropy(
    labelSmoothing: Double = 0, classWeights: [Float]? = nil, ignoredLabel: Int? = nil,
    classAxis: Int? = nil
  ) -> Loss {
    NumberRange.fraction.require(labelSmoothing, "label smoothing")
    let choice = ClassChoice(classWeights, ignoring: ignoredLabel)
    var settings = choice.settings
    if labelSmoothing != 0 { settings["labelSmoothing"] = "\(labelSmoothing)" }
    return ofClasses("cross-entropy", classAxis, settings, choice) { batch in
      guard let labels = batch.labels else {
        if classWeights == nil {
          return try batch.terms(
            batch.scores.crossEntropy(probabilities: batch.goals, smoothing: labelSmoothing))
        }
        let goals = try batch.goals * (1 - labelSmoothing) + labelSmoothing / Double(batch.count)
        return try batch.terms(
          -(batch.scores.logSoftmax(axis: 1) * batch.weighted(goals)).sum(
            axes: [1], keepingDimensions: false))
      }
      let losses = try batch.scores.crossEntropy(
        labels: labels, smoothing: labelSmoothing, weights: batch.weights,
        ignoredLabel: ignoredLabel)
      return try batch.terms(losses)
    }
  }

  /// The negative logarithm of the label's probability, of logarithms (PyTorch `NLLLoss`).
  ///
  ///     loss = -weight[label] · prediction[label]
  ///
  /// Predictions are logarithms of probabilities, as of a log-softmax; targets as of ``crossEntropy(labelSmoothing:classWeights:ignoredLabel:classAxis:)``.
  ///
  /// - Parameters:
  ///   - classWeights: The weight of each class; all 1 when nil.
  ///   - ignoredLabel: The label of positions that don't count; none when nil.
  ///   - classAxis: The axis of the classes; nil finds it.
  /// - Returns: The loss.
  public static func negativeLogLikelihood(
    classWeights: [Float]? = nil, ignoredLabel: Int? = nil, classAxis: Int? = nil
  ) -> Loss {
    let choice = ClassChoice(classWeights, ignoring: ignoredLabel)
    return ofClasses("nll", classAxis, choice.settings, choice, includesSoftmax: false) { batch in
      guard let labels = batch.labels else {
        return try batch.terms(
          -(batch.scores * batch.weighted(batch.goals)).sum(
            axes: [1], keepingDimensions: false))
      }
      var form = CrossEntropyLabels.Form(ignoredLabel: ignoredLabel)
      form.isOfLogarithms = true
      return try batch.terms(batch.scores.labelLosses(of: labels, batch.weights, form))
    }
  }

  /// Cross-entropy that easy examples have little part in (Keras `CategoricalFocalCrossentropy`, fastai
  /// `FocalLossFlat`; Lin and others 2017).
  ///
  ///     loss = α · weight · (1 - p)^γ · -log p,   p = softmax(prediction)[label]
  ///
  /// The mean is by the weights of classes alone, as of ``crossEntropy(labelSmoothing:classWeights:ignoredLabel:classAxis:)``. p is that of
  /// the plain softmax (fastai computes it from the weighted cross-entropy). Of target probabilities, it is the sum
  /// over classes, each times its target.
  ///
  /// - Parameters:
  ///   - gamma: γ; 0 is the cross-entropy.
  ///   - alpha: α, a factor of all losses.
  ///   - classWeights: The weight of each class; all 1 when nil.
  ///   - ignoredLabel: The label of positions that don't count; none when nil.
  ///   - classAxis: The axis of the classes; nil finds it.
  /// - Returns: The loss.
  public static func focal(
    gamma: Double = 2, alpha: Double = 1, classWeights: [Float]? = nil, ignoredLabel: Int? = nil,
    classAxis: Int? = nil
  ) -> Loss {
    NumberRange.notNegative.require(gamma, "gamma")
    NumberRange.positive.require(alpha, "alpha")
    let choice = ClassChoice(classWeights, ignoring: ignoredLabel)
    var settings = choice.settings
    (settings["gamma"], settings["alpha"]) = ("\(gamma)", "\(alpha)")
    return ofClasses("focal", classAxis, settings, choice) { batch in
      guard let labels = batch.labels else {
        let losses = try -batch.scores.logSoftmax(axis: 1)
        let focused = try losses * losses.chanceOfAnother().toPower(gamma)
        return try batch.terms(
          (focused * batch.weighted(batch.goals) * alpha).sum(
            axes: [1], keepingDimensions: false))
      }
      let losses = try batch.scores.crossEntropy(labels: labels, ignoredLabel: ignoredLabel)
      var focused = try losses * losses.chanceOfAnother().toPower(gamma) * alpha
      if let weight = try batch.labelWeights { focused = try focused * weight }
      return try batch.terms(focused)
    }
  }

  /// How much target probabilities tell beyond the predictions (PyTorch `KLDivLoss` of a log-softmax with `batchmean`,
  /// Keras `KLDivergence` of a softmax).
  ///
  ///     loss = Σ target · (log target - log softmax(prediction)), over the classes; 0 · log 0 = 0
  ///
  /// Predictions are logits; targets are probabilities of their shape. The mean is over all positions.
  ///
  /// - Parameter classAxis: The axis of the classes; nil finds it.
  /// - Returns: The loss.
  public static func klDivergence(classAxis: Int? = nil) -> Loss {
    ofClasses("kl-divergence", classAxis) { batch in
      guard batch.labels == nil else {
        throw LossError.targets(
          loss: "kl-divergence", expected: "probabilities of the predictions' shape",
          got: "labels", advice: "for labels choose the loss cross-entropy")
      }
      let goals = batch.goals
      let isZero = try goals.equalMask(goals.scalar(0))
      let logarithms = try goals.scalar(1).selected(where: isZero, else: goals).log()
      let terms = try goals * (logarithms - batch.scores.logSoftmax(axis: 1))
      return try batch.terms(
        goals.scalar(0).selected(where: isZero, else: terms).sum(
          axes: [1], keepingDimensions: false))
    }
  }

  /// How far the score of the label is from being `margin` above all others (PyTorch `MultiMarginLoss`).
  ///
  ///     loss = Σ max(0, margin - prediction[label] + prediction[c]) / C, over the other classes c
  ///
  /// Predictions are scores, targets labels.
  ///
  /// - Parameters:
  ///   - margin: The distance that is enough.
  ///   - classAxis: The axis of the classes; nil finds it.
  /// - Returns: The loss.
  public static func multiClassHinge(margin: Double = 1, classAxis: Int? = nil) -> Loss {
    NumberRange.positive.require(margin, "margin")
    return ofClasses(
      "multi-class-hinge", classAxis, ["margin": "\(margin)"], includesSoftmax: false
    ) { batch in
      guard let labels = batch.labels else {
        throw LossError.targets(
          loss: "multi-class-hinge", expected: "labels", got: "probabilities",
          advice: "for probabilities choose the loss cross-entropy")
      }
      let own = try labels.oneHotLabels(classCount: batch.count, like: batch.scores)
      let score = try (batch.scores * own).sum(axes: [1], keepingDimensions: true)
      let excess = try (batch.scores - score + margin).relu() * (1 - own)
      return try batch.terms(
        excess.sum(axes: [1], keepingDimensions: false) * (1 / Double(batch.count)))
    }
  }
}

/// Weights of classes, and a label that doesn't count.
struct ClassChoice: Sendable {
  let weights: [Float]?
  let ignoredLabel: Int?

  init(_ weights: [Float]? = nil, ignoring ignoredLabel: Int? = nil) {
    for weight in weights ?? [] {
      NumberRange.notNegative.require(Double(weight), "a class weight")
    }
    programmerError(
      unless: weights.map { $0.contains { $0 > 0 } } ?? true, "no class has a weight above 0")
    if let ignoredLabel {
      programmerError(
        unless: Loss.labelRange.contains(ignoredLabel),
        "the ignored label is \(ignoredLabel), not in \(Loss.labelRange)")
    }
    self.weights = weights
    self.ignoredLabel = ignoredLabel
  }

  /// What a resumed run must have, too.
  var settings: [String: String] {
    var settings: [String: String] = [:]
    settings["classWeights"] = weights.map { $0.map { "\($0)" }.joined(separator: "/") }
    settings["ignoredLabel"] = ignoredLabel.map { "\($0)" }
    return settings
  }
}

/// A batch of predictions and targets of classes, with the classes along axis 1.
struct ClassBatch {
  /// Scores [N, C, …].
  let scores: Symbol
  /// Labels [N, …]; nil for probabilities.
  let labels: Symbol?
  /// Probabilities [N, C, …], or labels.
  let goals: Symbol
  let choice: ClassChoice
  /// The shape of the losses: that of the predictions without the classes.
  let places: Shape

  init(_ prediction: Symbol, _ target: Symbol, _ axis: Int, _ choice: ClassChoice) throws {
    let isLabels = target.elementType.isInteger || target.elementType == .bool
    scores = try prediction.withClasses(from: axis)
    goals =
      isLabels
      ? try target.cast(to: .int64).reshaped(exactlyTo: scores.placeShape)
      : try target.withClasses(from: axis)
    labels = isLabels ? goals : nil
    self.choice = choice
    var dimensions = prediction.shape.dimensions
    dimensions.remove(at: axis)
    places = Shape(dimensions)
  }

  /// How many classes there are.
  var count: Int { scores.shape[1] }

  /// The weights of the classes, [C].
  var weights: Symbol? {
    choice.weights.map { weights in
      scores.builder.constant(
        Tensor(rounding: weights.map(Double.init), to: scores.elementType, shape: [weights.count]))
    }
  }

  /// Values [N, C, …] times the weights of their classes.
  func weighted(_ values: Symbol) throws -> Symbol {
    guard let weights else { return values }
    let ones = [Int](repeating: 1, count: scores.shape.rank - 2)
    return try values * weights.reshaped(exactlyTo: Shape([1, count] + ones))
  }

  /// The weight of each label, 0 of the ignored one; nil where all count alike.
  var labelWeights: Symbol? {
    get throws {
      guard let labels, choice.weights != nil || choice.ignoredLabel != nil else { return nil }
      guard choice.weights != nil else {
        guard let ignored = choice.ignoredLabel else { return nil }
        let numbers = try labels.cast(to: scores.elementType)
        return try 1 - numbers.equalMask(numbers.scalar(Double(ignored)))
      }
      let own = try labels.oneHotLabels(
        classCount: count, ignoredLabel: choice.ignoredLabel, like: scores)
      return try weighted(own).sum(axes: [1], keepingDimensions: false)
    }
  }

  /// The losses and weights, in the predictions' shape without the classes.
  func terms(_ losses: Symbol) throws -> Program.LossTerms {
    Program.LossTerms(
      try losses.reshaped(exactlyTo: places),
      weights: try labelWeights?.reshaped(exactlyTo: places))
  }
}

extension Loss {
  /// A loss of classes.
  static func ofClasses(
    _ name: String, _ classAxis: Int?, _ settings: [String: String] = [:],
    _ choice: ClassChoice = ClassChoice(), includesSoftmax: Bool = true,
    _ body: @escaping @Sendable (ClassBatch) throws -> Program.LossTerms
  ) -> Loss {
    let targets = Targets.classes(axis: classAxis)
    let traits = Traits.of(targets) {
      if !includesSoftmax { $0.activation = nil }
      $0.ignoredLabel = choice.ignoredLabel
      $0.classWeightCount = choice.weights?.count
    }
    return Loss(name, targets, settings, traits: traits) { prediction, target, axis in
      guard let axis = axis?.axis else { programmerError("a class axis was not looked for") }
      let batch = try ClassBatch(prediction, target, axis, choice)
      guard choice.ignoredLabel == nil || batch.labels != nil else {
        throw LossError.targets(
          loss: name, expected: "labels, of which one is ignored", got: "probabilities",
          advice: "leave the ignored label out")
      }
      return try body(batch)
    }
  }
}

extension Symbol {
  /// The same values with the classes of `axis` along axis 1, and all other positions in one axis
  /// where that moves nothing.
  func withClasses(from axis: Int) throws -> Symbol {
    if axis == 1 { return self }
    if axis == shape.rank - 1 {
      // With a single axis of positions, the last axis of classes becomes axis 1 without moving an
      // element.
      let classCount = shape[axis]
      let placeCount = shape.dimensions[..<axis].reduce(1, *)
      return try reshaped(exactlyTo: [placeCount, classCount])
    }
    var order = Array(0..<shape.rank)
    order.insert(order.remove(at: axis), at: 1)
    return try transposed(order)
  }

  /// The shape without the classes along axis 1.
  var placeShape: Shape { Shape([shape[0]] + shape.dimensions[2...]) }

  /// 1 - e⁻ˣ of this, at least 0, without cancellation near 0: as 2t / (1 + t) with t = tanh(x/2).
  func chanceOfAnother() throws -> Symbol {
    let t = try (self * 0.5).tanh()
    return try t * 2 / (t + 1)
  }

  /// This, in 0 … 1, to a constant power; its gradient is finite at 0.
  func toPower(_ exponent: Double) throws -> Symbol {
    switch exponent {
    case 0: try scalar(1)
    case 1: self
    case 2: try self * self
    default: try maximum(scalar(1e-30)).power(exponent)
    }
  }
}
