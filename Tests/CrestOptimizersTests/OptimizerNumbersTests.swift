import CrestGraph
import CrestOptimizers
import CrestRuntime
import CrestTensor
import Testing

/// Three steps of two numbers, as reference implementations take them in `Double`.
@Suite struct `Three steps` {
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let make: @Sendable () throws -> any Optimizer
    /// After each step.
    let expected: [[Double]]

    init(
      _ name: String, _ expected: [[Double]], _ make: @escaping @Sendable () throws -> any Optimizer
    ) {
      testDescription = name
      self.expected = expected
      self.make = make
    }
  }

  static let rows = [
    Row("sgd", [[0.99, -1.98], [0.951, -1.972], [0.9359, -2.0048]]) { try SGD(learningRate: 0.1) },
    Row("sgd nesterov", [[0.981, -1.962], [0.9159, -1.9648], [0.92231, -2.03432]]) {
      try SGD(learningRate: 0.1, nesterov: true)
    },
    Row(
      "rmsprop torch",
      [[0.9000001, -1.90000005], [0.80508433, -1.944901355], [0.858747608, -2.032375303]]
    ) { RMSprop() },
    Row(
      "rmsprop torch centred",
      [[0.899496319, -1.899496269], [0.803815099, -1.944441109], [0.857551988, -2.032107696]]
    ) { try RMSprop(centred: true) },
    Row(
      "rmsprop keras",
      [[0.968378805, -1.968377619], [0.938227824, -1.983121654], [0.955829952, -2.011307377]]
    ) { try RMSprop(convention: .keras) },
    Row(
      "rmsprop keras momentum",
      [[0.968378805, -1.968377619], [0.909768748, -1.954661512], [0.874621825, -1.970502737]]
    ) { try RMSprop(momentum: 0.9, convention: .keras) },
    Row(
      "rmsprop tensorFlow",
      [[0.998946493, -1.997896484], [0.995633345, -1.999004454], [0.997955303, -2.003625906]]
    ) { try RMSprop(convention: .tensorFlow) },
    Row("adagrad", [[0.9, -1.9], [0.80513167, -1.94472136], [0.858583919, -2.032008516]]) {
      try Adagrad(learningRate: 0.1)
    },
    Row(
      "adadelta",
      [[0.996839302, -1.996838118], [0.992576568, -1.998922905], [0.995969687, -2.003229241]]
    ) { Adadelta() },
    Row(
      "adam",
      [[0.90000001, -1.900000005], [0.808221902, -1.873366303], [0.782431523, -1.91909948]]
    ) { try Adam(learningRate: 0.1) },
    Row(
      "amsgrad",
      [[0.90000001, -1.900000005], [0.808221902, -1.873366303], [0.782431523, -1.91909948]]
    ) { try AMSGrad(learningRate: 0.1) },
    Row(
      "adamw",
      [[0.89000001, -1.880000005], [0.789321902, -1.834566303], [0.755638304, -1.861953817]]
    ) { try AdamW(learningRate: 0.1, weightDecay: 0.1) },
    Row(
      "adamax",
      [[0.90000001, -1.900000005], [0.83157896, -1.878926301], [0.812987183, -1.909184603]]
    ) { try Adamax(learningRate: 0.1) },
    Row(
      "nadam torch",
      [[0.894354831, -1.894354826], [0.793220744, -1.935465797], [0.845941225, -2.032720951]]
    ) { try NAdam(learningRate: 0.1) },
    Row(
      "nadam keras",
      [[0.893721324, -1.893721271], [0.794512813, -1.932980773], [0.842712, -2.024774803]]
    ) { try NAdam(learningRate: 0.1, epsilon: 1e-7, momentumDecay: 1) },
    Row("radam", [[0.99, -1.98], [0.969473684, -1.975789474], [0.963901728, -1.987892795]]) {
      try RAdam(learningRate: 0.1)
    },
    Row(
      "lamb",
      [[0.841886512, -1.841885722], [0.647393436, -1.78544458], [0.554103633, -1.950872264]]
    ) { try LAMB(learningRate: 0.1, weightDecay: 0, alwaysAdapts: true) },
    Row(
      "lamb decay",
      [[0.848903784, -1.835166953], [0.664420732, -1.752397652], [0.523009171, -1.875386654]]
    ) { try LAMB(learningRate: 0.1, weightDecay: 0.1) },
    Row("lars", [[0.9999, -1.9998], [0.999597968, -1.999690512], [0.99942602, -1.999791733]]) {
      try LARS(learningRate: 0.1)
    },
    Row("lion", [[0.9, -1.9], [0.8, -2], [0.9, -2.1]]) { try Lion(learningRate: 0.1) },
    Row("lion decay", [[0.89, -1.88], [0.7811, -1.9612], [0.873289, -2.041588]]) {
      try Lion(learningRate: 0.1, weightDecay: 0.1)
    },
    Row(
      "adafactor",
      [[0.841886117, -1.841886117], [0.662394248, -1.935672236], [0.772160721, -2.108320007]]
    ) { try Adafactor(learningRate: 0.1) },
    Row(
      "adan",
      [[0.90000001, -1.900000005], [0.815253802, -1.931590039], [0.823726181, -1.995461534]]
    ) { try Adan(learningRate: 0.1) },
    Row(
      "adan decay",
      [[0.898203603, -1.89620759], [0.811833728, -1.923949724], [0.818668768, -1.983853512]]
    ) { try Adan(learningRate: 0.1, weightDecay: 0.02) },
    Row("schedule-free sgd", [[0.99, -1.98], [0.9735, -1.9855], [0.977, -2.003]]) {
      ScheduleFreeSGD()
    },
    Row(
      "schedule-free adamw",
      [[0.90000001, -1.900000005], [0.826224531, -1.934790279], [0.843132782, -2.004735565]]
    ) { try ScheduleFreeAdamW(learningRate: 0.1) },
    Row(
      "schedule-free adamw decay",
      [[0.89000001, -1.880000005], [0.811329531, -1.904450279], [0.823657464, -1.963957763]]
    ) { try ScheduleFreeAdamW(learningRate: 0.1, weightDecay: 0.1) },
  ]

  private static func store(_ values: [Float], _ shape: [Int]) throws -> ParameterStore {
    let builder = GraphBuilder()
    _ = try builder.parameter("w", Shape(shape), role: .weight) { _ in
      Tensor(values, shape: Shape(shape))
    }
    return ParameterStore(builder.result, seed: 0)
  }

  private static func run(
    _ optimizer: any Optimizer, _ store: ParameterStore, _ gradients: [[Float]]
  ) throws -> [[Double]] {
    store.resetMoments(count: optimizer.momentCount, numbers: optimizer.numberCount)
    let group = ParameterGroup(store, hyperparameters: optimizer.defaults)
    let engine = try Engine(threadCount: 1)
    return gradients.enumerated().map { step, gradient in
      store.withBuffer(.gradients) { _ = $0.update(fromContentsOf: gradient) }
      optimizer.step(store, [group], stepNumber: step + 1, engine: engine)
      return store.value(of: store.parameters[0]).doubles
    }
  }

  @Test(arguments: rows) func `end where the reference's do`(_ row: Row) throws {
    let got = try Self.run(
      row.make(), Self.store([1, -2], [2]), [[0.1, -0.2], [0.3, 0.1], [-0.2, 0.4]])
    for (got, expected) in zip(got, row.expected) {
      for (a, b) in zip(got, expected) {
        #expect(abs(a - b) <= 1e-6 * abs(b), "\(got), not \(expected)")
      }
    }
  }

  @Test func `of schedule-free optimisers predict with the average`() throws {
    let rows: [(any AveragingOptimizer, [Double])] = [
      (ScheduleFreeSGD(), [0.976666667, -2]),
      (try ScheduleFreeAdamW(learningRate: 0.1), [0.84143255, -1.992550892]),
    ]
    for (optimizer, expected) in rows {
      let store = try Self.store([1, -2], [2])
      let last = try Self.run(optimizer, store, [[0.1, -0.2], [0.3, 0.1], [-0.2, 0.4]])[2]
      optimizer.toAverage(store)
      for (a, b) in zip(store.value(of: store.parameters[0]).doubles, expected) {
        #expect(abs(a - b) <= 1e-6 * abs(b), "\(optimizer.name): \(a), not \(b)")
      }
      optimizer.toTraining(store)
      for (a, b) in zip(store.value(of: store.parameters[0]).doubles, last) {
        #expect(abs(a - b) <= 1e-6 * abs(b))
      }
    }
  }

  static let matrixGradients: [[Float]] = [
    [0.1, 0.2, 0.3, -0.4], [0.2, -0.1, 0.1, 0.3], [-0.3, 0.2, 0.1, 0.1],
  ]

  static let matrices = [
    Row(
      "muon",
      [
        [0.921143, 1.931239, 2.941335, 4.048569], [0.860102, 1.973933, 2.900181, 3.986653],
        [0.917242, 1.898535, 2.809533, 3.971464],
      ]
    ) { try Muon(learningRate: 0.1, parameters: .all, weightDecay: 0) },
    Row(
      "muon, 3 steps",
      [
        [0.914876, 1.928801, 2.942726, 4.043349], [0.857883, 1.967066, 2.903595, 3.986848],
        [0.906023, 1.890017, 2.817396, 3.963877],
      ]
    ) {
      try Muon(
        learningRate: 0.1, orthogonalizationSteps: 3, parameters: .all, weightDecay: 0)
    },
    Row(
      "adafactor",
      [
        [0.787868, 1.7, 2.715395, 4.268328], [0.369997, 1.84774, 2.599976, 4.023488],
        [0.771626, 1.608391, 2.480286, 3.916495],
      ]
    ) { try Adafactor(learningRate: 0.1) },
  ]

  @Test(arguments: matrices) func `of a matrix end where the reference's do`(_ row: Row) throws {
    let got = try Self.run(row.make(), Self.store([1, 2, 3, 4], [2, 2]), Self.matrixGradients)
    for (got, expected) in zip(got, row.expected) {
      // The numbers have six digits behind the point.
      for (a, b) in zip(got, expected) { #expect(abs(a - b) <= 1.5e-6, "\(got), not \(expected)") }
    }
  }

  @Test func `of RAdam are of the momentum until the sixth`() throws {
    let got = try Self.run(
      try RAdam(learningRate: 0.1), Self.store([1], [1]), [[Float]](repeating: [0.5], count: 8))
    let expected = [0.95, 0.9, 0.85, 0.8, 0.75, 0.747417889, 0.744144009, 0.740270182]
    for (got, expected) in zip(got, expected) { #expect(abs(got[0] - expected) <= 1e-6) }
  }
}
