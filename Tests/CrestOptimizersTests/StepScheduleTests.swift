import CrestOptimizers
import Foundation
import Testing

/// Schedules that count steps, and schedules that are joined.
@Suite struct StepScheduleTests {
  /// One of each, under the name of its values in `schedules/steps.json`.
  static let peers: [(name: String, make: @Sendable () throws -> Schedule)] = [
    ("exponential decay 0.97", { try .exponentialDecay(from: 0.5, factor: 0.97) }),
    (
      "exponential decay 0.9 every 7", { try .exponentialDecay(from: 0.5, factor: 0.9, every: 7) }
    ),
    ("polynomial decay 2.5", { try .polynomialDecay(from: 0.5, power: 2.5) }),
    (
      "polynomial decay 0.5 to 0.01, power 3",
      { try .polynomialDecay(from: 0.5, to: 0.01, power: 3) }
    ),
    ("inverse time 0.3 every 4", { try .inverseTime(from: 0.5, rate: 0.3, every: 4) }),
    (
      "inverse time 0.3 every 4, staircase",
      { try .inverseTime(from: 0.5, rate: 0.3, every: 4, isStaircase: true) }
    ),
    (
      "inverse square root 10",
      { try .warmUp(steps: 10, then: .inverseSquareRoot(from: 0.5, steps: 10)) }
    ),
    ("cosine restarts 12", { try .cosineRestarts(from: 0.5, to: 0.01, cycle: 12) }),
    (
      "cosine restarts 7, twice as long",
      { try .cosineRestarts(from: 0.5, to: 0.01, cycle: 7, lengthFactor: 2) }
    ),
    (
      "cosine restarts 7, 1.5 as long, 0.8 as high",
      {
        try .cosineRestarts(
          from: 0.5, to: 0.01, cycle: 7, lengthFactor: 1.5, heightFactor: 0.8)
      }
    ),
    ("three cosines, twice as long", { try .cosineRestarts(from: 0.5, cycles: 3) }),
    (
      "warm-up and cosine",
      { try .warmUp(steps: 20, from: 0.05, then: .cosine(from: 0.5, to: 0)) }
    ),
    (
      "warm-up, stable, decay",
      { try .warmUpStableDecay(peak: 0.5, warmUp: .steps(10), decay: .steps(20)) }
    ),
    ("piecewise constant", { try .piecewiseConstant([0.5, 0.2, 0.3], at: [30, 60]) }),
    ("noam 16", { try .noam(peak: 0.5, warmUpSteps: 16) }),
    ("tanh", { try .tanh(from: 0.5, to: 0.01, lower: -6) }),
  ]

  private struct Document: Decodable { let shapes: [String: [Double]] }

  @Test func `every one equals its peer's`() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/schedules/steps.json")
    let fixture = try JSONDecoder().decode(Document.self, from: Data(contentsOf: file)).shapes
    #expect(Set(fixture.keys) == Set(Self.peers.map(\.name)))
    for peer in Self.peers {
      let schedule = try peer.make()
      let expected = try #require(fixture[peer.name])
      for (step, value) in expected.enumerated() {
        let ours = schedule.value(step: step, total: expected.count)
        #expect(abs(ours - value) <= 1e-12, "\(peer.name), step \(step): \(ours), not \(value)")
      }
    }
  }

  @Test func `every kind survives JSON`() throws {
    for peer in Self.peers {
      let schedule = try peer.make()
      let data = try JSONEncoder().encode(schedule)
      #expect(
        try JSONDecoder().decode(Schedule.self, from: data) == schedule,
        "\(String(decoding: data, as: UTF8.self))")
    }
  }

  @Test func `the stored form of a sequence names lengths, and is checked when read`() throws {
    func read(_ text: String) throws -> Schedule {
      try JSONDecoder().decode(Schedule.self, from: Data(text.utf8))
    }
    let constant = #"{"kind": "constant", "value": 1}"#
    let stored = """
      {"kind": "sequence", "parts": [
        {"steps": 5, "schedule": {"kind": "linear", "from": 0, "to": 1}},
        {"schedule": \(constant)}, {"fraction": 0.25, "schedule": \(constant)}]}
      """
    #expect(
      try read(stored)
        == .sequence([
          .init(.steps(5), .linear(from: 0, to: 1)), .init(.rest, .constant(1)),
          .init(.fraction(0.25), .constant(1)),
        ]))
    #expect(throws: ScheduleError.restOfSequence(parts: 0)) {
      try read(#"{"kind": "sequence", "parts": [{"steps": 5, "schedule": \#(constant)}]}"#)
    }
    #expect(throws: DecodingError.self) {
      try read(
        #"{"kind": "sequence", "parts": [{"steps": 5, "fraction": 1, "schedule": \#(constant)}]}"#)
    }
    #expect(
      throws: ScheduleError.countOutOfRange(
        schedule: "cosine restarts", parameter: "cycle", value: 0,
        expected: "a number of steps from 1 to 4611686018427387903")
    ) {
      try read(
        #"{"kind": "cosine-restarts", "from": 1, "to": 0, "cycle": 0, "lengthFactor": 1, "heightFactor": 1}"#
      )
    }
  }

  @Test func `a part is a run of its own, and the rest is what the others leave`() throws {
    let policy = try OneCycle(maxLR: 1, convention: .pytorch)
    let schedule = try Schedule.sequence([
      .init(.steps(7), .stepDecay(from: 8, factor: 0.5, every: 3)),
      .init(.rest, .learningRate(of: policy)), .init(.fraction(0.2), .linear(from: 4, to: 0)),
    ])
    let first: [Double] = [8, 8, 8, 4, 4, 4, 2]
    let middle = (0..<17).map { policy.learningRate(step: $0, total: 17) }
    let last = (0..<6).map { step in
      Schedule.Annealing.linear.value(from: 4, to: 0, at: Double(step) / 6)
    }
    let values = (0..<30).map { schedule.value(step: $0, total: 30) }
    #expect(values == first + middle + last)
  }

  @Test func `a run that is too short ends within a part`() throws {
    let schedule = try Schedule.warmUp(steps: 10, then: .constant(1))
    let values = (0..<5).map { schedule.value(step: $0, total: 5) }
    let expected: [Double] = [0, 0.1, 0.2, 0.3, 0.4]
    #expect(zip(values, expected).allSatisfy { abs($0 - $1) < 1e-15 })
    let ends = try Schedule.sequence([
      .init(.fraction(0.5), .constant(1)), .init(.rest, .constant(2)),
      .init(.fraction(0.5), .constant(3)),
    ])
    #expect((0..<3).map { ends.value(step: $0, total: 3) } == [1, 1, 3])
    #expect(ends.value(step: .max - 1, total: .max) == 3)
    let long = try Schedule.sequence([
      .init(.steps(.max / 2), .constant(1)), .init(.steps(.max / 2), .constant(2)),
      .init(.steps(.max / 2), .constant(3)), .init(.rest, .constant(4)),
    ])
    #expect(long.value(step: .max - 1, total: .max) == 3)
  }

  @Test(arguments: [1, 1.0000001, 1.5, 2, 1e300])
  func `restarts begin at their highest value and never rise within a cycle`(factor: Double) throws
  {
    let schedule = try Schedule.cosineRestarts(from: 1, cycle: 3, lengthFactor: factor)
    var rises = 0
    for step in 1..<2000 {
      let (before, now) = (
        schedule.value(step: step - 1, total: 2000), schedule.value(step: step, total: 2000)
      )
      #expect(now >= 0 && now <= 1)
      if now > before { rises += 1 }
    }
    // Cycles of 3 · factorⁱ steps.
    let expected: [Double: Int] = [1: 666, 1.5: 14, 2: 9, 1e300: 1]
    if let count = expected[factor] { #expect(rises == count) } else { #expect(rises > 600) }
  }

  @Test func `numbers without a meaning are refused by name`() {
    let rows: [(String, () throws(ScheduleError) -> Void)] = [
      (
        "sequence: 2 parts take the rest of the run, expected exactly one, and a length for each other.",
        { () throws(ScheduleError) in
          _ = try Schedule.sequence([.init(.rest, .constant(1)), .init(.rest, .constant(1))])
        }
      ),
      (
        "sequence: the fractions of the parts add up to 1.5, expected at most 1.",
        { () throws(ScheduleError) in
          _ = try Schedule.sequence([
            .init(.fraction(0.75), .constant(1)), .init(.fraction(0.75), .constant(1)),
            .init(.rest, .constant(1)),
          ])
        }
      ),
      (
        "sequence: steps is 0, expected a number of steps from 1 to 4611686018427387903.",
        { () throws(ScheduleError) in _ = try Schedule.warmUp(steps: 0, then: .constant(1)) }
      ),
      (
        "linear: from is -1.0, expected a finite number of at least 0.",
        { () throws(ScheduleError) in
          _ = try Schedule.warmUp(steps: 5, from: -1, then: .constant(1))
        }
      ),
      (
        "inverse square root: steps is 0, expected a number of steps from 1 to 4611686018427387903.",
        { () throws(ScheduleError) in _ = try Schedule.inverseSquareRoot(from: 1, steps: 0) }
      ),
      (
        "noam: peak is nan, expected a finite number of at least 0.",
        { () throws(ScheduleError) in _ = try Schedule.noam(peak: .nan, warmUpSteps: 1) }
      ),
      (
        "inverse time: rate is -1.0, expected a finite number of at least 0.",
        { () throws(ScheduleError) in _ = try Schedule.inverseTime(from: 1, rate: -1) }
      ),
      (
        "exponential decay: factor is 1.5, expected a number above 0 and at most 1.",
        { () throws(ScheduleError) in _ = try Schedule.exponentialDecay(from: 1, factor: 1.5) }
      ),
      (
        "polynomial decay: power is -1.0, expected a finite number above 0.",
        { () throws(ScheduleError) in _ = try Schedule.polynomialDecay(from: 1, power: -1) }
      ),
      (
        "tanh: upper is -8.0, expected a finite number above -7.0.",
        { () throws(ScheduleError) in _ = try Schedule.tanh(from: 1, to: 0, upper: -8) }
      ),
      (
        "cosine restarts: lengthFactor is 0.5, expected a finite number of at least 1.",
        { () throws(ScheduleError) in
          _ = try Schedule.cosineRestarts(from: 1, cycle: 3, lengthFactor: 0.5)
        }
      ),
      (
        "cosine restarts: cycles is 0, expected from 1 to 64.",
        { () throws(ScheduleError) in _ = try Schedule.cosineRestarts(from: 1, cycles: 0) }
      ),
      (
        "piecewise constant: number of values is 2, expected one more than the 2 steps.",
        { () throws(ScheduleError) in _ = try Schedule.piecewiseConstant([1, 2], at: [3, 4]) }
      ),
      (
        "piecewise constant: step is 3, expected a step after 4.",
        { () throws(ScheduleError) in _ = try Schedule.piecewiseConstant([1, 2, 3], at: [4, 3]) }
      ),
    ]
    for (message, make) in rows {
      let error = #expect(throws: ScheduleError.self) { try make() }
      #expect(error?.description == message)
    }
  }

  @Test(arguments: NamedSchedule.all.map(\.name))
  func `each name makes a schedule of its settings as they are written`(name: String) throws {
    let kind = try #require(NamedSchedule.all.first { $0.name == name })
    let written = [
      "to": "0.1", "values": "1|0.5", "at": "30steps", "factor": "0.5", "power": "2",
      "steps": "10steps", "rate": "0.5", "cycle": "2epochs", "warm-up": "10steps",
    ]
    var values: [String: NamedSchedule.Value] = [:]
    for setting in kind.settings {
      guard let text = setting.standard ?? (setting.isRequired ? written[setting.name] : nil)
      else { continue }
      let value = setting.kind.value(of: text, epochs: 4)
      #expect(value != nil, "\(name): \(setting.name)=\(text)")
      values[setting.name] = value
    }
    let schedule = try kind.make(
      NamedSchedule.Values(values, peak: 0.5, epochs: 4, stepsPerEpoch: 25))
    let rates = (0..<100).map { schedule.value(step: $0, total: 100) }
    #expect(rates.allSatisfy { (0...0.5).contains($0) })
    #expect(rates.contains { $0 > 0.49 }, "\(rates)")
    #expect(NamedSchedule.all.count { $0.name == name } == 1)
  }

  @Test(arguments: [
    (NamedSchedule.Kind.length, "5steps", true), (.length, "9epochs", true),
    (.length, "-1steps", false), (.length, "5", true), (.length, "nan", false),
    (.length, "99999999999999999999steps", false), (.length, "1.5steps", false),
    (.part, "2epochs", true), (.part, "5epochs", false), (.part, "1.5", false),
    (.part, "0.5", true), (.part, "", false), (.parts, "0.5|9steps", true),
    (.parts, "0.5|", false), (.multiple, "1", true), (.multiple, "1.1", false),
    (.multiple, "nan", false), (.multiples, "1|0.5", true), (.multiples, "1|2", false),
    (.flag, "yes", false), (.choice(["a"]), "b", false), (.number, "x", false),
  ])
  func `a setting is read, or isn't`(kind: NamedSchedule.Kind, text: String, isRead: Bool) {
    #expect((kind.value(of: text, epochs: 4) != nil) == isRead, "\(text)")
  }
}
