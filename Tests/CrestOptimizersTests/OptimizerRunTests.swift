import CrestGraph
import CrestOptimizers
import CrestRuntime
import CrestTensor
import Foundation
import Testing

/// A hundred steps of the optimisers that have a reference implementation.
@Suite struct `A hundred steps` {
  /// The committed results of `Tests/Fixtures/make_optimizer_runs.py`.
  private struct Runs: Decodable {
    let start: [Float]
    /// In 128ths.
    let gradients: [[Int]]
    let steps: [Int]
    let cases: [String: [[Double]]]

    static func load() throws -> Runs {
      let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent()
      return try JSONDecoder().decode(
        Runs.self,
        from: Data(contentsOf: folder.appending(path: "Fixtures/optimizers/runs.json")))
    }
  }

  static let cases: [OptimizerCase] = [
    OptimizerCase(name: "rmsprop") { _, _ in RMSprop() },
    OptimizerCase(name: "rmsprop momentum") { _, _ in
      try RMSprop(momentum: 0.9, alpha: 0.9, weightDecay: 0.05)
    },
    OptimizerCase(name: "rmsprop centred") { _, _ in
      try RMSprop(momentum: 0.5, epsilon: 1e-3, centred: true)
    },
    OptimizerCase(name: "rmsprop tensorFlow") { _, _ in
      try RMSprop(momentum: 0.9, epsilon: 1e-3, convention: .tensorFlow)
    },
    OptimizerCase(name: "adagrad") { _, _ in try Adagrad(learningRate: 0.1) },
    OptimizerCase(name: "adagrad decay") { _, _ in
      try Adagrad(learningRate: 0.1, rateDecay: 0.01, start: 0.1, weightDecay: 0.05)
    },
    OptimizerCase(name: "adadelta") { _, _ in Adadelta() },
    OptimizerCase(name: "adadelta decay") { _, _ in
      try Adadelta(learningRate: 0.5, rho: 0.95, weightDecay: 0.05)
    },
    OptimizerCase(name: "nadam") { _, _ in try NAdam(learningRate: 0.01) },
    OptimizerCase(name: "nadam decoupled") { _, _ in
      try NAdam(
        learningRate: 0.01, beta1: 0.8, beta2: 0.99, momentumDecay: 1, weightDecay: 0.05,
        decayKind: .decoupled)
    },
    OptimizerCase(name: "radam") { _, _ in try RAdam(learningRate: 0.01) },
    OptimizerCase(name: "radam decoupled") { _, _ in
      try RAdam(
        learningRate: 0.01, beta1: 0.8, beta2: 0.99, weightDecay: 0.05, decayKind: .decoupled)
    },
    OptimizerCase(name: "amsgrad") { _, _ in try AMSGrad(learningRate: 0.01) },
    OptimizerCase(name: "amsgrad decay") { _, _ in
      try AMSGrad(learningRate: 0.01, beta1: 0.8, beta2: 0.9, weightDecay: 0.05)
    },
    OptimizerCase(name: "adamax") { _, _ in try Adamax(learningRate: 0.01) },
    OptimizerCase(name: "adamax decay") { _, _ in
      try Adamax(learningRate: 0.01, beta1: 0.8, beta2: 0.9, weightDecay: 0.05)
    },
    OptimizerCase(name: "schedule-free sgd") { _, _ in ScheduleFreeSGD() },
    OptimizerCase(name: "schedule-free sgd decay") { _, _ in
      try ScheduleFreeSGD(beta: 0.8, weightDecay: 0.05)
    },
    OptimizerCase(name: "schedule-free adamw") { _, _ in
      try ScheduleFreeAdamW(learningRate: 0.01)
    },
    OptimizerCase(name: "schedule-free adamw decay") { _, _ in
      try ScheduleFreeAdamW(learningRate: 0.01, beta: 0.95, beta2: 0.99, weightDecay: 0.05)
    },
    OptimizerCase(name: "dadapt-sgd") { _, _ in DAdaptSGD() },
    OptimizerCase(name: "dadapt-sgd decay") { _, _ in
      // The package takes the first group's decay for all.
      try DAdaptSGD(
        momentum: 0.9, initialDistance: 1e-3, growth: 1.5, weightDecay: 0.05, decayTargets: .all)
    },
    OptimizerCase(name: "prodigy") { _, _ in Prodigy() },
    OptimizerCase(name: "prodigy decay") { _, _ in
      try Prodigy(
        beta1: 0.8, beta2: 0.99, initialDistance: 1e-4, coefficient: 0.5, growth: 1.5,
        correctsBias: true, weightDecay: 0.05)
    },
    OptimizerCase(name: "muon") { _, _ in
      try Muon(learningRate: 0.02, parameters: .matching("weight"))
    },
    OptimizerCase(name: "muon match-adamw") { _, _ in
      try Muon(
        learningRate: 0.02, momentum: 0.9, nesterov: false, scale: .matchAdamW,
        parameters: .matching("weight"), weightDecay: 0)
    },
    OptimizerCase(name: "muon airbench") { _, _ in
      try Muon(
        learningRate: 0.05, momentum: 0.6, scale: .airbench, parameters: .matching("weight"),
        weightDecay: 0)
    },
    OptimizerCase(name: "lamb") { _, _ in try LAMB(learningRate: 0.01, weightDecay: 0.05) },
    OptimizerCase(name: "lamb adapting") { _, _ in
      try LAMB(learningRate: 0.01, weightDecay: 0, alwaysAdapts: true)
    },
    OptimizerCase(name: "lars") { _, _ in try LARS(weightDecay: 0.05) },
    OptimizerCase(name: "lars nesterov") { _, _ in
      try LARS(trust: 0.02, nesterov: true, weightDecay: 0, alwaysAdapts: true)
    },
    OptimizerCase(name: "adafactor") { _, _ in try Adafactor(learningRate: 0.05) },
    OptimizerCase(name: "adafactor decay") { _, _ in
      try Adafactor(learningRate: 0.2, betaDecay: -0.5, clip: 1.25, weightDecay: 0.05)
    },
    OptimizerCase(name: "adan") { _, _ in try Adan(learningRate: 0.01) },
    OptimizerCase(name: "adan decay") { _, _ in
      try Adan(learningRate: 0.01, weightDecay: 0.05)
    },
  ]

  /// Of decoupled decay in float32, where 1 - rate · decay is rounded to the same side in each step: half an ulp of 1, a
  /// hundred times.
  private static let toleranceOfDecay = 6e-6

  @Test(arguments: cases) func `are those of the reference`(_ optimizerCase: OptimizerCase) throws {
    let tolerance = optimizerCase.name.hasSuffix("decoupled") ? Self.toleranceOfDecay : 1e-6
    let runs = try Runs.load()
    let expected = try #require(runs.cases[optimizerCase.name])
    let builder = GraphBuilder()
    _ = try builder.parameter("weight", [2, 3], role: .weight) { _ in
      Tensor(Array(runs.start[..<6]), shape: [2, 3])
    }
    _ = try builder.parameter("bias", [2], role: .bias) { _ in Tensor(Array(runs.start[6...])) }
    let store = ParameterStore(builder.result, seed: 0)
    let optimizer = try optimizerCase.make(0, 0)
    store.resetMoments(count: optimizer.momentCount, numbers: optimizer.numberCount)
    let group = ParameterGroup(store, hyperparameters: optimizer.defaults)
    let engine = try Engine(threadCount: 1)
    var rows = expected[...]
    for (step, gradients) in runs.gradients.enumerated() {
      store.withBuffer(.gradients) { buffer in
        var rest = gradients[...]
        for entry in store.parameters {
          for index in entry.range { buffer[index] = Float(rest.removeFirst()) / 128 }
        }
      }
      optimizer.step(store, [group], stepNumber: step + 1, engine: engine)
      guard runs.steps.contains(step + 1) else { continue }
      let values = store.parameters.flatMap { store.value(of: $0).doubles }
      for (got, wanted) in zip(values, rows.removeFirst()) {
        #expect(
          abs(got - wanted) <= tolerance * max(1, abs(wanted)),
          "step \(step + 1): \(got), not \(wanted)")
      }
    }
    #expect(rows.isEmpty)
  }

  @Test func `are tested of every case of the fixture`() throws {
    #expect(Set(Self.cases.map(\.name)) == Set(try Runs.load().cases.keys))
  }

  static let refusals: [(String, @Sendable () throws -> Void)] = [
    ("rmsprop: alpha is 1.0, expected a number from 0 to below 1", { _ = try RMSprop(alpha: 1) }),
    ("rmsprop: epsilon is 0.0, expected a finite number above 0", { _ = try RMSprop(epsilon: 0) }),
    (
      "adagrad: rate decay is -1.0, expected a finite number of at least 0",
      { _ = try Adagrad(rateDecay: -1) }
    ),
    (
      "adagrad: start is inf, expected a finite number of at least 0",
      { _ = try Adagrad(start: .infinity) }
    ),
    ("adadelta: rho is -0.5, expected a number from 0 to below 1", { _ = try Adadelta(rho: -0.5) }),
    (
      "nadam: momentum decay is nan, expected a finite number of at least 0",
      { _ = try NAdam(momentumDecay: .nan) }
    ),
    ("radam: beta2 is 1.0, expected a number from 0 to below 1", { _ = try RAdam(beta2: 1) }),
    ("lars: trust is 0.0, expected a finite number above 0", { _ = try LARS(trust: 0) }),
    (
      "adafactor: beta decay is 0.5, expected a number from -1 to below 0",
      { _ = try Adafactor(betaDecay: 0.5) }
    ),
    ("adafactor: clip is 0.0, expected a finite number above 0", { _ = try Adafactor(clip: 0) }),
    ("adan: beta3 is 2.0, expected a number from 0 to below 1", { _ = try Adan(beta3: 2) }),
    (
      "lamb: weight decay is part of its rule and has no kind; leave the kind out",
      { _ = try BuiltInOptimizer.named("lamb").make(decayKind: .l2) }
    ),
    (
      "schedule-free-sgd: momentum is 1.0, expected a number from 0 to below 1",
      { _ = try ScheduleFreeSGD(beta: 1) }
    ),
    (
      "schedule-free-adamw: beta2 is -0.5, expected a number from 0 to below 1",
      { _ = try ScheduleFreeAdamW(beta2: -0.5) }
    ),
    (
      "dadapt-sgd: growth is 1.0, expected a number above 1", { _ = try DAdaptSGD(growth: 1) }
    ),
    (
      "prodigy: initial distance is 0.0, expected a finite number above 0",
      { _ = try Prodigy(initialDistance: 0) }
    ),
    ("adamax: beta2 is 1.0, expected a number from 0 to below 1", { _ = try Adamax(beta2: 1) }),
    (
      "amsgrad: epsilon is 0.0, expected a finite number above 0", { _ = try AMSGrad(epsilon: 0) }
    ),
    (
      "muon: steps is 0.0, expected an integer from 1 to 100",
      { _ = try Muon(orthogonalizationSteps: 0) }
    ),
    (
      "muon: others rate is -1.0, expected a finite number of at least 0",
      { _ = try Muon(othersRate: -1) }
    ),
    (
      "adamw: rate is inf, expected a finite number of at least 0",
      { _ = try MultiOptimizer(SGD(), .init(AdamW(), for: .all, rate: .infinity)) }
    ),
    (
      "prodigy: it needs all parameters of a network, so it can't be one of several optimisers; use it alone",
      { _ = try MultiOptimizer(SGD(), .init(Prodigy(), for: .all)) }
    ),
    (
      "adagrad: Nesterov momentum is for sgd, lars and muon; choose one of them, or leave it out",
      { _ = try BuiltInOptimizer.named("adagrad").make(nesterov: true) }
    ),
    (
      "adagrad: it has no momentum; leave it out",
      { _ = try BuiltInOptimizer.named("adagrad").make(momentum: 0.9) }
    ),
  ]

  @Test(arguments: refusals.indices) func `have settings with a meaning`(index: Int) {
    let (message, make) = Self.refusals[index]
    let error = #expect(throws: OptimizerError.self) { try make() }
    #expect(error?.description == message)
  }

  @Test func `without numbers are those of the documented ones`() throws {
    #expect(try RMSprop() == RMSprop(learningRate: 0.01, momentum: 0, alpha: 0.99, epsilon: 1e-8))
    #expect(try Adagrad() == Adagrad(learningRate: 0.01, rateDecay: 0, start: 0, epsilon: 1e-10))
    #expect(try Adadelta() == Adadelta(learningRate: 1, rho: 0.9, epsilon: 1e-6))
    #expect(
      try NAdam()
        == NAdam(
          learningRate: 0.002, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentumDecay: 0.004))
    #expect(try RAdam() == RAdam(learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8))
    #expect(
      try LAMB()
        == LAMB(learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-6, weightDecay: 0.01))
    #expect(
      try LARS()
        == LARS(learningRate: 1, momentum: 0.9, trust: 0.001, epsilon: 1e-8, weightDecay: 1e-4))
    #expect(
      try Adan() == Adan(learningRate: 0.001, beta1: 0.98, beta2: 0.92, beta3: 0.99, epsilon: 1e-8))
  }
}
