/// The 1cycle policy: the learning rate rises once to a maximum and falls once to almost nothing,
/// while the momentum does the opposite.
///
/// With `k` the step (0 ..< N), `M` = `maxLR`, `s` = `riseFraction`, and `from → to @ p` the
/// ``Schedule/Annealing`` of the policy at position `p`, the learning rate is
///
/// | convention | | |
/// |---|---|---|
/// | `.fastai` | `k/N < s` | `M/div → M @ k / (N s)` |
/// | | else | `M → M/finalDiv @ (k/N - s) / (1 - s)` |
/// | `.fastai1`, `a = max(1, ⌊sN⌋)`, `b = max(1, N - ⌊sN⌋)` | `k ≤ a` | `M/div → M @ k/a` |
/// | | else | `M → M/(div · finalDiv) @ (k - a) / b` |
/// | `.pytorch`, `e = sN - 1` | `k ≤ e` | `M/div → M @ k/e` |
/// | | else | `M → M/(div · finalDiv) @ (k - e) / (N - 1 - e)` |
/// | `.pytorchThreePhase`, `e = sN - 1` | `k ≤ e` | `M/div → M @ k/e` |
/// | | `k ≤ 2e` | `M → M/div @ (k - e) / e` |
/// | | else | `M/div → M/(div · finalDiv) @ (k - 2e) / (N - 1 - 2e)` |
/// | `.smith`, `S = sN` | `k ≤ S` | `M/div → M @ k/S` |
/// | | `k ≤ 2S` | `M → 0 @ (k - S) / S` |
/// | | else | `M/(div · finalDiv)` |
/// | `.airbench`, `a = ⌊sN⌋` | `k < a` | `M/div → M @ k/a` |
/// | | else | `M → M/finalDiv @ (k - a) / (N - a)` |
///
/// and the momentum goes `high → low` while the rate rises to `M`, `low → high` while it falls from
/// there, and stays `high` in the third phase of PyTorch; Smith's keeps cycling in the tail, with
/// period `2S`.
///
/// Each convention gives the numbers of the code it is named after, with these consequences:
///
/// - `.fastai`, `.fastai1` and `.airbench` do not reach the floor: it is where step N would be.
/// - `.pytorch` reaches the floor in the last step, and `M` only if `sN` is an integer.
/// - Where PyTorch divides by zero (`sN` = 1: the rise begins and ends in step 0), the value is the
///   end of the rise, `M`.
/// - With N = 1, PyTorch's conventions are in their last phase, at the floor (unless `s` = 1), and
///   fastai's and Smith's at `M/div`. With N = 2 or 3 and the default `s`, PyTorch's have no rise;
///   fastai 1's is one step long.
/// - In `.pytorchThreePhase` with `s` above 0.5, the run ends before the second phase does.
///
/// Every value is proportional to `maxLR`, so a parameter group with its own learning rate
/// multiplies from outside.
///
/// Sources: L. N. Smith, "A disciplined approach to neural network hyper-parameters"
/// (arXiv:1803.09820) and the Caffe logs published with it; fastai 2 `fit_one_cycle`; fastai 1
/// `OneCycleScheduler`; `torch.optim.lr_scheduler.OneCycleLR`; K. Jordan, "94% on CIFAR-10 in 3.29 seconds"
/// (arXiv:2404.00498) and its `airbench94.py`.
public struct OneCycle: Hashable, Sendable {
  /// The code that the policy follows, to the last digit.
  public enum Convention: String, CaseIterable, Codable, Hashable, Sendable {
    /// fastai 2: a quarter of the run up, the rest down to 10⁻⁵ of the maximum.
    case fastai

    /// fastai 1: 30 % of the run up, in whole steps, the rest down to 4·10⁻⁶ of the maximum.
    case fastai1

    /// PyTorch: 30 % of the run up, the rest down to 4·10⁻⁶ of the maximum.
    case pytorch

    /// PyTorch with `three_phase`: up, down to where it started, then to 4·10⁻⁶ of the maximum.
    case pytorchThreePhase = "pytorch-three-phase"

    /// L. N. Smith's own runs: up, down towards 0, then a constant tail of 10⁻⁴ of the maximum.
    case smith

    /// Jordan's airbench: 23 % of the run up from a fifth, in whole steps, the rest down to 7 % of the maximum, at one
    /// momentum.
    case airbench
  }

  /// The convention.
  public let convention: Convention

  /// The highest learning rate.
  public let maxLR: Double

  /// The fraction of the run in which the learning rate rises, from 0 to 1.
  public let riseFraction: Double

  /// The maximum learning rate divided by the initial one.
  public let div: Double

  /// The maximum (`.fastai`, `.airbench`) or initial (others) learning rate divided by the last one.
  public let finalDiv: Double

  /// How the learning rate and the momentum move.
  public let annealing: Schedule.Annealing

  /// The momentum's two levels.
  public let momentum: Momentum

  /// Creates a policy.
  ///
  /// Arguments left out take the convention's values:
  ///
  /// | | fastai | fastai1 | pytorch, three-phase | smith | airbench |
  /// |---|---|---|---|---|---|
  /// | `riseFraction` | 0.25 | 0.3 | 0.3 | 0.45 | 0.23 |
  /// | `div` | 25 | 25 | 25 | 10 | 5 |
  /// | `finalDiv` | 10⁵ | 10⁴ | 10⁴ | 10³ | 1 / 0.07 |
  /// | `annealing` | cosine | cosine | cosine | linear | linear |
  /// | `momentum` | 0.95, 0.85 | 0.95, 0.85 | 0.95, 0.85 | 0.95, 0.85 | 0.85, 0.85 |
  ///
  /// - Parameters:
  ///   - maxLR: The highest learning rate, above 0.
  ///   - convention: The code to follow.
  ///   - riseFraction: The fraction of the run in which the rate rises; for `.smith` above 0 and at
  ///     most 0.5.
  ///   - div: The maximum divided by the initial rate, above 0.
  ///   - finalDiv: The maximum (`.fastai`, `.airbench`) or the initial rate (others) divided by the last, above
  ///     0.
  ///   - annealing: How rate and momentum move.
  ///   - momentum: The momentum's two levels.
  /// - Throws: ``ScheduleError/outOfRange(schedule:parameter:value:expected:)`` naming the number.
  public init(
    maxLR: Double,
    convention: Convention = .fastai,
    riseFraction: Double? = nil,
    div: Double? = nil,
    finalDiv: Double? = nil,
    annealing: Schedule.Annealing? = nil,
    momentum: Momentum? = nil
  ) throws(ScheduleError) {
    let defaults = convention.defaults
    self.convention = convention
    self.maxLR = maxLR
    self.riseFraction = riseFraction ?? defaults.riseFraction
    self.div = div ?? defaults.div
    self.finalDiv = finalDiv ?? defaults.finalDiv
    self.annealing = annealing ?? defaults.annealing
    self.momentum = momentum ?? (convention == .airbench ? .airbench : .standard)

    let check = ScheduleCheck(schedule: "1cycle")
    try check.positive(self.maxLR, "maxLR")
    if convention == .smith {
      try check.require(
        self.riseFraction > 0 && self.riseFraction <= 0.5, self.riseFraction, "riseFraction",
        "a fraction above 0 and at most 0.5, since in the smith convention the fall takes as long"
      )
    } else {
      try check.fraction(self.riseFraction, "riseFraction")
    }
    try check.positive(self.div, "div")
    try check.positive(self.finalDiv, "finalDiv")
    try check.require(
      initialLR.isFinite, self.div, "div", "a divisor that leaves the initial learning rate finite")
    try check.require(
      finalLR.isFinite, self.finalDiv, "finalDiv",
      "a divisor that leaves the last learning rate finite")
  }

  /// The initial learning rate.
  public var initialLR: Double { maxLR / div }

  /// The final learning rate, or the one that the step after the run would have (see the
  /// conventions).
  public var finalLR: Double {
    switch convention {
    case .fastai, .airbench: maxLR / finalDiv
    case .fastai1, .pytorch, .pytorchThreePhase, .smith: initialLR / finalDiv
    }
  }

  /// Returns the learning rate of a step.
  ///
  /// - Precondition: `total` is at least 1 and `step` in `0 ..< total`.
  public func learningRate(step: Int, total: Int) -> Double {
    let leg = leg(step: step, total: total)
    return annealing.value(from: rate(leg.start), to: rate(leg.end), at: leg.position)
  }

  /// Returns the momentum of a step (β₁ in Adam and its variants).
  ///
  /// - Precondition: `total` is at least 1 and `step` in `0 ..< total`.
  public func momentum(step: Int, total: Int) -> Double {
    let leg = convention == .smith ? smithWave(step, total) : leg(step: step, total: total)
    return annealing.value(from: momentum(leg.start), to: momentum(leg.end), at: leg.position)
  }

  private enum Level { case initial, maximum, final, zero }

  /// Two levels, and how far between them a step is.
  private struct Leg {
    let start: Level
    let end: Level
    let position: Double
  }

  private func rate(_ level: Level) -> Double {
    switch level {
    case .initial: initialLR
    case .maximum: maxLR
    case .final: finalLR
    case .zero: 0
    }
  }

  private func momentum(_ level: Level) -> Double {
    level == .maximum ? momentum.low : momentum.high
  }

  private func leg(step: Int, total: Int) -> Leg {
    preconditionStep(step, of: total)
    return switch convention {
    case .fastai: fastai(step, total)
    case .fastai1: fastai1(step, total)
    case .pytorch, .pytorchThreePhase: pytorch(step, total)
    case .smith: smith(step, total)
    case .airbench: airbench(step, total)
    }
  }

  private func fastai(_ step: Int, _ total: Int) -> Leg {
    let position = Double(step) / Double(total)
    guard position >= riseFraction else {
      return Leg(start: .initial, end: .maximum, position: position / riseFraction)
    }
    return Leg(
      start: .maximum, end: .final, position: (position - riseFraction) / (1 - riseFraction))
  }

  private func fastai1(_ step: Int, _ total: Int) -> Leg {
    // As a Double, the largest total is greater than any Int.
    let rise = riseFraction == 1 ? total : Int(Double(total) * riseFraction)
    let up = max(1, rise)
    let down = max(1, total - rise)
    guard step > up else {
      return Leg(start: .initial, end: .maximum, position: Double(step) / Double(up))
    }
    return Leg(start: .maximum, end: .final, position: Double(step - up) / Double(down))
  }

  private func pytorch(_ step: Int, _ total: Int) -> Leg {
    let step = Double(step)
    let total = Double(total)
    let peak = riseFraction * total - 1
    guard step > peak else {
      // A rise of zero length: step 0 is its beginning and its end.
      return Leg(start: .initial, end: .maximum, position: peak == 0 ? 1 : step / peak)
    }
    guard convention == .pytorchThreePhase else {
      return Leg(
        start: .maximum, end: .final, position: (step - peak) / (total - 1 - peak))
    }
    let back = 2 * riseFraction * total - 2
    guard step > back else {
      return Leg(start: .maximum, end: .initial, position: (step - peak) / (back - peak))
    }
    return Leg(start: .initial, end: .final, position: (step - back) / (total - 1 - back))
  }

  private func smith(_ step: Int, _ total: Int) -> Leg {
    let step = Double(step)
    let half = riseFraction * Double(total)
    if step <= half {
      return Leg(start: .initial, end: .maximum, position: step / half)
    }
    if step <= 2 * half {
      return Leg(start: .maximum, end: .zero, position: step / half - 1)
    }
    return Leg(start: .final, end: .final, position: 0)
  }

  private func airbench(_ step: Int, _ total: Int) -> Leg {
    // As a Double, the largest total is greater than any Int.
    let rise = riseFraction == 1 ? total : Int(Double(total) * riseFraction)
    guard step >= rise else {
      return Leg(start: .initial, end: .maximum, position: Double(step) / Double(rise))
    }
    return Leg(
      start: .maximum, end: .final, position: Double(step - rise) / Double(total - rise))
  }

  private func smithWave(_ step: Int, _ total: Int) -> Leg {
    preconditionStep(step, of: total)
    let half = riseFraction * Double(total)
    let within = Double(step).truncatingRemainder(dividingBy: 2 * half) / half
    return within <= 1
      ? Leg(start: .initial, end: .maximum, position: within)
      : Leg(start: .maximum, end: .initial, position: within - 1)
  }
}

extension OneCycle {
  /// The two levels of the momentum in a 1cycle policy.
  public struct Momentum: Hashable, Sendable {
    /// The momentum while the learning rate is low.
    public let high: Double

    /// The momentum at the highest learning rate.
    public let low: Double

    /// From 0.95 down to 0.85 and back.
    public static let standard = Momentum(checkedHigh: 0.95, low: 0.85)

    /// Always 0.85.
    fileprivate static let airbench = Momentum(checkedHigh: 0.85, low: 0.85)

    /// Creates a cycle.
    ///
    /// - Throws: ``ScheduleError`` unless `0 ≤ low ≤ high < 1`.
    public init(high: Double, low: Double) throws(ScheduleError) {
      let check = ScheduleCheck(schedule: "1cycle")
      for (value, name) in [(high, "momentum high"), (low, "momentum low")] {
        try check.require(value >= 0 && value < 1, value, name, "a number from 0 to below 1")
      }
      guard low <= high else { throw .momentumReversed(high: high, low: low) }
      self.init(checkedHigh: high, low: low)
    }

    private init(checkedHigh high: Double, low: Double) {
      self.high = high
      self.low = low
    }
  }
}

extension OneCycle.Convention {
  fileprivate var defaults:
    (riseFraction: Double, div: Double, finalDiv: Double, annealing: Schedule.Annealing)
  {
    switch self {
    case .fastai: (0.25, 25, 1e5, .cosine)
    case .fastai1, .pytorch, .pytorchThreePhase: (0.3, 25, 1e4, .cosine)
    case .smith: (0.45, 10, 1e3, .linear)
    case .airbench: (0.23, 5, 1 / 0.07, .linear)
    }
  }
}

// Decoding uses the checking initialisers, because a stored file may have been edited.

extension OneCycle.Momentum: Codable {
  private enum CodingKeys: String, CodingKey { case high, low }

  /// Reads a cycle.
  ///
  /// - Throws: ``ScheduleError`` as the initialiser does, or the decoder's error.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      high: values.decode(Double.self, forKey: .high),
      low: values.decode(Double.self, forKey: .low))
  }
}

extension OneCycle: Codable {
  private enum CodingKeys: String, CodingKey {
    case convention, maxLR, riseFraction, div, finalDiv, annealing, momentum
  }

  /// Reads a policy.
  ///
  /// - Throws: ``ScheduleError`` as the initialiser does, or the decoder's error.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      maxLR: values.decode(Double.self, forKey: .maxLR),
      convention: values.decode(Convention.self, forKey: .convention),
      riseFraction: values.decode(Double.self, forKey: .riseFraction),
      div: values.decode(Double.self, forKey: .div),
      finalDiv: values.decode(Double.self, forKey: .finalDiv),
      annealing: values.decode(Schedule.Annealing.self, forKey: .annealing),
      momentum: values.decode(Momentum.self, forKey: .momentum))
  }
}
