import CrestGraph
import CrestLayers
import CrestTensor
import Testing

@Suite struct LossTests {
  /// A loss, predictions, targets, and the losses before their mean.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let loss: Loss
    let prediction: [Double]
    let predictionShape: Shape
    let target: ReferenceArray
    let expected: [Double]

    var testDescription: String { name }
  }

  // Values of PyTorch 2.15 in float64.
  static let cases = [
    Case(
      name: "cross-entropy of labels", loss: .crossEntropy(), prediction: [1, 2, 3, 0, -1, 0.5],
      predictionShape: [2, 3],
      target: ReferenceArray(integers: [2, 1], ValueType([2], .int64)),
      expected: [0.4076059644443803, 2.1041306053367284]),
    Case(
      name: "cross-entropy with label smoothing", loss: .crossEntropy(labelSmoothing: 0.1),
      prediction: [1, 2, 3, 0, -1, 0.5], predictionShape: [2, 3],
      target: ReferenceArray(integers: [2, 1], ValueType([2], .int64)),
      expected: [0.5076059644443804, 2.0207972720033953]),
    Case(
      name: "cross-entropy of probabilities", loss: .crossEntropy(),
      prediction: [1, 2, 3, 0, -1, 0.5], predictionShape: [2, 3],
      target: ReferenceArray([0.2, 0.3, 0.5, 1, 0, 0], ValueType([2, 3])),
      expected: [1.1076059644443804, 1.1041306053367284]),
    Case(
      name: "cross-entropy of labels along the last axis", loss: .crossEntropy(),
      prediction: [1, 2, 3, 0, -1, 0.5], predictionShape: [1, 2, 3],
      target: ReferenceArray(integers: [2, 1], ValueType([1, 2], .int64)),
      expected: [0.4076059644443803, 2.1041306053367284]),
    Case(
      name: "cross-entropy of labels along a chosen axis in the middle",
      loss: .crossEntropy(classAxis: 2), prediction: [1, 2, 3, 0, -1, 0.5],
      predictionShape: [1, 2, 3, 1],
      target: ReferenceArray(integers: [2, 1], ValueType([1, 2, 1], .int64)),
      expected: [0.4076059644443803, 2.1041306053367284]),
    Case(
      name: "cross-entropy of probabilities along the last axis",
      loss: .crossEntropy(classAxis: -1),
      prediction: [1, 2, 3, 0, -1, 0.5], predictionShape: [1, 2, 3],
      target: ReferenceArray([0.2, 0.3, 0.5, 1, 0, 0], ValueType([1, 2, 3])),
      expected: [1.1076059644443804, 1.1041306053367284]),
    Case(
      name: "mse", loss: .meanSquaredError, prediction: [1, -2], predictionShape: [2, 1],
      target: ReferenceArray([0.5, 1], ValueType([2, 1])), expected: [0.25, 9]),
    Case(
      name: "mae", loss: .meanAbsoluteError, prediction: [1, -2], predictionShape: [2, 1],
      target: ReferenceArray([0.5, 1], ValueType([2, 1])), expected: [0.5, 3]),
    Case(
      name: "huber", loss: .huber(), prediction: [1, -2, 2], predictionShape: [3, 1],
      target: ReferenceArray([0.5, 1, 1], ValueType([3, 1])), expected: [0.125, 2.5, 0.5]),
    Case(
      name: "huber with a delta of 2, without the last axis", loss: .huber(delta: 2),
      prediction: [1, -2, 2], predictionShape: [3, 1],
      target: ReferenceArray([0.5, 1, 1], ValueType([3])), expected: [0.125, 4, 0.5]),
    Case(
      name: "bce", loss: .binaryCrossEntropy, prediction: [1, -2, 800], predictionShape: [3, 1],
      target: ReferenceArray([0.5, 1, 0], ValueType([3, 1])),
      expected: [0.8132616875182228, 2.1269280110429727, 800]),
    Case(
      name: "bce of labels without the last axis", loss: .binaryCrossEntropy,
      prediction: [1, -2, 800], predictionShape: [3, 1],
      target: ReferenceArray(integers: [1, 1, 0], ValueType([3], .int64)),
      expected: [0.3132616875182228, 2.1269280110429727, 800]),
    Case(
      name: "mse of targets without the last axis", loss: .meanSquaredError, prediction: [1, -2],
      predictionShape: [2, 1], target: ReferenceArray([0.5, 1], ValueType([2])),
      expected: [0.25, 9]),
    Case(
      name: "mae of predictions without the last axis", loss: .meanAbsoluteError,
      prediction: [1, -2], predictionShape: [2],
      target: ReferenceArray([0.5, 1], ValueType([2, 1])), expected: [0.5, 3]),
  ]

  @Test(arguments: cases)
  func `gives PyTorch's losses before the mean`(_ lossCase: Case) throws {
    let builder = GraphBuilder()
    let type = ValueType(lossCase.predictionShape)
    let losses = try lossCase.loss.trace(
      builder.input("p", type), builder.input("t", lossCase.target.type))
    let values = try Interpreter(builder.result).run(
      inputs: [ReferenceArray(lossCase.prediction, type), lossCase.target], variables: [])[
        losses.id.index
      ].reals
    #expect(values.count == lossCase.expected.count)
    for (got, wanted) in zip(values, lossCase.expected) {
      #expect(abs(got - wanted) < 1e-9, "\(got), not \(wanted)")
    }
  }

  @Test func `a loss is found by its name`() throws {
    for name in NamedLoss.all.map(\.name) { #expect(try Loss.named(name).name == name) }
    #expect(Set(NamedLoss.all.map(\.name)).count == NamedLoss.all.count)
    #expect(Loss.all.map(\.name) == NamedLoss.all.map(\.name))
    let error = #expect(throws: LossError.self) { try Loss.named("brier") }
    #expect(
      error?.description
        == "loss: expected one of cross-entropy, focal, nll, kl-divergence, multi-class-hinge, bce, "
        + "binary-focal, hinge, squared-hinge, mse, mae, huber, smooth-l1, log-cosh, msle, mape, poisson, "
        + "gaussian, quantile, dice, tversky, cosine-similarity, cosine-embedding, triplet, ctc, got "
        + "\"brier\"")
  }

  /// Each loss as its own function makes it.
  static let functions: [Loss] = [
    .crossEntropy(), .focal(), .negativeLogLikelihood(), .klDivergence(), .multiClassHinge(),
    .binaryCrossEntropy, .binaryFocal(), .hinge, .squaredHinge, .meanSquaredError,
    .meanAbsoluteError, .huber(), .smoothL1(), .logCosh, .meanSquaredLogarithmicError,
    .meanAbsolutePercentageError, .poisson(), .gaussian(), .quantile(), .dice(), .tversky(),
    .cosineSimilarity(), .cosineEmbedding(), .triplet(), .ctc(),
  ]

  @Test func `a name without settings gives what the function gives`() {
    #expect(Loss.all.count == Self.functions.count)
    for (named, made) in zip(Loss.all, Self.functions) {
      #expect(named.name == made.name)
      #expect(named.settings == made.settings)
      #expect(named.targets == made.targets)
      #expect(named.traits == made.traits)
    }
  }

  @Test func `settings of a name are those of the function`() throws {
    let named = try Loss.named(
      "focal",
      settings: [("gamma", "1.5"), ("class-weights", "1/2/0.5"), ("ignored-label", "-100")])
    let made = Loss.focal(gamma: 1.5, classWeights: [1, 2, 0.5], ignoredLabel: -100)
    #expect(named.settings == made.settings)
    #expect(
      named.settings == [
        "gamma": "1.5", "alpha": "1.0", "classWeights": "1.0/2.0/0.5", "ignoredLabel": "-100",
      ])
    #expect(try Loss.named("mse", settings: [("reduction", "sum")]).reduction == .sum)
    #expect(Loss.meanSquaredError.reduced(by: .sum).settings == ["reduction": "sum"])
  }

  static let refusals: [(loss: String, setting: String, value: String, message: String)] = [
    (
      "focal", "gama", "2",
      "loss focal: expected settings gamma, alpha, class-weights, ignored-label, reduction, got \"gama\""
    ),
    ("focal", "gamma", "-1", "loss focal: gamma is \"-1\", expected a number not below 0"),
    ("focal", "gamma", "inf", "loss focal: gamma is \"inf\", expected a number not below 0"),
    ("focal", "gamma", "nan", "loss focal: gamma is \"nan\", expected a number not below 0"),
    ("huber", "delta", "0", "loss huber: delta is \"0\", expected a number above 0"),
    (
      "cross-entropy", "class-weights", "1//2",
      "loss cross-entropy: class-weights is \"1//2\", expected numbers not below 0, not all 0, with / between them"
    ),
    (
      "cross-entropy", "class-weights", "1/-2",
      "loss cross-entropy: class-weights is \"1/-2\", expected numbers not below 0, not all 0, with / between them"
    ),
    (
      "focal", "class-weights", "0/0",
      "loss focal: class-weights is \"0/0\", expected numbers not below 0, not all 0, with / between them"
    ),
    (
      "cross-entropy", "ignored-label", "1e9",
      "loss cross-entropy: ignored-label is \"1e9\", expected an integer from -16777216 to 16777216"
    ),
    (
      "cross-entropy", "label-smoothing", "1.5",
      "loss cross-entropy: label-smoothing is \"1.5\", expected a number in 0 … 1"
    ),
    (
      "quantile", "quantiles", "0.5/1",
      "loss quantile: quantiles is \"0.5/1\", expected numbers between 0 and 1, with / between them"
    ),
    (
      "cosine-embedding", "margin", "2",
      "loss cosine-embedding: margin is \"2\", expected a number in -1 … 1"
    ),
    ("poisson", "full", "yes", "loss poisson: full is \"yes\", expected true or false"),
    ("dice", "of", "pixels", "loss dice: of is \"pixels\", expected classes or labels"),
    ("mae", "reduction", "none", "loss mae: reduction is \"none\", expected mean or sum"),
  ]

  @Test(arguments: refusals)
  func `a setting that a loss doesn't have, or a value that it can't have, is refused`(
    refusal: (loss: String, setting: String, value: String, message: String)
  ) {
    let error = #expect(throws: LossError.self) {
      _ = try Loss.named(refusal.loss, settings: [(refusal.setting, refusal.value)])
    }
    #expect(error?.description == refusal.message)
  }

  /// What targets must be, by the losses that ask for something.
  static let mistakes: [(loss: Loss, predictions: Shape, targets: ValueType, message: String)] = [
    (
      .crossEntropy(classWeights: [1, 2]), [4, 3], ValueType([4], .int64),
      "loss cross-entropy: expected 3 class-weights, one for each output of the model, got 2; give one for "
        + "each, in the order of the outputs"
    ),
    (
      .focal(ignoredLabel: 0), [4, 3], ValueType([4, 3]),
      "focal: expected labels, of which one is ignored, got probabilities; leave the ignored label out"
    ),
    (
      .klDivergence(), [4, 3], ValueType([4], .int64),
      "kl-divergence: expected probabilities of the predictions' shape, got labels; for labels choose the loss "
        + "cross-entropy"
    ),
    (
      .multiClassHinge(), [4, 3], ValueType([4, 3]),
      "multi-class-hinge: expected labels, got probabilities; for probabilities choose the loss cross-entropy"
    ),
    (
      .binaryCrossEntropy(posWeights: [1, 2]), [4, 3], ValueType([4, 3]),
      "loss bce: expected 3 positive weights, one for each output of the model, got 2; give one for each, in the "
        + "order of the outputs"
    ),
    (
      .gaussian(), [4, 3], ValueType([4]),
      "gaussian: expected predictions [N, 2, …], mean and log-variance, got float32 [4, 3]; give the network 2 "
        + "outputs along axis 1"
    ),
    (
      .quantile([0.1, 0.9]), [4, 2], ValueType([4, 3]),
      "quantile: expected targets float32 [4] for predictions [4, 2], got float32 [4, 3]"
    ),
    (
      .smoothL1(), [4, 1], ValueType([4], .int64),
      "smooth-l1: expected targets of the predictions' type float32 [4, 1], got int64 [4, 1]"
    ),
    (
      .cosineSimilarity(axis: 2), [4, 3], ValueType([4, 3]),
      "cosine-similarity: expected an axis of predictions [4, 3] from 1 to 1, got 2"
    ),
    (
      .triplet(), [4, 2, 5], ValueType([4]),
      "triplet: expected predictions [N, 3, …], anchor, positive and negative, got float32 [4, 2, 5]; give the "
        + "network 3 embeddings along axis 1"
    ),
    (
      .ctc(), [4, 7], ValueType([4, 2], .int64),
      "ctc: expected predictions [N, T, C] and integer labels [N, S], got float32 [4, 7] and int64 [4, 2]"
    ),
  ]

  @Test(arguments: mistakes.indices)
  func `predictions and targets that don't suit a loss are refused`(index: Int) {
    let (loss, predictions, targets, message) = Self.mistakes[index]
    let builder = GraphBuilder()
    let (x, t) = (builder.input("x", ValueType(predictions)), builder.input("t", targets))
    let error = #expect(throws: (any Error).self) {
      _ = try loss.terms(beforeActivation: false)(x, t)
    }
    #expect(error.map { "\($0)" } == message)
  }

  @Test func `targets choose the loss where none is named`() {
    #expect(Loss.standard(for: .int64).name == "cross-entropy")
    #expect(Loss.standard(for: .uint8).name == "cross-entropy")
    #expect(Loss.standard(for: .float32).name == "mse")
  }

  @Test(
    arguments: [
      "mse", "mae", "huber", "bce", "smooth-l1", "log-cosh", "msle", "mape", "poisson", "quantile",
      "hinge", "squared-hinge", "binary-focal",
    ])
  func `targets of another shape are refused, not broadcast`(name: String) throws {
    let loss = try Loss.named(name)
    let builder = GraphBuilder()
    let prediction = builder.input("p", ValueType([4, 3]))
    for shape: Shape in [[4], [3], [4, 1], [1, 3], [3, 4], [4, 3, 2], []] {
      let target = builder.input("t\(shape.rank)\(shape)", ValueType(shape))
      #expect(throws: GraphError.self) { try loss.trace(prediction, target) }
    }
  }

  @Test func `a loss without classes has no axis of them`() throws {
    let error = #expect(throws: LossError.self) {
      _ = try Loss.meanSquaredError.withClasses(along: 2)
    }
    #expect(
      error?.description
        == "class axis: expected a loss with classes, cross-entropy, got mse; omit the axis")
    #expect(try Loss.crossEntropy().withClasses(along: 2).targets == .classes(axis: 2))
  }
}
