import CrestOptimizers
import Foundation
import Testing

struct LearningRateFinderTests {
  // MARK: fastai's code

  @Test func `losses are smoothed, stopped and judged as by fastai`() throws {
    let fixture = try Fixture()
    #expect(fixture.document.finders.count == 7)
    for row in fixture.document.finders {
      let sweep = try LearningRateSweep(start: row.start, end: row.end, steps: row.steps)
      var search = LearningRateSearch(sweep: sweep)
      for loss in fixture[row.losses] { search.record(loss: loss) }
      let findings = search.findings

      let last = findings.points.count - 1
      #expect(findings.ending == (row.diverged ? .diverged(step: last) : .completed), "\(row.name)")
      for (point, smoothed) in zip(findings.points, fixture[row.smoothed]) {
        #expect(abs(point.smoothedLoss - smoothed) <= 1e-12 * abs(smoothed), "\(row.name)")
      }
      #expect(row.suggestions.count == LearningRateFindings.Suggestion.Method.allCases.count)
      for method in LearningRateFindings.Suggestion.Method.allCases {
        let expected = try #require(row.suggestions[method.rawValue])
        let ours = try #require(findings.suggestion(method).rate)
        #expect(
          abs(ours - expected) <= 1e-12 * expected,
          "\(row.name), \(method): \(ours), not \(expected)")
      }
    }
  }

  /// A clean fall and rise, worked out independently of the fixture.
  @Test(arguments: [
    (LearningRateFindings.Suggestion.Method.valley, 35, 3.981e-4),
    (.steepest, 39, 8.318e-4),
    (.minimum, 71, 3.020e-2),
    (.slide, 5, 1.585e-6),
  ])
  func `a clean sigmoid gives the published suggestions`(
    method: LearningRateFindings.Suggestion.Method, index: Int, rate: Double
  ) throws {
    let findings = try findings(
      smoothed: (0..<100).map { i in
        let x = pow(10, -7 + 8 * Double(i) / 100)
        return 2.3 - 1.5 / (1 + exp(-2.5 * (log10(x) + 3))) + pow(max(0, x - 0.3), 2)
      })
    guard case .rate(let suggested, let at) = findings.suggestion(method) else {
      Issue.record("\(findings.suggestion(method))")
      return
    }
    #expect(at - 10 == index)
    #expect(abs(suggested / rate - 1) < 5e-4)
  }

  // MARK: The sweep

  @Test(arguments: [
    (LearningRateSweep.Spacing.exponential, [1e-4, 1e-3, 1e-2, 1e-1]),
    (.linear, [1e-4, 0.250075, 0.50005, 0.750025]),
  ])
  func `the rates begin at the start and stop short of the end`(
    spacing: LearningRateSweep.Spacing, expected: [Double]
  ) throws {
    let sweep = try LearningRateSweep(start: 1e-4, end: 1, steps: 4, spacing: spacing)
    for (step, rate) in expected.enumerated() {
      #expect(abs(sweep.rate(step: step) / rate - 1) < 1e-14)
    }
    #expect(sweep.rate(step: 0) == 1e-4)
  }

  @Test func `a sweep without a meaning is refused by name`() {
    let rows: [(String, () throws(ScheduleError) -> Void)] = [
      (
        "learning-rate range test: start is 0.0, expected a finite number above 0.",
        { () throws(ScheduleError) in _ = try LearningRateSweep(start: 0) }
      ),
      (
        "learning-rate range test: end is 1e-07, expected a finite number above the start, 1e-07.",
        { () throws(ScheduleError) in _ = try LearningRateSweep(end: 1e-7) }
      ),
      (
        "learning-rate range test: end is nan, expected a finite number above the start, 1e-07.",
        { () throws(ScheduleError) in _ = try LearningRateSweep(end: .nan) }
      ),
      (
        "learning-rate range test: steps is 0, "
          + "expected a number of steps from 1 to 4611686018427387903.",
        { () throws(ScheduleError) in _ = try LearningRateSweep(steps: 0) }
      ),
    ]
    for (message, make) in rows { #expect(refusal(make) == message) }
  }

  @Test func `a sweep survives JSON, and an edited one is checked again`() throws {
    let sweep = try LearningRateSweep(start: 1e-5, end: 2, steps: 40, spacing: .linear)
    let data = try JSONEncoder().encode(sweep)
    #expect(try JSONDecoder().decode(LearningRateSweep.self, from: data) == sweep)
    let edited = Data(#"{"start":1,"end":0.5,"steps":40,"spacing":"linear"}"#.utf8)
    #expect(throws: ScheduleError.self) {
      try JSONDecoder().decode(LearningRateSweep.self, from: edited)
    }
  }

  // MARK: When to stop

  @Test func `a constant loss uses up the rates`() throws {
    var search = try LearningRateSearch(sweep: LearningRateSweep(steps: 8))
    var rates: [Double] = []
    while let rate = search.nextRate {
      rates.append(rate)
      search.record(loss: 1)
    }
    #expect(rates.count == 8)
    #expect(search.findings.ending == .completed)
    #expect(search.findings.points.allSatisfy { abs($0.smoothedLoss - 1) < 1e-12 })
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func `a loss that is not finite ends the search, whatever else is asked`(loss: Double) {
    var search = LearningRateSearch(stopsOnDivergence: false)
    for _ in 0..<30 { search.record(loss: 1) }
    search.record(loss: loss)
    #expect(search.findings.ending == .lossNotFinite(step: 30))
    #expect(search.nextRate == nil)
    #expect(search.findings.candidates == 10..<26)
  }

  @Test func `divergence can be let run`() {
    for (stops, ending) in [
      (true, LearningRateFindings.Ending.diverged(step: 50)), (false, .completed),
    ] {
      var search = LearningRateSearch(stopsOnDivergence: stops)
      var step = 0
      while search.nextRate != nil {
        search.record(loss: step < 50 ? 1 : 1e6)
        step += 1
      }
      #expect(search.findings.ending == ending)
    }
  }

  @Test func `losses below zero do not look like divergence`() {
    var search = LearningRateSearch()
    while search.nextRate != nil { search.record(loss: -1 - Double(search.findings.points.count)) }
    #expect(search.findings.ending == .completed)
  }

  // MARK: Nothing to suggest

  @Test(arguments: LearningRateFindings.Suggestion.Method.allCases)
  func `without a finite loss there is no suggestion`(
    method: LearningRateFindings.Suggestion.Method
  ) {
    var search = LearningRateSearch()
    search.record(loss: .nan)
    #expect(search.findings.suggestion(method) == .noFiniteLoss)
    #expect(LearningRateSearch().findings.suggestion(method) == .noFiniteLoss)
  }

  @Test(arguments: [
    (LearningRateFindings.Suggestion.Method.valley, 3), (.slide, 16), (.steepest, 2), (.minimum, 2),
  ])
  func `each method says how many points it needs`(
    method: LearningRateFindings.Suggestion.Method, needed: Int
  ) throws {
    for count in 0...needed + 16 {
      let findings = try findings(smoothed: (0..<count).map { 100 - Double($0) })
      let left = max(0, count - 5 - 10)
      if count == 0 {
        #expect(findings.suggestion(method) == .noFiniteLoss)
      } else if left < needed {
        #expect(findings.suggestion(method) == .notEnoughPoints(needed: needed, got: left))
      } else {
        #expect(findings.suggestion(method).rate != nil, "\(count) points")
      }
    }
  }

  @Test(arguments: LearningRateFindings.Suggestion.Method.allCases)
  func `a loss that never falls gives no suggestion`(method: LearningRateFindings.Suggestion.Method)
    throws
  {
    #expect(
      try findings(smoothed: (0..<100).map { Double($0 / 2) }).suggestion(method)
        == .lossNeverFalls)
  }

  @Test func `a fall at the very beginning does not wrap round to the highest rate`() throws {
    let findings = try findings(
      smoothed: Array(repeating: 9, count: 10) + [9, 8] + (0..<20).map { 10 + Double($0) })
    #expect(findings.suggestion(.valley) == .rate(findings.points[10].rate, index: 10))
  }

  @Test(arguments: [
    (LearningRateFindings.Suggestion.rate(0.25, index: 3), "0.25"),
    (
      .notEnoughPoints(needed: 16, got: 4),
      "not enough points: needs 16 between the first tenth and the last five, got 4"
    ),
    (.noFiniteLoss, "no finite loss"),
    (.lossNeverFalls, "the loss never falls"),
  ])
  func `an outcome says what it is`(outcome: LearningRateFindings.Suggestion, text: String) {
    #expect(outcome.description == text)
  }

  private func findings(smoothed: [Double]) throws -> LearningRateFindings {
    let sweep = LearningRateSweep.standard
    return LearningRateFindings(
      sweep: sweep,
      points: smoothed.enumerated().map {
        .init(rate: sweep.rate(step: $0), loss: $1, smoothedLoss: $1)
      },
      ending: .unfinished)
  }
}
