import AllocationCounter
import CrestGraph
import CrestOptimizers
import CrestRuntime
import CrestTensor
import Foundation
import Testing

/// The committed results of `Tests/Fixtures/make_optimizers.py`.
private struct OptimizerFixture: Decodable {
  let start: [Float]
  let gradients: [[Float]]
  let schedule: [[Double]]
  let rate: Double
  let decay: Double
  let cases: [String: [[Float]]]

  static func load() throws -> OptimizerFixture {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    return try JSONDecoder().decode(
      OptimizerFixture.self,
      from: Data(contentsOf: folder.appending(path: "Fixtures/optimizers/optimizers.json")))
  }
}

/// An optimiser and the case of the fixture it has to reproduce.
struct OptimizerCase: Sendable, CustomTestStringConvertible {
  let name: String
  let make: @Sendable (_ rate: Double, _ decay: Double) throws -> any Optimizer

  var testDescription: String { name }

  static let all: [OptimizerCase] =
    [(0.0, false), (0.9, false), (0.9, true)].flatMap { momentum, nesterov in
      let name = "sgd momentum \(momentum)\(nesterov ? " nesterov" : "")"
      return [
        OptimizerCase(name: name) { rate, _ in
          try SGD(learningRate: rate, momentum: momentum, nesterov: nesterov)
        }
      ]
        + WeightDecay.Kind.allCases.map { kind in
          OptimizerCase(name: "\(name) \(kind)") { rate, decay in
            try SGD(
              learningRate: rate, momentum: momentum, nesterov: nesterov, weightDecay: decay,
              decayKind: kind, decayTargets: .all)
          }
        }
    } + [
      OptimizerCase(name: "sgd l2 on weights") { rate, decay in
        try SGD(learningRate: rate, weightDecay: decay)
      },
      OptimizerCase(name: "sgd l2 scheduled") { rate, decay in
        try SGD(learningRate: rate, weightDecay: decay, decayTargets: .all)
      },
      OptimizerCase(name: "adam") { rate, _ in
        try Adam(learningRate: rate, beta2: 0.99, epsilon: 1e-6)
      },
      OptimizerCase(name: "adam l2") { rate, decay in
        try Adam(
          learningRate: rate, beta2: 0.99, epsilon: 1e-6, weightDecay: decay, decayTargets: .all)
      },
      OptimizerCase(name: "adam l2 on weights") { rate, decay in
        try Adam(learningRate: rate, beta2: 0.99, epsilon: 1e-6, weightDecay: decay)
      },
      OptimizerCase(name: "adam l2 scheduled") { rate, decay in
        try Adam(
          learningRate: rate, beta2: 0.99, epsilon: 1e-6, weightDecay: decay, decayTargets: .all)
      },
      OptimizerCase(name: "adam decoupled") { rate, decay in
        try Adam(
          learningRate: rate, beta2: 0.99, epsilon: 1e-6, weightDecay: decay,
          decayKind: .decoupled, decayTargets: .all)
      },
      OptimizerCase(name: "adam decoupled on weights") { rate, decay in
        try AdamW(learningRate: rate, beta2: 0.99, epsilon: 1e-6, weightDecay: decay)
      },
      OptimizerCase(name: "adam decoupled scheduled") { rate, decay in
        try AdamW(
          learningRate: rate, beta2: 0.99, epsilon: 1e-6, weightDecay: decay, decayTargets: .all)
      },
    ]
}

/// w ← w - rate · sign(g), as in the documentation of `Optimizer`.
private struct SignSGD: Optimizer {
  let name = "signsgd"
  let defaults = Hyperparameters(learningRate: 1e-3, momentum: 0)
  let momentCount = 0

  func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    store.withBuffer(.parameters) { parameters in
      store.withBuffer(.gradients) { gradients in
        for group in groups {
          let rate = Float(group.hyperparameters.learningRate)
          for index in group.ranges.joined() where gradients[index] != 0 {
            parameters[index] -= gradients[index] > 0 ? rate : -rate
          }
        }
      }
    }
  }
}

@Suite struct OptimizerTests {
  /// A store of parameters by name, role and values.
  private func store(
    _ parameters: [(name: String, role: Graph.ParameterRole, values: [Float])]
  ) throws -> ParameterStore {
    let builder = GraphBuilder()
    for (name, role, values) in parameters {
      _ = try builder.parameter(name, [values.count], role: role) { _ in Tensor(values) }
    }
    return ParameterStore(builder.result, seed: 0)
  }

  private func setGradients(_ gradients: [Float], of store: ParameterStore) {
    store.withBuffer(.gradients) { buffer in
      var rest = gradients[...]
      for entry in store.parameters {
        for index in entry.range { buffer[index] = rest.removeFirst() }
      }
    }
  }

  private func values(_ store: ParameterStore) -> [Float] {
    store.parameters.flatMap { store.value(of: $0).array(as: Float.self) }
  }

  @Test(arguments: OptimizerCase.all)
  func `five steps end where PyTorch's do`(_ optimizerCase: OptimizerCase) throws {
    let fixture = try OptimizerFixture.load()
    let expected = try #require(fixture.cases[optimizerCase.name])
    let optimizer = try optimizerCase.make(fixture.rate, fixture.decay)
    let engine = try Engine(threadCount: 1)
    let store = try store([
      ("weight", .weight, Array(fixture.start[..<5])), ("bias", .bias, Array(fixture.start[5...])),
    ])
    store.resetMoments(count: optimizer.momentCount)
    var group = ParameterGroup(store, hyperparameters: optimizer.defaults)
    for (step, gradients) in fixture.gradients.enumerated() {
      if optimizerCase.name.hasSuffix("scheduled") {
        group.hyperparameters.learningRate = fixture.schedule[step][0]
        group.hyperparameters.momentum = fixture.schedule[step][1]
      }
      setGradients(gradients, of: store)
      optimizer.step(store, [group], stepNumber: step + 1, engine: engine)
      for (got, wanted) in zip(values(store), expected[step]) {
        #expect(
          abs(got - wanted) <= 1e-6 * max(1, abs(wanted)), "step \(step): \(got), not \(wanted)")
      }
    }
  }

  #if DEBUG
    private static let isOptimized = false
  #else
    private static let isOptimized = true
  #endif

  @Test(
    .enabled(
      if: isOptimized && allocation_counter_is_available() != 0,
      "an optimised build is held to it, and allocations are counted on glibc only"))
  func `a step allocates nothing`() throws {
    let optimizers: [any Optimizer] = [
      SGD(), Adam(), AdamW(), Lion(), RMSprop(), Adagrad(), Adadelta(), NAdam(), RAdam(), Adan(),
      Adamax(), AMSGrad(),
    ]
    let engine = try Engine(threadCount: 2)
    for optimizer in optimizers {
      let store = try store([("a", .weight, [1, 2]), ("b", .bias, [3]), ("c", .weight, [4])])
      store.resetMoments(count: optimizer.momentCount)
      let groups = [ParameterGroup(store, hyperparameters: optimizer.defaults)]
      optimizer.step(store, groups, stepNumber: 1, engine: engine)
      let before = allocation_counter_value()
      for step in 2...5 {
        optimizer.step(store, groups, stepNumber: step, engine: engine)
      }
      let count = allocation_counter_value() - before
      #expect(count == 0, "\(optimizer.name): \(count) allocations")
    }
  }

  @Test func `every case of the fixture is tested`() throws {
    #expect(
      Set(OptimizerCase.all.map(\.name)) == Set(try OptimizerFixture.load().cases.keys))
  }

  @Test func `neighbours of one group are one range, and frozen ones split it`() throws {
    let store = try store([
      ("a.weight", .weight, [1, 2]), ("a.bias", .bias, [3]), ("b.weight", .weight, [4, 5, 6]),
      ("b.bias", .bias, [7]), ("c.weight", .weight, [8]),
    ])
    let settings = SGD().defaults
    let places = Dictionary(
      uniqueKeysWithValues: store.parameters.map { ($0.name, $0.range) })
    let (a, b, c) = try (
      #require(places["a.weight"]), #require(places["b.weight"]), #require(places["c.weight"])
    )
    let all = ParameterGroup(store, hyperparameters: settings)
    #expect(all.weightRanges == [a.lowerBound..<c.upperBound])
    #expect(all.otherRanges.count == 1)
    #expect(all.names == store.parameters.map(\.name))
    let outer = ParameterGroup(store, hyperparameters: settings) { !$0.name.hasPrefix("b.") }
    #expect(outer.weightRanges == [a, c])
    #expect(outer.names == ["a.weight", "a.bias", "c.weight"])
    let inner = ParameterGroup(store, hyperparameters: settings) { $0.name.hasPrefix("b.") }
    #expect(inner.weightRanges == [b])
    #expect(inner.ranges.count == 2)
  }

  @Test func `groups learn at their own rates, and what is in no group stays`() throws {
    let store = try store([
      ("a", .weight, [1, 1]), ("b", .weight, [1, 1]), ("c", .weight, [1, 1]),
    ])
    let optimizer = try SGD(momentum: 0)
    store.resetMoments(count: optimizer.momentCount)
    setGradients([1, 1, 1, 1, 1, 1], of: store)
    let groups = [("a", 0.5), ("c", 0.25)].map { name, rate in
      ParameterGroup(store, hyperparameters: Hyperparameters(learningRate: rate, momentum: 0)) {
        $0.name == name
      }
    }
    optimizer.step(store, groups, stepNumber: 1, engine: try Engine(threadCount: 1))
    #expect(values(store) == [0.5, 0.5, 1, 1, 0.75, 0.75])
  }

  @Test func `an optimiser of one's own works on the buffers`() throws {
    let store = try store([("a", .weight, [1, 1, 1]), ("b", .bias, [0])])
    setGradients([3, -0.5, 0, 7], of: store)
    let group = ParameterGroup(
      store, hyperparameters: Hyperparameters(learningRate: 0.25, momentum: 0))
    let optimizer: any Optimizer = SignSGD()
    optimizer.step(store, [group], stepNumber: 1, engine: try Engine(threadCount: 1))
    #expect(values(store) == [0.75, 1.25, 1, -0.25])
    #expect(optimizer.decayKind == .decoupled && optimizer.decayTargets == .weights)
  }

  @Test func `optimisers made without numbers are those made with the documented ones`() throws {
    #expect(
      try SGD(
        learningRate: 0.01, momentum: 0.9, nesterov: false, weightDecay: 0, decayKind: .l2,
        decayTargets: .weights) == SGD())
    #expect(
      try Adam(
        learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0,
        decayKind: .l2, decayTargets: .weights) == Adam())
    #expect(
      try AdamW(
        learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01,
        decayTargets: .weights) == AdamW())
    #expect(
      try Lion(
        learningRate: 0.0001, beta1: 0.9, beta2: 0.99, weightDecay: 0, decayKind: .decoupled,
        decayTargets: .weights) == Lion())
  }

  @Test func `Lion steps by the sign of what its paper says`() throws {
    let store = try store([("a", .weight, [1, 1, 1]), ("b", .bias, [2])])
    let optimizer = try Lion(learningRate: 0.5, beta1: 0.5, beta2: 0.75, weightDecay: 0.25)
    store.resetMoments(count: optimizer.momentCount)
    let group = ParameterGroup(store, hyperparameters: optimizer.defaults)
    let engine = try Engine(threadCount: 1)
    setGradients([3, -1, 0, 1], of: store)
    optimizer.step(store, [group], stepNumber: 1, engine: engine)
    // Weights first lose 1/8; m is a quarter of the gradient.
    #expect(values(store) == [0.375, 1.375, 0.875, 1.5])
    setGradients([-1, -1, 0, 0], of: store)
    optimizer.step(store, [group], stepNumber: 2, engine: engine)
    // Half of m and of the gradient: -1/8, -5/8, 0, 1/8.
    #expect(values(store) == [0.828125, 1.703125, 0.765625, 1])
    store.withBuffer(.moments(0)) { #expect(Array($0.prefix(3)) == [0.3125, -0.4375, 0]) }
  }

  @Test func `names make the optimisers they name`() throws {
    for name in BuiltInOptimizer.all.map(\.name) {
      #expect(try BuiltInOptimizer.named(name).make().name == name)
    }
    let sgd = try BuiltInOptimizer.named("sgd").make(
      momentum: 0.5, weightDecay: 0.1, decayKind: .decoupled, decayTargets: .all)
    #expect(
      sgd as? SGD
        == (try SGD(
          momentum: 0.5, weightDecay: 0.1, decayKind: .decoupled, decayTargets: .all)))
  }

  /// What is asked, and what the error says.
  struct Refusal: Sendable, CustomTestStringConvertible {
    let message: String
    let make: @Sendable () throws(OptimizerError) -> Void

    var testDescription: String { message }

    init(_ message: String, _ make: @escaping @Sendable () throws(OptimizerError) -> Void) {
      self.message = message
      self.make = make
    }
  }

  static let refusals = [
    Refusal("sgd: learning rate is -0.1, expected a finite number of at least 0") {
      () throws(OptimizerError) in _ = try SGD(learningRate: -0.1)
    },
    Refusal("sgd: learning rate is nan, expected a finite number of at least 0") {
      () throws(OptimizerError) in _ = try SGD(learningRate: .nan)
    },
    Refusal("sgd: momentum is 1.0, expected a number from 0 to below 1") {
      () throws(OptimizerError) in _ = try SGD(momentum: 1)
    },
    Refusal("sgd: weight decay is inf, expected a finite number of at least 0") {
      () throws(OptimizerError) in _ = try SGD(weightDecay: .infinity)
    },
    Refusal("sgd: Nesterov needs a momentum above 0, got 0; give one or switch Nesterov off") {
      () throws(OptimizerError) in _ = try SGD(momentum: 0, nesterov: true)
    },
    Refusal("adam: momentum is -0.5, expected a number from 0 to below 1") {
      () throws(OptimizerError) in _ = try Adam(beta1: -0.5)
    },
    Refusal("adam: beta2 is 1.5, expected a number from 0 to below 1") {
      () throws(OptimizerError) in _ = try Adam(beta2: 1.5)
    },
    Refusal("adamw: epsilon is -1.0, expected a finite number of at least 0") {
      () throws(OptimizerError) in _ = try AdamW(epsilon: -1)
    },
    Refusal("adamw: expected decoupled weight decay, got l2; use adam for l2") {
      () throws(OptimizerError) in _ = try BuiltInOptimizer.named("adamw").make(decayKind: .l2)
    },
    Refusal(
      "optimizer: expected one of sgd, adam, adamw, lion, rmsprop, adagrad, adadelta, adamax, amsgrad, nadam, radam, lamb, "
        + "lars, adafactor, adan, muon, schedule-free-sgd, schedule-free-adamw, dadapt-sgd, prodigy, got "
        + "\"sdg\""
    ) {
      () throws(OptimizerError) in _ = try BuiltInOptimizer.named("sdg")
    },
  ]

  @Test(arguments: refusals)
  func `numbers without a meaning are refused`(_ refusal: Refusal) {
    do throws(OptimizerError) {
      try refusal.make()
      Issue.record("not refused")
    } catch {
      #expect(error.description == refusal.message)
    }
  }
}
