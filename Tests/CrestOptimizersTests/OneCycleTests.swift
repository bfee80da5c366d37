import CrestOptimizers
import Foundation
import Testing

struct OneCycleTests {
  // MARK: The code of others

  @Test func `every step of whole curves equals the peer's`() throws {
    let fixture = try Fixture()
    for variant in fixture.document.oneCycle {
      let policy = try OneCycle(variant.settings)
      var expected = fixture[variant.curves][...]
      for total in fixture.document.curveSteps {
        let rates = expected.prefix(total)
        let momentums = expected.dropFirst(total).prefix(total)
        for (step, (rate, momentum)) in zip(rates, momentums).enumerated() {
          expect(policy, step, total, rate: rate, momentum: momentum)
        }
        expected = expected.dropFirst(2 * total)
      }
      #expect(expected.isEmpty)
    }
  }

  @Test func `runs of 1 to 1000 steps have the peer's sums and samples`() throws {
    let fixture = try Fixture()
    for variant in fixture.document.oneCycle {
      let policy = try OneCycle(variant.settings)
      let samples = fixture[variant.samples]
      #expect(samples.count == 4 * fixture.document.sampledSteps)
      for total in 1...fixture.document.sampledSteps {
        let sample = samples[4 * (total - 1)..<4 * total].map(\.self)
        let rates = (0..<total).map { policy.learningRate(step: $0, total: total) }
        let momentums = (0..<total).map { policy.momentum(step: $0, total: total) }
        let tolerance = 1e-12 * Double(total)
        #expect(
          abs(rates.reduce(0, +) - sample[0]) <= tolerance * policy.maxLR,
          "\(policy.convention) \(policy.annealing), \(total) steps")
        #expect(
          abs(momentums.reduce(0, +) - sample[1]) <= tolerance,
          "\(policy.convention) \(policy.annealing), \(total) steps")
        let step = ((2_654_435_761 * total) % (1 << 32) * total) >> 32
        expect(policy, step, total, rate: sample[2], momentum: sample[3])
      }
    }
  }

  @Test func `where PyTorch divides by zero, the rise is over in step 0`() throws {
    let undefined = try Fixture().document.undefined
    #expect(undefined.count == 6)
    for row in undefined {
      let policy = try OneCycle(row.settings)
      expect(policy, 0, row.total, rate: policy.maxLR, momentum: policy.momentum.low)
      for step in 0..<row.total {
        #expect(policy.learningRate(step: step, total: row.total).isFinite)
        #expect(policy.momentum(step: step, total: row.total).isFinite)
      }
    }
  }

  private func expect(
    _ policy: OneCycle, _ step: Int, _ total: Int, rate: Double, momentum: Double
  ) {
    let ourRate = policy.learningRate(step: step, total: total)
    let ourMomentum = policy.momentum(step: step, total: total)
    #expect(
      abs(ourRate - rate) <= 1e-12 * policy.maxLR && abs(ourMomentum - momentum) <= 1e-12,
      """
      \(policy.convention) \(policy.annealing), step \(step) of \(total): \
      \(ourRate), \(ourMomentum), expected \(rate), \(momentum)
      """)
  }

  // MARK: Published numbers

  /// Values worked out independently of the fixture, at 100 steps with maxLR 1.
  static let published: [(OneCycle.Convention, Schedule.Annealing, Int, Double, Double?)] = [
    (.fastai, .cosine, 0, 0.04, 0.95),
    (.fastai, .cosine, 10, 0.371671843, 0.91545085),
    (.fastai, .cosine, 25, 1, 0.85),
    (.fastai, .cosine, 29, 0.992998089, 0.850700198),
    (.fastai, .cosine, 50, 0.7500025, 0.875),
    (.fastai, .cosine, 99, 0.000448581, 0.949956142),
    (.fastai1, .cosine, 10, 0.28, 0.925),
    (.fastai1, .cosine, 25, 0.935692194, 0.85669873),
    (.fastai1, .cosine, 30, 1, 0.85),
    (.fastai1, .cosine, 58, 0.654509879, nil),
    (.fastai1, .cosine, 99, 0.000507465, nil),
    (.pytorch, .cosine, 10, 0.295163948, 0.923420422),
    (.pytorch, .cosine, 29, 1, 0.85),
    (.pytorch, .cosine, 50, 0.793893451, 0.870610737),
    (.pytorch, .cosine, 99, 4e-6, 0.95),
    (.pytorchThreePhase, .cosine, 30, 0.997186219, nil),
    (.pytorchThreePhase, .cosine, 50, 0.209254583, 0.932369314),
    (.pytorchThreePhase, .cosine, 58, 0.04, 0.95),
    (.pytorchThreePhase, .linear, 10, 0.371034483, 0.915517241),
    (.pytorchThreePhase, .linear, 50, 0.304827586, nil),
    (.pytorchThreePhase, .linear, 99, 4e-6, 0.95),
    (.smith, .linear, 0, 0.1, 0.95),
    (.smith, .linear, 45, 1, 0.85),
    (.smith, .linear, 60, 2 - 60 / 45.0, 0.85 + 0.1 / 3),
    (.smith, .linear, 90, 0, 0.95),
    (.smith, .linear, 91, 1e-4, 0.95 - 0.1 / 45),
    (.smith, .linear, 99, 1e-4, 0.93),
    // numpy.interp(step, [0, 23, 100], [0.2, 1, 0.07]), as in airbench94.py.
    (.airbench, .linear, 0, 0.2, 0.85),
    (.airbench, .linear, 10, 0.547826087, 0.85),
    (.airbench, .linear, 23, 1, 0.85),
    (.airbench, .linear, 60, 0.553116883, 0.85),
    (.airbench, .linear, 99, 0.082077922, 0.85),
  ]

  @Test(arguments: published)
  func `published values come out`(
    convention: OneCycle.Convention, annealing: Schedule.Annealing, step: Int, rate: Double,
    momentum: Double?
  ) throws {
    let policy = try OneCycle(maxLR: 1, convention: convention, annealing: annealing)
    #expect(abs(policy.learningRate(step: step, total: 100) - rate) < 1e-9)
    if let momentum {
      #expect(abs(policy.momentum(step: step, total: 100) - momentum) < 1e-9)
    }
  }

  // MARK: Every policy

  @Test(arguments: OneCycle.Convention.allCases, Schedule.Annealing.allCases)
  func `short runs stay between the floor and the maximum`(
    convention: OneCycle.Convention, annealing: Schedule.Annealing
  ) throws {
    let policy = try OneCycle(maxLR: 0.3, convention: convention, annealing: annealing)
    let lowest = convention == .smith ? 0 : policy.finalLR
    for total in 1...60 {
      for step in 0..<total {
        let rate = policy.learningRate(step: step, total: total)
        let momentum = policy.momentum(step: step, total: total)
        #expect(rate >= lowest * 0.999 && rate <= 0.3, "step \(step) of \(total)")
        #expect(momentum >= 0.849999 && momentum <= 0.950001, "step \(step) of \(total)")
      }
    }
  }

  /// What runs of one, two and three steps do, as the documentation says.
  static let shortRuns: [(OneCycle.Convention, [Double], [Double], [Double])] = [
    (.fastai, [0.04], [0.04, 0.750_002_5], [0.04, 0.969_846_614, 0.413_182_272]),
    (.fastai1, [0.04], [0.04, 1], [0.04, 1, 0.750_001]),
    (.pytorch, [4e-6], [0.811_745_654, 4e-6], [0.994_415_435, 0.462_637_103, 4e-6]),
    (.airbench, [1], [1, 0.535], [1, 0.69, 0.38]),
    (.smith, [0.1], [0.1, 2 - 1 / 0.9], [0.1, 0.1 + 0.9 / 1.35, 2 - 2 / 1.35]),
  ]

  @Test(arguments: shortRuns)
  func `one, two and three steps are what the documentation says`(
    convention: OneCycle.Convention, one: [Double], two: [Double], three: [Double]
  ) throws {
    let policy = try OneCycle(maxLR: 1, convention: convention)
    for expected in [one, two, three] {
      let rates = expected.indices.map {
        policy.learningRate(step: $0, total: expected.count)
      }
      #expect(zip(rates, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(rates)")
    }
  }

  @Test(arguments: OneCycle.Convention.allCases.filter { $0 != .smith }, [0.0, 1.0])
  func `a rise of nothing or of everything is defined`(
    convention: OneCycle.Convention, riseFraction: Double
  ) throws {
    let policy = try OneCycle(maxLR: 1, convention: convention, riseFraction: riseFraction)
    for total in 1...20 {
      for step in 0..<total {
        let rate = policy.learningRate(step: step, total: total)
        #expect(rate >= 0 && rate <= 1, "step \(step) of \(total)")
      }
    }
  }

  @Test(arguments: OneCycle.Convention.allCases)
  func `rates are proportional to the maximum`(convention: OneCycle.Convention) throws {
    let one = try OneCycle(maxLR: 1, convention: convention)
    let four = try OneCycle(maxLR: 4, convention: convention)
    for step in 0..<37 {
      #expect(
        four.learningRate(step: step, total: 37) == 4 * one.learningRate(step: step, total: 37))
      #expect(four.momentum(step: step, total: 37) == one.momentum(step: step, total: 37))
    }
  }

  // MARK: Refusals

  @Test(arguments: [
    (-0.1, "1cycle: maxLR is -0.1, expected a finite number above 0."),
    (0, "1cycle: maxLR is 0.0, expected a finite number above 0."),
    (.nan, "1cycle: maxLR is nan, expected a finite number above 0."),
    (.infinity, "1cycle: maxLR is inf, expected a finite number above 0."),
  ])
  func `a maximum without a meaning is refused`(maxLR: Double, message: String) {
    #expect(message == refusal { () throws(ScheduleError) in _ = try OneCycle(maxLR: maxLR) })
  }

  @Test func `other numbers without a meaning are refused by name`() {
    let rows: [(String, () throws(ScheduleError) -> Void)] = [
      (
        "1cycle: riseFraction is 25.0, expected a fraction from 0 to 1 (25 % is 0.25).",
        { () throws(ScheduleError) in _ = try OneCycle(maxLR: 1, riseFraction: 25) }
      ),
      (
        "1cycle: riseFraction is nan, expected a fraction from 0 to 1 (25 % is 0.25).",
        { () throws(ScheduleError) in _ = try OneCycle(maxLR: 1, riseFraction: .nan) }
      ),
      (
        "1cycle: riseFraction is 0.6, expected a fraction above 0 and at most 0.5, "
          + "since in the smith convention the fall takes as long.",
        { () throws(ScheduleError) in
          _ = try OneCycle(maxLR: 1, convention: .smith, riseFraction: 0.6)
        }
      ),
      (
        "1cycle: div is 0.0, expected a finite number above 0.",
        { () throws(ScheduleError) in _ = try OneCycle(maxLR: 1, div: 0) }
      ),
      (
        "1cycle: finalDiv is -1.0, expected a finite number above 0.",
        { () throws(ScheduleError) in _ = try OneCycle(maxLR: 1, finalDiv: -1) }
      ),
      (
        "1cycle: div is 1e-305, expected a divisor that leaves the initial learning rate finite.",
        { () throws(ScheduleError) in _ = try OneCycle(maxLR: 1e10, div: 1e-305) }
      ),
      (
        "1cycle: finalDiv is 1e-305, expected a divisor that leaves the last learning rate finite.",
        { () throws(ScheduleError) in _ = try OneCycle(maxLR: 1e10, finalDiv: 1e-305) }
      ),
      (
        "1cycle: momentum high is 1.0, expected a number from 0 to below 1.",
        { () throws(ScheduleError) in _ = try OneCycle.Momentum(high: 1, low: 0.5) }
      ),
      (
        "1cycle: momentum low is -0.5, expected a number from 0 to below 1.",
        { () throws(ScheduleError) in _ = try OneCycle.Momentum(high: 0.9, low: -0.5) }
      ),
      (
        "1cycle: momentum goes from high 0.85 to low 0.95 and back, "
          + "so low must not be above high. Swap the two.",
        { () throws(ScheduleError) in _ = try OneCycle.Momentum(high: 0.85, low: 0.95) }
      ),
    ]
    for (message, make) in rows { #expect(refusal(make) == message) }
  }

  // MARK: Storage

  @Test func `a policy survives JSON, and an edited one is checked again`() throws {
    let policy = try OneCycle(
      maxLR: 0.37, convention: .pytorchThreePhase, riseFraction: 1.0 / 3, div: 12,
      momentum: OneCycle.Momentum(high: 0.9, low: 0.8))
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let data = try encoder.encode(policy)
    #expect(try JSONDecoder().decode(OneCycle.self, from: data) == policy)
    let text = String(decoding: data, as: UTF8.self)
    #expect(
      text == """
        {"annealing":"cosine","convention":"pytorch-three-phase","div":12,"finalDiv":10000,\
        "maxLR":0.37,"momentum":{"high":0.9,"low":0.8},"riseFraction":0.3333333333333333}
        """)
    let edited = Data(text.replacing("\"div\":12", with: "\"div\":0").utf8)
    #expect(throws: ScheduleError.self) {
      try JSONDecoder().decode(OneCycle.self, from: edited)
    }
  }
}

extension OneCycle {
  fileprivate init(_ settings: Fixture.Settings) throws {
    // On its own line: as an optional argument, an unknown name would pass for "not given".
    let annealing: Schedule.Annealing = try #require(
      Schedule.Annealing(rawValue: settings.annealing))
    try self.init(
      maxLR: settings.maxLR,
      convention: #require(Convention(rawValue: settings.convention)),
      riseFraction: settings.percentStart,
      div: settings.div,
      finalDiv: settings.finalDiv,
      annealing: annealing,
      momentum: Momentum(high: settings.momentum[0], low: settings.momentum[1]))
  }
}

/// The message that `make` refuses with, nil when it does not.
func refusal(_ make: () throws(ScheduleError) -> Void) -> String? {
  do {
    try make()
    return nil
  } catch {
    return error.description
  }
}
