import CrestOptimizers
import Testing

@Suite("The reading of a range test") struct RangeTestTests {
  /// A curve whose measures are known, with chance 0.1; what is missing of `count` points had diverged.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let top: Double
    let count: Int
    let accuracies: [Double]
    let peak: Double
    let peakRate: Double
    let end: Double
    let fromPeak: Double
    let upperHalf: Double
    let width: Double
    let score: Double
    let verdict: RangeTest.Verdict
    let doubts: [RangeTest.Doubt]

    var testDescription: String { name }

    var curve: RangeTest.Curve {
      RangeTest.Curve(
        (1...count).map { number in
          RangeTest.Curve.Point(
            learningRate: top * Double(number) / Double(count),
            accuracy: number <= accuracies.count ? accuracies[number - 1] : .nan)
        }, chance: 0.1)
    }

    init(
      _ name: String, _ top: Double, _ count: Int, peak: Double, at peakRate: Double, end: Double,
      fromPeak: Double, upperHalf: Double, width: Double, score: Double,
      _ verdict: RangeTest.Verdict, _ doubts: [RangeTest.Doubt],
      _ accuracies: [Double]
    ) {
      self.name = name
      self.top = top
      self.count = count
      self.accuracies = accuracies
      self.peak = peak
      self.peakRate = peakRate
      self.end = end
      self.fromPeak = fromPeak
      self.upperHalf = upperHalf
      self.width = width
      self.score = score
      self.verdict = verdict
      self.doubts = doubts
    }
  }

  static let cases = [
    Case(
      "ResNet-20, statistics of momentum 0.9", 3, 20, peak: 0.5425, at: 1.65, end: 0.964,
      fromPeak: 0.970, upperHalf: 0.968, width: 2.5, score: 1, .plateau, [.tooShort],
      [
        0.2365, 0.3785, 0.3545, 0.345, 0.4245, 0.246, 0.297, 0.503, 0.4675, 0.4385, 0.5425, 0.594,
        0.5375, 0.5265, 0.518, 0.582, 0.406, 0.5235, 0.5565, 0.497,
      ]),
    Case(
      "ResNet-20, statistics of momentum 0.5", 3, 20, peak: 0.6205, at: 2.25, end: 0.940,
      fromPeak: 0.932, upperHalf: 0.952, width: 2.22, score: 1, .plateau, [.tooShort],
      [
        0.302, 0.397, 0.4255, 0.4315, 0.5045, 0.338, 0.477, 0.51, 0.541, 0.5215, 0.5975, 0.601,
        0.597, 0.6115, 0.6205, 0.6415, 0.56, 0.5485, 0.618, 0.561,
      ]),
    Case(
      "three layers with batch norm", 3, 20, peak: 0.476, at: 0.45, end: 0.020, fromPeak: 0.366,
      upperHalf: 0.100, width: 6, score: 0, .peak, [],
      [
        0.4245, 0.476, 0.428, 0.499, 0.429, 0.4625, 0.365, 0.2495, 0.2385, 0.3075, 0.132, 0.3125,
        0.109, 0.2125, 0.1005, 0.0935, 0.102, 0.1005, 0.1075, 0.1075,
      ]),
    Case(
      "three layers, diverged", 0.3, 20, peak: 0.526, at: 0.09, end: 0, fromPeak: 0.239,
      upperHalf: 0, width: 4, score: 0, .peak, [],
      [0.3375, 0.449, 0.4775, 0.493, 0.523, 0.526, 0.528, 0.4585, 0.4185]),
    Case(
      "LeNet on Fashion-MNIST, diverged", 0.5, 20, peak: 0.787, at: 0.05, end: 0, fromPeak: 0.157,
      upperHalf: 0, width: 4, score: 0, .peak, [], [0.787, 0.7735, 0.7945, 0.779]),
    Case(
      "Smith's ResNet-56 of 5,000 steps", 3, 50, peak: 0.804, at: 2.4, end: 0.923, fromPeak: 0.929,
      upperHalf: 0.905, width: 10, score: 1, .plateau, [],
      [
        0.398, 0.624, 0.414, 0.615, 0.696, 0.715, 0.722, 0.733, 0.735, 0.658, 0.801, 0.734, 0.544,
        0.712, 0.792, 0.802, 0.667, 0.679, 0.753, 0.816, 0.762, 0.739, 0.811, 0.702, 0.671, 0.746,
        0.686, 0.64, 0.761, 0.78, 0.706, 0.752, 0.764, 0.783, 0.615, 0.782, 0.654, 0.724, 0.791,
        0.804, 0.804, 0.781, 0.785, 0.663, 0.66, 0.713, 0.815, 0.789, 0.648, 0.784,
      ]),
    Case(
      "Smith's bottleneck network, clipped", 3, 40, peak: 0.481, at: 0.525, end: 0.120,
      fromPeak: 0.275, upperHalf: 0.180, width: 9, score: 0, .peak, [],
      [
        0.387, 0.432, 0.435, 0.421, 0.466, 0.439, 0.489, 0.481, 0.469, 0.271, 0.194, 0.181, 0.26,
        0.186, 0.173, 0.184, 0.159, 0.208, 0.15, 0.212, 0.179, 0.245, 0.201, 0.166, 0.139, 0.172,
        0.128, 0.177, 0.163, 0.201, 0.16, 0.203, 0.198, 0.177, 0.152, 0.128, 0.112, 0.124, 0.173,
        0.174,
      ]),
  ]

  @Test(arguments: cases)
  func `has the measures that are known`(test: Case) {
    let reading = RangeTest.Reading(test.curve)
    for (name, got, expected, digits) in [
      ("peak", reading.peak, test.peak, 1e-4), ("rate", reading.peakRate, test.peakRate, 1e-3),
      ("end", reading.end, test.end, 1e-3), ("from peak", reading.fromPeak, test.fromPeak, 1e-3),
      ("upper half", reading.upperHalf, test.upperHalf, 1e-3),
      ("width", reading.width, test.width, 1e-2), ("score", reading.score, test.score, 1e-3),
    ] {
      #expect(abs(got - expected) <= digits * 0.51, "\(name): \(got), expected \(expected)")
    }
    #expect(reading.verdict == test.verdict)
    #expect(reading.doubts == test.doubts)
  }
}

@Suite("The verdict of a range test") struct RangeTestVerdictTests {
  static func curve(_ name: String) -> RangeTest.Curve {
    RangeTestTests.cases.first { $0.name.hasPrefix(name) }?.curve
      ?? RangeTest.Curve([.init(learningRate: 1, accuracy: 1)], chance: 0)
  }

  static let plateau = curve("Smith's ResNet-56")
  static let peak = curve("three layers with")
  /// A curve that is neither.
  static let between = RangeTest.Curve(
    (1...40).map { number in
      .init(learningRate: Double(number), accuracy: number < 5 ? 0.2 : number < 20 ? 0.9 : 0.5)
    }, chance: 0.1)

  @Test func `is the majority's, to which what is undecided adds nothing`() {
    func verdict(_ curves: RangeTest.Curve...) -> RangeTest.Verdict? {
      RangeTest(curves, stepCount: 100).verdict
    }
    #expect(verdict(Self.between) == .undecided)
    #expect(verdict(Self.plateau) == .plateau)
    #expect(verdict(Self.peak, Self.plateau, Self.peak) == .peak)
    #expect(verdict(Self.plateau, Self.between) == .plateau)
    #expect(verdict(Self.plateau, Self.peak) == .undecided)
  }

  @Test func `is the less certain the fewer seeds agree, and the more speaks against it`() {
    let sure = RangeTest([Self.peak], stepCount: 100)
    #expect(sure.confidence == 0.95)
    let less = RangeTest([Self.peak, Self.peak, Self.plateau], stepCount: 100)
    #expect(abs(less.confidence - 0.95 * 2 / 3) < 1e-12)
    let narrow = RangeTest([Self.plateau], stepCount: 100, usualRate: 1)
    #expect(narrow.doubts == [.rangeTooNarrow])
    #expect(abs(narrow.confidence - 0.5) < 1e-12)
  }

  @Test func `gives rates: half of what diverged, or what trials found best`() throws {
    let diverged = RangeTest([Self.curve("LeNet")], stepCount: 100)
    #expect(diverged.maxLR == 0.05)
    #expect(diverged.minLR == 0.0125)
    let flat = RangeTest([Self.plateau], stepCount: 100)
    let top = try #require(flat.topRate)
    #expect(flat.candidates == [top, top / 3, top / 10])
    #expect(flat.maxLR == top / 10, "the safest, without trials")
    let tried = flat.with(trials: [
      .init(maxLR: top, loss: .nan), .init(maxLR: top / 3, loss: 0.4),
      .init(maxLR: top / 10, loss: 0.5),
    ])
    #expect(tried.maxLR == top / 3)
    #expect(tried.minLR == top / 60)
    #expect(tried.trials[0].loss == nil)
    #expect(diverged.candidates.isEmpty)
  }

  @Test func `is refused where a curve can't tell`() {
    let short = RangeTest(
      [RangeTest.Curve((1...19).map { .init(learningRate: Double($0), accuracy: 1) }, chance: 0)],
      stepCount: 19)
    #expect(short.verdict == nil && short.maxLR == nil)
    #expect(short.confidence == 0)
    #expect(short.doubts == [.notLearning, .startsTooHigh])
    #expect(short.summary == "no verdict")
    #expect(
      RangeTest.Refusal.noVerdict(short.doubts).description
        == "range test: no verdict: the network never does better than chance by a tenth: check the data and the model, "
        + "or try lower rates; the first rate is the best: begin lower, with a tenth of the largest rate"
    )
  }

  @Test func `gives its reasons in numbers`() {
    let test = RangeTest([Self.curve("LeNet"), Self.peak], stepCount: 100)
    #expect(test.summary == "peak: super-convergence is unlikely (confidence 95 %)")
    #expect(
      test.reasons == [
        "The peak is at a rate of 0.05 to 0.45, with accuracy 0.632; chance is 0.1.",
        "Above chance, and of the peak's: 1 % in the last tenth of the rates, 26 % on average from the peak on, 5 % in the "
          + "upper half.",
        "It stays above 80 % of the peak over a factor of 4.0 to 6.0 in the rate.",
        "Training diverged at 0.13 to 2.1.",
        "2 of 2 seeds agree.",
      ])
  }

  @Test(arguments: [
    (0.000123, "0.00012"), (0.05, "0.05"), (0.33, "0.33"), (0.0999, "0.1"), (1.0, "1.0"),
    (3.3, "3.3"),
    (47.4, "47"), (1234, "1200"), (0, "0.0"),
  ])
  func `writes rates with two digits`(rate: Double, text: String) { #expect(rate.short == text) }

  @Test func `advises by what is known of the setup`() throws {
    let setup = RangeTest.Setup(
      exampleCount: 10_000, classCount: 10, batchSize: 128, momentum: 0.9, layerCount: 20,
      batchNormMomentum: 0.9, dropout: 0.2)
    let test = RangeTest([Self.plateau], stepCount: 100, usualRate: 0.01)
    let advice = test.advice(for: setup)
    #expect(advice.map(\.topic) == RangeTest.Advice.Topic.allCases)
    #expect(
      advice.map(\.text) == [
        "Train with 1cycle to 0.29: accuracy holds up to 2.9, so super-convergence is likely.",
        "Begin with 1e-4, halve it when you double the rate, and never take 1e-3 with a rate above 1.",
        "Take the largest batch that leaves 1,500 steps: 128 needs 20 epochs for that. The maximum rate grows with the "
          + "batch up to 1,024, then with its root.",
        "Let it go from 0.95 to 0.85 and back, against the rate; if it is constant, 0.9.",
        "Lower the dropout of 0.2 by half, or leave it out: so large a rate regularises by itself.",
        "Let one cycle be the whole run: 12 to 25 epochs for sets like MNIST, 25 to 50 for those like CIFAR-10.",
        "Running statistics with a momentum of 0.9 suit half cycles of 2801 steps and more; in shorter ones estimate them "
          + "anew at the end.",
        "With 1000 examples a class the gain over other schedules is larger.",
      ])
    #expect(
      advice.compactMap(\.option) == [
        "--max-lr 0.29", "--weight-decay 1e-4", "--momentum 0.95,0.85",
      ])
    for row in advice { #expect(!row.source.isEmpty && !row.untested.isEmpty) }
    let plain = RangeTest([Self.peak], stepCount: 100).advice(
      for: .init(
        exampleCount: 60_000, classCount: nil, batchSize: 64, momentum: nil, layerCount: 3))
    #expect(plain.map(\.topic) == [.maxLR, .weightDecay, .batchSize, .cycleLength])
    #expect(
      plain[0].text
        == "Train with 1cycle to 0.45, where the peak is: a larger rate won't help here, but 1cycle still may."
    )
  }
}

@Suite("The choice of a rate by short runs") struct AutomaticLRTests {
  /// Climbs over losses that are least at a rate, and infinite from another on.
  private func climb(best: Double, diverged: Double = .infinity) -> AutomaticLR.Climb {
    var climb = AutomaticLR.Climb(leastLossRate: 1)
    while let rate = climb.nextRate {
      let distance = abs(rate - best) / best
      climb.add(.init(maxLR: rate, loss: rate >= diverged ? .nan : distance))
    }
    return climb
  }

  @Test(arguments: [
    (0.2, Double.infinity, 0.2, 3), (0.5, .infinity, 0.5, 4), (0.03, .infinity, 0.032, 5),
    (1.3, .infinity, 1.25, 4), (0.001, .infinity, 0.5 / 244.140625, 7), (0.5, 0.1, 0.08, 4),
    (0.01, 0.03, 0.0128, 6),
  ])
  func `ends at the best of rates 2.5 apart`(
    best: Double, diverged: Double, found: Double, count: Int
  )
    throws
  {
    let climb = climb(best: best, diverged: diverged)
    let rate = try #require(climb.bestRate)
    #expect(abs(rate - found) < 1e-9, "\(climb.trials)")
    #expect(climb.trials.count == count, "\(climb.trials)")
  }

  @Test func `says so when every rate diverges`() {
    let climb = climb(best: 1, diverged: 0)
    #expect(climb.bestRate == nil)
    #expect(
      RangeTest.Refusal.allDiverged(rates: [0.5, 0.2]).description
        == "training diverged at every learning rate that was tried, 0.5, 0.2: check the data and the model, or give a rate"
    )
  }

  @Test func `recommends a tenth of the rate of least loss, as sure as seeds agree`() throws {
    func findings(leastAt place: Int) throws -> LearningRateFindings {
      let sweep = try LearningRateSweep(start: 1e-4, end: 1, steps: 40)
      return LearningRateFindings(
        sweep: sweep,
        points: (0..<40).map { step in
          let loss = abs(Double(step - place)) / 10 + 1
          return .init(rate: sweep.rate(step: step), loss: loss, smoothedLoss: loss)
        }, ending: .completed)
    }
    let one = try findings(leastAt: 20)
    let single = LearningRateFindings.Recommendation([one])
    #expect(single.certainty == .low)
    #expect(try #require(single.maxLR) == one.sweep.rate(step: 20) / 10)
    let two = LearningRateFindings.Recommendation([one, try findings(leastAt: 22)])
    #expect(two.certainty == .high)
    #expect(
      two.reason
        == "a tenth of the rate at the lowest loss, 0.001, 0.0016 with 2 seeds; how sure: high, they differ by a factor "
        + "of 1.6")
    #expect(
      LearningRateFindings.Recommendation([one, try findings(leastAt: 25)]).certainty == .medium)
    #expect(
      LearningRateFindings.Recommendation([one, try findings(leastAt: 30)]).certainty == .low)
    let flat = LearningRateFindings(
      sweep: one.sweep,
      points: one.points.map { .init(rate: $0.rate, loss: 1, smoothedLoss: 1) }, ending: .completed)
    #expect(LearningRateFindings.Recommendation([flat]).maxLR == nil)
    #expect(
      LearningRateFindings.Recommendation([flat]).reason
        == "no seed found a rate: the loss never falls")
    #expect(LearningRateFindings.Recommendation([one, flat]).certainty == .low)
  }
}
