import CrestData
import CrestLayers
import CrestRuntime
import CrestState
import CrestTensor
import CrestTraining
import Foundation
import Testing
import TrainingTestSupport

@Suite struct `Training on mixed examples` {
  private static func rows(_ count: Int, classes: Int = 3) -> TensorExamples {
    let generator = Philox(seed: 6, stream: Philox.Stream.split)
    let values = (0..<UInt64(count * 4)).map { 2 * generator.uniform($0) - 1 }
    return TensorExamples(
      name: "rows", inputs: [("input", Tensor(values, shape: [count, 4]))],
      targets: Tensor((0..<count).map { Int64($0 % classes) }),
      classNames: (0..<classes).map { "\($0)" })
  }

  private static func learner(
    _ loss: Loss?, outputs: Int = 3, classes: Int = 3, mixing: [Mixing] = [.mixUp(alpha: 1)],
    callbacks: [any Callback] = []
  ) throws -> Learner {
    let model = try Model(input: [4], seed: 5, engine: Engine(threadCount: 1)) { Dense(outputs) }
    let metrics: [any Metric] = outputs > 1 ? [Accuracy()] : []
    return try Learner(
      model, data: DataSplit(train: rows(20, classes: classes), valid: rows(9, classes: classes)),
      loss: loss, metrics: loss?.targets == .any ? [] : metrics, callbacks: callbacks, batchSize: 8,
      seed: 2, mixing: mixing, prefetch: 1)
  }

  /// -Σ weight · target · log softmax, over the classes; the mean over the examples.
  private static func crossEntropy(
    _ logits: [Float], _ targets: [Float], classes: Int, weights: [Double], smoothing: Double
  ) -> Double {
    var sum = 0.0
    for row in 0..<logits.count / classes {
      let own = logits[row * classes..<(row + 1) * classes].map(Double.init)
      let total = log(own.reduce(0) { $0 + exp($1) })
      for (label, logit) in own.enumerated() {
        let goal =
          Double(targets[row * classes + label]) * (1 - smoothing) + smoothing / Double(classes)
        sum -= weights[label] * goal * (logit - total)
      }
    }
    return sum / Double(logits.count / classes)
  }

  static let losses: [(loss: Loss?, weights: [Double], smoothing: Double)] = [
    (nil, [1, 1, 1], 0), (.crossEntropy(labelSmoothing: 0.1), [1, 1, 1], 0.1),
    (.crossEntropy(labelSmoothing: 0.2, classWeights: [1, 3, 0.5]), [1, 3, 0.5], 0.2),
  ]

  @Test(arguments: losses.indices)
  func `has the loss of both labels, by their shares`(_ index: Int) throws {
    let (loss, weights, smoothing) = Self.losses[index]
    var mixed = 0
    let watch = CallbackOf(
      .afterLoss { batch in
        guard batch.isTraining else {
          #expect(batch.targets.elementType == .int64)
          return
        }
        let targets = batch.targets.array(as: Float.self)
        #expect(batch.targets.shape == [batch.count, 3])
        let expected = Self.crossEntropy(
          batch.read(.predictions).array(as: Float.self), targets, classes: 3, weights: weights,
          smoothing: smoothing)
        #expect(abs(Double(batch.loss) - expected) < 1e-5)
        mixed += targets.count { $0 > 0 && $0 < 1 }
      }, reads: [.predictions])
    let learner = try Self.learner(loss, callbacks: [watch])
    try learner.fit(epochs: 3, learningRate: 0.1)
    #expect(mixed > 40)
  }

  @Test func `has probabilities of as many classes as the network, and numbers of yes and no`()
    throws
  {
    func targets(_ learner: Learner) throws -> (Shape, Bool) {
      var found: (Shape, Bool) = ([], false)
      let watch = CallbackOf(
        .afterLoss { batch in
          guard batch.isTraining else { return }
          let values = batch.targets.array(as: Float.self)
          found = (batch.targets.shape, found.1 || values.contains { $0 > 0 && $0 < 1 })
        })
      try learner.fit(epochs: 2, callbacks: [watch])
      return found
    }
    let wide = try targets(Self.learner(nil, outputs: 5))
    #expect(wide.0 == [4, 5] && wide.1)
    let binary = try targets(Self.learner(.binaryCrossEntropy, outputs: 1, classes: 2))
    #expect(binary.0 == [4] && binary.1)
  }

  static let refusals: [(loss: Loss, message: String)] = [
    (
      .crossEntropy(ignoredLabel: 1),
      "mixing examples by mixup(alpha 1): the loss cross-entropy ignores a label, which has no part of a mixture; train "
        + "without it"
    ),
    (
      Loss("own", targets: .any, trace: { prediction, _ in prediction }),
      "mixing examples by mixup(alpha 1): the loss own isn't known to take mixtures; choose one of classes, of yes and no "
        + "or of values; train without it"
    ),
  ]

  @Test(arguments: refusals.indices)
  func `is refused where a loss takes no mixtures`(_ index: Int) throws {
    let error = #expect(throws: LearnerError.self) {
      try Self.learner(Self.refusals[index].loss)
    }
    #expect(error.map { "\($0)" } == Self.refusals[index].message)
    #expect(throws: Never.self) { try Self.learner(Self.refusals[index].loss, mixing: []) }
  }

  @Test func `is refused before the first step by a loss of labels alone`() throws {
    var steps = 0
    let count = CallbackOf(.afterStep { _ in steps += 1 })
    let error = #expect(throws: LossError.self) {
      try Self.learner(.multiClassHinge(), callbacks: [count]).fit(epochs: 1, learningRate: 0.1)
    }
    #expect(
      error?.description
        == "multi-class-hinge: expected labels, got probabilities; for probabilities choose the loss cross-entropy"
    )
    #expect(steps == 0)
  }

  @Test func `is measured by the class that is most of it, if training is measured`() throws {
    let model = try Model(input: [4], seed: 5, engine: Engine(threadCount: 1)) { Dense(3) }
    let learner = try Learner(
      model, data: DataSplit(train: Self.rows(20), valid: Self.rows(9)),
      metrics: [Accuracy(), F1Score(), LogLoss(), AUROC()], trainMetrics: true, batchSize: 8,
      seed: 2,
      mixing: [.mixUp(alpha: 1)], prefetch: 0)
    try learner.fit(epochs: 1, learningRate: 1e-30)
    let train = try #require(learner.fitResult?.train)
    #expect(train.metrics.count == 4)
    #expect(train.metrics.allSatisfy { $0.value.isFinite && $0.value >= 0 })
  }

  @Test func `is part of what a resumed run must have`() throws {
    let state = try Self.learner(nil).runState()
    #expect(
      state.fields[StateValue.Path(["loader", "transforms"])] == .list([.text("mixup(alpha 1)")]))
  }
}
