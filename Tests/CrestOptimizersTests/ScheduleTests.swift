import CrestOptimizers
import Foundation
import Testing

struct ScheduleTests {
  /// One schedule of each kind, under the name of its values in the fixture.
  static let peers: [(name: String, make: @Sendable () throws -> Schedule)] = [
    ("linear 0.5 to 0.01", { try .linear(from: 0.5, to: 0.01) }),
    ("cosine 0.5 to 0.01", { try .cosine(from: 0.5, to: 0.01) }),
    ("exponential 0.5 to 0.01", { try .exponential(from: 0.5, to: 0.01) }),
    (
      "polynomial 0.5 to 0.01, power 2.5", { try .polynomial(from: 0.5, to: 0.01, power: 2.5) }
    ),
    ("flat cosine 0.5", { try .flatCosine(from: 0.5) }),
    (
      "combined 0.25 0.5 0.25",
      {
        try .combined([
          .init(0.25, .linear(from: 0.1, to: 1)), .init(0.5, .constant(1)),
          .init(0.25, .cosine(from: 1, to: 0)),
        ])
      }
    ),
    ("triangular", { try .triangular(from: 0.1, to: 3, stepsUp: 10) }),
    ("triangular, 15 down", { try .triangular(from: 0.1, to: 3, stepsUp: 10, stepsDown: 15) }),
    ("triangular, momentum", { try .triangular(from: 0.9, to: 0.8, stepsUp: 10) }),
    ("triangular2", { try .triangular(from: 0.1, to: 3, stepsUp: 10, scale: .halving) }),
    (
      "exponential range 0.97",
      { try .triangular(from: 0.1, to: 3, stepsUp: 10, scale: .exponential(gamma: 0.97)) }
    ),
    ("step decay 0.1 every 30", { try .stepDecay(from: 0.5, factor: 0.1, every: 30) }),
    (
      "step decay 0.1 at 50 and 75", { try .stepDecay(from: 0.5, factor: 0.1, at: [0.5, 0.75]) }
    ),
  ]

  @Test func `every shape equals fastai's or PyTorch's`() throws {
    let fixture = try Fixture()
    #expect(fixture.document.shapes.map(\.name) == Self.peers.map(\.name))
    for (row, peer) in zip(fixture.document.shapes, Self.peers) {
      let schedule = try peer.make()
      let expected = fixture[row.values]
      for (step, value) in expected.enumerated() {
        let ours = schedule.value(step: step, total: expected.count)
        #expect(abs(ours - value) <= 1e-12, "\(row.name), step \(step): \(ours), not \(value)")
      }
    }
  }

  @Test(arguments: [0.1, 0.3, 1.0 / 3, 0.7])
  func `a phase counts its own steps`(fraction: Double) throws {
    let schedule = try Schedule.combined([
      .init(fraction, .stepDecay(from: 1, factor: 0.5, every: 3)),
      .init(1 - fraction, .stepDecay(from: 8, factor: 0.5, every: 2)),
    ])
    for total in 1...120 {
      let first = (0..<total).first { Double($0) / Double(total) >= fraction } ?? total
      for step in 0..<total {
        let expected =
          step < first
          ? Double(sign: .plus, exponent: -(step / 3), significand: 1)
          : Double(sign: .plus, exponent: 3 - (step - first) / 2, significand: 1)
        #expect(schedule.value(step: step, total: total) == expected, "step \(step) of \(total)")
      }
    }
  }

  @Test func `a policy in a phase is a whole cycle`() throws {
    let policy = try OneCycle(maxLR: 1, convention: .pytorch)
    let twice = try Schedule.combined([
      .init(0.4, .learningRate(of: policy)), .init(0.6, .learningRate(of: policy)),
    ])
    #expect(
      (0..<50).map { twice.value(step: $0, total: 50) }
        == (0..<20).map { policy.learningRate(step: $0, total: 20) }
        + (0..<30).map { policy.learningRate(step: $0, total: 30) })
  }

  @Test func `nesting is the same as writing the phases in a row`() throws {
    let inner = try Schedule.combined([
      .init(0.5, .constant(2)), .init(0.5, .linear(from: 2, to: 1)),
    ])
    let nested = try Schedule.warmUp(from: 0, to: 2, fraction: 0.5, then: inner)
    let flat = try Schedule.combined([
      .init(0.5, .linear(from: 0, to: 2)), .init(0.25, .constant(2)),
      .init(0.25, .linear(from: 2, to: 1)),
    ])
    #expect(nested == flat)
    #expect([0, 2, 4, 6, 7].map { nested.value(step: $0, total: 8) } == [0, 1, 2, 2, 1.5])
  }

  @Test func `a phase without a step is passed over`() throws {
    let schedule = try Schedule.combined([
      .init(0, .constant(1)), .init(0.05, .constant(2)), .init(0.95, .constant(3)),
      .init(0, .constant(4)),
    ])
    #expect((0..<3).map { schedule.value(step: $0, total: 3) } == [2, 3, 3])
  }

  @Test func `fractions that round do not leave a gap`() throws {
    let tenths = try Schedule.combined((0..<10).map { .init(0.1, try .constant(Double($0))) })
    for total in 1...300 {
      let values = (0..<total).map { tenths.value(step: $0, total: total) }
      #expect(values.first == 0 && values == values.sorted(), "\(total) steps")
    }
  }

  @Test func `a step that is not in the run traps`() async {
    // Optionals, since a thrown error would end the process as a trap does.
    await #expect(processExitsWith: .failure) {
      let schedule = try? Schedule.constant(1)
      _ = schedule?.value(step: 10, total: 10)
    }
    await #expect(processExitsWith: .failure) {
      let policy = try? OneCycle(maxLR: 1)
      _ = policy?.learningRate(step: 0, total: 0)
    }
    await #expect(processExitsWith: .failure) {
      let policy = try? OneCycle(maxLR: 1, convention: .smith)
      _ = policy?.momentum(step: -1, total: 5)
    }
  }

  @Test func `a schedule of your own gives its values, and is stored by its name and settings`()
    throws
  {
    func schedule(_ peak: Double) -> Schedule {
      Schedule("ramp", settings: ["peak": peak]) { step, stepCount in
        peak * Double(step) / Double(stepCount)
      }
    }
    #expect(schedule(2).value(step: 3, total: 4) == 1.5)
    #expect(schedule(2) == schedule(2) && schedule(2) != schedule(3))
    let joined = try Schedule.combined([
      .init(0.5, schedule(2)), .init(0.5, .constant(1)),
    ])
    #expect((0..<4).map { joined.value(step: $0, total: 4) } == [0, 1, 1, 1])
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let json = try encoder.encode(schedule(2))
    #expect(
      String(decoding: json, as: UTF8.self)
        == #"{"kind":"custom","name":"ramp","settings":{"peak":2}}"#)
    let error = #expect(throws: ScheduleError.madeByProgram("ramp")) {
      try JSONDecoder().decode(Schedule.self, from: json)
    }
    #expect(
      error?.description
        == "schedule: \"ramp\" was defined by a program, and its values are not stored; create "
        + "it again."
    )
  }

  @Test func `every kind survives JSON`() throws {
    var schedules = try Self.peers.map { try $0.make() }
    schedules.append(.learningRate(of: try OneCycle(maxLR: 0.1)))
    schedules.append(.momentum(of: try OneCycle(maxLR: 0.1, convention: .smith)))
    schedules.append(try .constant(0.25))
    for schedule in schedules {
      let data = try JSONEncoder().encode(schedule)
      #expect(
        try JSONDecoder().decode(Schedule.self, from: data) == schedule,
        "\(String(decoding: data, as: UTF8.self))")
    }
  }

  @Test func `the stored form is the call that makes it`() throws {
    let stored = """
      {"kind": "combined", "phases": [
        {"fraction": 0.5, "schedule": {"kind": "triangular", "from": 0.1, "to": 1,
          "stepsUp": 4, "stepsDown": 4, "scale": {"kind": "exponential", "gamma": 0.5}}},
        {"fraction": 0.5, "schedule": {"kind": "step-decay", "from": 1, "factor": 0.1,
          "every": 5}}]}
      """
    #expect(
      try JSONDecoder().decode(Schedule.self, from: Data(stored.utf8))
        == .combined([
          .init(
            0.5, .triangular(from: 0.1, to: 1, stepsUp: 4, scale: .exponential(gamma: 0.5))),
          .init(0.5, .stepDecay(from: 1, factor: 0.1, every: 5)),
        ]))
  }

  @Test(arguments: [
    (
      #"{"kind": "sawtooth"}"#,
      """
      schedule: the kind "sawtooth" is not known to this version, which knows constant, linear, \
      cosine, exponential, polynomial, triangular, step-decay, milestone-decay, polynomial-decay, tanh, \
      inverse-square-root, inverse-time, exponential-decay, cosine-restarts, combined, sequence, \
      one-cycle-learning-rate, one-cycle-momentum.
      """
    ),
    (
      """
      {"kind": "triangular", "from": 0, "to": 1, "stepsUp": 0, "stepsDown": 1,
        "scale": {"kind": "halving"}}
      """,
      """
      triangular: stepsUp is 0, expected a number of steps from 1 to 4611686018427387903.
      """
    ),
    (
      #"{"kind": "cosine", "from": -1, "to": 0}"#,
      "cosine: from is -1.0, expected a finite number of at least 0."
    ),
  ])
  func `a stored schedule is checked when read`(stored: String, message: String) {
    let error = #expect(throws: ScheduleError.self) {
      try JSONDecoder().decode(Schedule.self, from: Data(stored.utf8))
    }
    #expect(error?.description == message)
  }

  @Test func `numbers without a meaning are refused by name`() {
    let rows: [(String, () throws(ScheduleError) -> Void)] = [
      (
        "constant: value is nan, expected a finite number of at least 0.",
        { () throws(ScheduleError) in _ = try Schedule.constant(.nan) }
      ),
      (
        "linear: to is -2.0, expected a finite number of at least 0.",
        { () throws(ScheduleError) in _ = try Schedule.linear(from: 1, to: -2) }
      ),
      (
        "exponential: to is 0.0, expected a finite number above 0.",
        { () throws(ScheduleError) in _ = try Schedule.exponential(from: 1, to: 0) }
      ),
      (
        "polynomial: power is 0.0, expected a finite number above 0.",
        { () throws(ScheduleError) in _ = try Schedule.polynomial(from: 1, to: 0, power: 0) }
      ),
      (
        "flat cosine: flatFraction is 75.0, expected a fraction from 0 to 1 (25 % is 0.25).",
        { () throws(ScheduleError) in _ = try Schedule.flatCosine(from: 1, flatFraction: 75) }
      ),
      (
        "triangular: gamma is 1.5, expected a number above 0 and at most 1.",
        { () throws(ScheduleError) in
          _ = try Schedule.triangular(
            from: 0, to: 1, stepsUp: 3, scale: .exponential(gamma: 1.5))
        }
      ),
      (
        "step decay: factor is 10.0, expected a number above 0 and at most 1.",
        { () throws(ScheduleError) in _ = try Schedule.stepDecay(from: 1, factor: 10, every: 3) }
      ),
      (
        "step decay: every is -3, expected a number of steps from 1 to 4611686018427387903.",
        { () throws(ScheduleError) in _ = try Schedule.stepDecay(from: 1, factor: 0.1, every: -3) }
      ),
      (
        "step decay: the points [0.75, 0.5] do not increase; expected each above the one before.",
        { () throws(ScheduleError) in
          _ = try Schedule.stepDecay(from: 1, factor: 0.1, at: [0.75, 0.5])
        }
      ),
      (
        "warm-up: fraction is 1.5, expected a fraction from 0 to 1 (25 % is 0.25).",
        { () throws(ScheduleError) in
          _ = try Schedule.warmUp(from: 0, to: 1, fraction: 1.5, then: .constant(1))
        }
      ),
      (
        "combined: there are no phases, expected at least one.",
        { () throws(ScheduleError) in _ = try Schedule.combined([]) }
      ),
      (
        "combined: the fractions of the phases add up to 0.75, expected 1.",
        { () throws(ScheduleError) in
          _ = try Schedule.combined([.init(0.5, .constant(1)), .init(0.25, .constant(1))])
        }
      ),
    ]
    for (message, make) in rows { #expect(refusal(make) == message) }
  }
}
