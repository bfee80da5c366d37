import CrestCallbacks
import CrestData
import CrestLayers
import CrestGraph
import CrestOptimizers
import CrestRuntime
import CrestState
import CrestTensor
import CrestTraining
import Foundation
import ProcessSupport
import Testing
import TrainingTestSupport

/// The estimate on problems whose answer is known.
@Suite struct `An estimate of the optimal rate` {
  typealias Form = LearningRateEstimate.Form

  /// Two weights from (1, 1) on ½ (h₁ θ₁² + h₂ θ₂²), which is the mean squared error of one example whose target is 0: of
  /// θ₁ √h₁ and θ₂ √h₂.
  static func quadratic(
    _ h: [Double], optimizer: any Optimizer, callbacks: [any Callback]
  ) throws -> Learner {
    let roots = h.map { Float($0.squareRoot()) }
    let model = try Model(input: [h.count], seed: 0, engine: Engine(threadCount: 1)) {
      Scale()
    }
    let data = TensorExamples(
      name: "quadratic", inputs: [("input", Tensor(roots, shape: [1, h.count]))],
      targets: Tensor(zeros: [1, h.count]))
    let half = Loss("half", targets: .values) { prediction, _ in
      try prediction * prediction * (Double(h.count) / 2)
    }
    return try Learner(
      model, data: DataSplit(train: data, valid: data), loss: half, optimizer: optimizer,
      callbacks: callbacks, batchSize: 1, prefetch: 0)
  }

  /// A weight for each input, from 1.
  struct Scale: Layer {
    var name: String? { "scale" }
    func trace(_ x: Symbol) throws -> Symbol {
      try x * x.parameter("weight", [x.shape[1]], role: .weight, .ones)
    }
  }

  /// A case of the table: estimates by step.
  struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let rates: @Sendable (Int) -> Double
    var momentum = 0.0
    /// By step: Smith's, its moving average, rate-corrected, of gradients, Smith's by Euclidean norms.
    let expected: [Int: [Double]]
  }

  static let rows = [
    Row(
      testDescription: "A", rates: { _ in 0.05 },
      expected: [
        0: [0.108911, 0.100891, 0.108911, 0.108911, 0.100494],
        1: [0.116781, 0.102480, 0.116781, 0.116781, 0.101771],
        3: [0.157769, 0.110608, 0.157769, 0.157769, 0.120978],
      ]),
    Row(
      testDescription: "B, of which the second weight oscillates", rates: { _ in 0.15 },
      expected: [
        1: [0.115044, 0.102306, 0.115044, 0.115044, 0.101420],
        3: [0.142146, 0.108358, 0.142146, 0.142146, 0.111283],
      ]),
    Row(
      testDescription: "C, which diverges", rates: { _ in 0.21 },
      expected: [
        1: [0.106418, 0.101444, 0.106418, 0.106418, 0.100255],
        3: [0.103322, 0.101917, 0.103322, 0.103322, 0.100068],
      ]),
    Row(
      testDescription: "D, of a moving rate", rates: { 0.01 * Double($0 + 1) },
      expected: [
        0: [0.012249, 0.091225, 0.108911, 0.108911, 0.012469],
        1: [0.088200, 0.090922, 0.109792, 0.109792, 0.097402],
        2: [0.320571, 0.113887, 0.111966, 0.111966, 0.390577],
      ]),
    Row(
      testDescription: "E, with momentum", rates: { _ in 0.05 }, momentum: 0.9,
      expected: [
        0: [0.113402, 0.101340, 0.113402, 0.108911, 0.122880],
        1: [0.194598, 0.110666, 0.194598, 0.111738, 0.203725],
        3: [0.029364, 0.099257, 0.029364, 0.206350, 0.021653],
      ]),
  ]

  /// What a fit estimates, by step.
  static func estimates(
    _ form: Form, of h: [Double], _ optimizer: any Optimizer, steps: Int = 12,
    byGroup: Bool = false, rates: @escaping @Sendable (Int) -> Double
  ) throws -> [Int: LearningRateEstimate.Estimate] {
    let estimate = try LearningRateEstimate(form, byGroup: byGroup)
    var found: [Int: LearningRateEstimate.Estimate] = [:]
    let watch = CallbackOf(
      .beforeBatch { batch in
        if batch.isTraining { batch.learner[.base(.learningRate)] = rates(batch.step) }
      }, .afterStep { _ in if let latest = estimate.latest { found[latest.step] = latest } },
      order: 100, owns: [.base(.learningRate)])
    try quadratic(h, optimizer: optimizer, callbacks: [estimate, watch]).fit(epochs: steps)
    return found
  }

  @Test(arguments: rows) func `is as in the table`(row: Row) throws {
    let optimizer = try SGD(learningRate: 0.1, momentum: row.momentum)
    // By a pass of its own, and by the velocity that the optimiser's pass has in hand.
    for byGroup in [true, false] {
      func find(_ form: Form) throws -> [Int: LearningRateEstimate.Estimate] {
        try Self.estimates(form, of: [1, 10], optimizer, byGroup: byGroup, rates: row.rates)
      }
      let (a, b, c) = (try find(.smith), try find(.rateCorrected), try find(.gradient))
      for (step, values) in row.expected.sorted(by: { $0.key < $1.key }) {
        let got = [
          a[step]?.optimal, a[step]?.smoothed, b[step]?.optimal, c[step]?.optimal,
          a[step]?.euclidean,
        ]
        for (place, (got, value)) in zip(got, values).enumerated() {
          let got = try #require(got)
          // Differences of float32 parameters lose digits.
          #expect(abs(got - value) <= 2e-5 * value + 5e-7, "\(step), \(place): \(got), \(value)")
        }
      }
    }
  }

  @Test func `is the inverse of a single curvature, at any rate`() throws {
    for rate in [0.02, 0.2, 0.45] {
      let found = try Self.estimates(.smith, of: [4], SGD(learningRate: 0.1, momentum: 0)) { _ in
        rate
      }
      for (step, average) in [0.115, 0.1285, 0.14065, 0.151585].enumerated() {
        let estimate = try #require(found[step])
        #expect(abs(estimate.optimal - 0.25) < 1e-5)
        #expect(abs(estimate.mean - 0.25) < 1e-5 && abs(estimate.ratioOfMeans - 0.25) < 1e-5)
        #expect(abs(estimate.smoothed - average) < 1e-6)
      }
    }
  }

  @Test func `grows towards the inverse of the least curvature`() throws {
    let found = try Self.estimates(.smith, of: [1, 10], SGD(learningRate: 0.1, momentum: 0)) { _ in
      0.05
    }
    #expect(abs((found[9]?.optimal ?? 0) - 0.787077) < 2e-4)
  }

  @Test func `on one batch is that of gradients, at once, for any optimiser`() throws {
    for optimizer in [SGD(), Adam(), Lion()] as [any Optimizer] {
      let c = try Self.estimates(.gradient, of: [1, 10], optimizer) { _ in 0.01 }
      let same = try Self.estimates(.sameBatch(every: 2), of: [1, 10], optimizer) { _ in 0.01 }
      #expect(same.keys.sorted() == [0, 2, 4, 6, 8, 10])
      for (step, estimate) in same {
        let other = try #require(c[step])
        #expect(abs(estimate.optimal - other.optimal) <= 1e-4 * other.optimal, "\(optimizer.name)")
      }
    }
  }

  @Test func `of a step that gives no number is none`() throws {
    // At a rate of 0 nothing moves.
    for form in [Form.smith, .rateCorrected, .gradient, .sameBatch(every: 1)] {
      let found = try Self.estimates(form, of: [1, 10], SGD()) { $0 < 4 ? 0 : 0.01 }
      #expect(found.keys.allSatisfy { $0 >= 4 } && !found.isEmpty, "\(form): \(found.keys)")
    }
  }

  /// A weight's gradient of noise alone, from a stream.
  @Test(arguments: [
    (0.0, 0.7071), (0.5, 1.0), (0.8, 1.581), (0.85, 1.826), (0.9, 2.236), (0.95, 3.162),
  ])
  func `of noise is the rate in use over the root of twice 1 less momentum`(
    _ momentum: Double, _ expected: Double
  ) throws {
    let count = 2_000
    let estimate = try LearningRateEstimate()
    let noise = CallbackOf(
      .afterBackward { batch in
        batch.learner.model.store.withBuffer(.gradients) { gradients in
          let generator = Philox(
            seed: 6, stream: Philox.Stream.split, step: UInt32(batch.step))
          for index in gradients.indices {
            let place = UInt64(2 * index)
            // Of Box and Muller.
            let u = max(Double(generator.uniform(place)), 1e-12)
            let angle = 2 * Double.pi * Double(generator.uniform(place + 1))
            gradients[index] = Float((-2 * log(u)).squareRoot() * cos(angle))
          }
        }
      })
    let learner = try Self.quadratic(
      [Double](repeating: 1, count: count), optimizer: SGD(learningRate: 0.1, momentum: momentum),
      callbacks: [estimate, noise])
    try learner.fit(epochs: 200)
    let latest = try #require(estimate.latest)
    #expect(abs(latest.mean / 0.1 - expected) < 0.03 * expected)
    #expect(abs(latest.ratioOfMeans / 0.1 - expected) < 0.03 * expected)
  }

  /// Multinomial logistic regression on the digits: rate, momentum, batch; then Smith's, of gradients, on the same batch.
  static let digits:
    [(rate: Double, momentum: Double, batch: Int?, a: Double, c: Double, c2: Double)] = [
      (0.2, 0, nil, 16.6, 16.6, 16.6), (0.2, 0, 128, 0.213, 0.213, 1.54),
      (0.2, 0, 16, 0.155, 0.155, 1.07), (0.8, 0, 128, 0.606, 0.606, 1.72),
      (0.2, 0.9, nil, 4.25, 99.7, 100), (0.2, 0.9, 128, 1.02, 0.98, 6.80),
      (0.8, 0.9, 128, 2.39, 1.94, 8.78), (2.0, 0.9, 128, 5.01, 4.56, 15.0),
    ]

  @Test(arguments: digits.indices)
  func
    `of the digits is as measured: Smith's follows the rate, and that of one batch the curvature`(
      index: Int
    ) throws
  {
    let row = Self.digits[index]
    let all = try Digits.images().prepared(by: .identity)
    let images = try all.batch(of: Array(0..<all.count)[...])
    let set = TensorExamples(
      name: "digits",
      inputs: [
        ("input", Tensor(images.inputs[0].doubles.map { Float($0 / 16) }, shape: [all.count, 64]))
      ], targets: images.targets, classNames: (0..<10).map { "\($0)" })
    func median(_ form: Form) throws -> Double {
      let estimate = try LearningRateEstimate(form)
      var found: [Int: Double] = [:]
      let watch = CallbackOf(
        .afterStep { batch in
          if let latest = estimate.latest { found[latest.step] = latest.optimal }
          if batch.step == 61 { throw Cancel(.fit, reason: "enough") }
        }, order: 100)
      let model = try Model(input: [64], engine: Engine(threadCount: 1)) {
        Dense(10, initializer: .zeros)
      }
      let batch = row.batch ?? set.count
      let learner = try Learner(
        model, data: DataSplit(train: set, valid: set),
        optimizer: SGD(learningRate: row.rate, momentum: row.momentum),
        callbacks: [estimate, watch], batchSize: batch, seed: 4, prefetch: 0)
      _ = try learner.fit(epochs: 62)
      let values = (20..<60).compactMap { found[$0] }.sorted()
      #expect(values.count == 40)
      return (values[19] + values[20]) / 2
    }
    for (form, expected) in [
      (Form.smith, row.a), (.gradient, row.c), (.sameBatch(every: 1), row.c2),
    ] {
      let got = try median(form)
      // All data and no noise: to two digits. Batches come in another order than those measured: within a fifth, and by
      // half of the curvature that momentum leads along, which turns with them.
      let isByCurvature = row.momentum > 0 && form == .sameBatch(every: 1)
      let tolerance = row.batch == nil ? 0.05 : isByCurvature ? 0.5 : 0.2
      #expect(abs(got - expected) <= tolerance * expected, "\(form): \(got), not \(expected)")
    }
  }

  // MARK: In a run

  static let forms = [Form.smith, .rateCorrected, .gradient, .sameBatch(every: 3)]

  static func learner(_ form: Form?, byGroup: Bool, _ optimizer: any Optimizer) throws -> (
    Learner, LearningRateEstimate?
  ) {
    let estimate = try form.map { try LearningRateEstimate($0, byGroup: byGroup) }
    let callbacks: [any Callback] = [
      try OneCycleScheduler(maxLR: 0.1), Recorder(), try EMA(decay: 0.9),
      try GradientClip(maximum: 0.5),
    ]
    let learner = try Learner(
      ResumeRig.model(),
      data: DataSplit(
        train: ResumeRig.images(22, seed: 3), valid: ResumeRig.images(9, seed: 4)),
      optimizer: optimizer, callbacks: callbacks + [estimate].compactMap(\.self), batchSize: 5,
      seed: 11, transforms: [HorizontalFlip()], prefetch: 0, groups: .layers)
    learner.now = { .zero }
    return (learner, estimate)
  }

  @Test(arguments: forms, [false, true])
  func `changes no bit of training, and resumes with its own`(form: Form, byGroup: Bool) throws {
    for optimizer in [SGD(), try SGD(momentum: 0.5, nesterov: true), Adam()] as [any Optimizer] {
      let plain = try Self.learner(nil, byGroup: byGroup, optimizer).0
      try plain.fit(epochs: 6)
      let (first, estimate) = try Self.learner(form, byGroup: byGroup, optimizer)
      let (states, end) = try first.fitSavingStates(epochs: 6)
      #expect(first.model.store.snapshot() == plain.model.store.snapshot())
      #expect(first.fitResult?.train == plain.fitResult?.train)
      #expect(first.fitResult?.validation == plain.fitResult?.validation)
      #expect(estimate?.latest != nil)
      #expect(estimate?.latestByGroup.count == (byGroup ? first.parameterGroups.count : 0))
      for (place, state) in states.enumerated().filter({ $0.offset % 11 == 1 }) {
        let again = try Self.learner(form, byGroup: byGroup, optimizer).0
        let got = try again.fitResuming(from: state, path: "state", epochs: 6)
        #expect(got == end, "\(optimizer.name), from state \(place)")
      }
    }
  }

  @Test func `of SGD is the same from its velocity as from its parameters`() throws {
    for form in [Form.smith, .rateCorrected] {
      let parts = try [false, true].map { byGroup in
        let (learner, estimate) = try Self.learner(form, byGroup: byGroup, SGD())
        try learner.fit(epochs: 4)
        return try #require(estimate?.latest)
      }
      #expect(abs(parts[0].optimal - parts[1].optimal) < 1e-3 * parts[0].optimal)
      #expect(parts[0].step == parts[1].step)
    }
  }

  @Test func `is in the log of steps and the results of epochs`() throws {
    try TemporaryFolder.lent { folder in
      let path = folder + "/steps.csv"
      let (learner, _) = try Self.learner(.sameBatch(every: 2), byGroup: false, SGD())
      let log = CSVLogger(path: folder + "/epochs.csv")
      try learner.fit(epochs: 2, callbacks: [StepLogger(path: path), log])
      let rows = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
      #expect(
        rows[0]
          == "step,epoch,batch,loss,learning_rate,momentum,lr_estimate,lr_estimate_l2,lr_estimate_mean"
      )
      for (step, row) in rows.dropFirst().enumerated() {
        #expect(row.hasSuffix(",,,") == (step % 2 == 1), "\(row)")
      }
      let epochs = try String(contentsOfFile: log.path, encoding: .utf8).split(separator: "\n")
      #expect(epochs[0].contains(",lr_estimate,"))
      #expect(epochs.count == 3)
    }
  }

  @Test func `far below the rate is noted`() throws {
    let estimate = try LearningRateEstimate(.sameBatch(every: 1))
    // 0.21 is above 2 / 10, the rate at which the second weight diverges.
    let learner = try Self.quadratic(
      [1, 10], optimizer: SGD(learningRate: 0.21, momentum: 0), callbacks: [estimate])
    try learner.fit(epochs: 30)
    let notes = learner.notes.filter { if case .rateAboveEstimate = $0 { true } else { false } }
    #expect(notes.count == 1)
    let calm = try Self.quadratic(
      [1, 10], optimizer: SGD(learningRate: 0.15, momentum: 0),
      callbacks: [try LearningRateEstimate(.sameBatch(every: 1))])
    try calm.fit(epochs: 30)
    #expect(calm.notes.isEmpty)
    #expect(
      Learner.Note.rateAboveEstimate(learningRate: 0.5, estimate: 0.125, step: 40).description
        == "the learning rate, 0.5 in step 40, has been more than twice the estimate of the optimal one for a while, which "
        + "is 0.125 there: plain descent would not be stable")
  }

  @Test func `is refused where it has no meaning`() throws {
    let every = #expect(throws: CallbackError.self) {
      try LearningRateEstimate(.sameBatch(every: 0))
    }
    #expect(
      every?.description == "LearningRateEstimate: every is 0, expected at least 1 step")
    let (learner, _) = try Self.learner(nil, byGroup: false, SGD())
    let several = #expect(throws: CallbackError.self) {
      try learner.fit(
        epochs: 1,
        callbacks: [
          try GradientAccumulation(batches: 3), try LearningRateEstimate(.sameBatch(every: 5)),
        ])
    }
    #expect(
      several?.description
        == "LearningRateEstimate: a step is of 3 batches, and this form needs steps of one; choose another form, or don't "
        + "accumulate gradients")
    #expect(
      throws: LearnerError.twoReporters(
        of: "lr_estimate", first: "LearningRateEstimate", second: "LearningRateEstimate")
    ) {
      try learner.fit(
        epochs: 1, callbacks: [try LearningRateEstimate(), try LearningRateEstimate(.gradient)])
    }
  }

  @Test func `has forms by name`() {
    for form in Self.forms { #expect(Form("\(form)") == form) }
    #expect(Form("same-batch") == .sameBatch(every: 50))
    for text in ["", "Smith", "same-batch:", "same-batch:every=x", "same-batch:every"] {
      #expect(Form(text) == nil, "\(text)")
    }
  }
}
