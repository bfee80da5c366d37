import CrestPlatform

/// How `fitOneCycle` chooses its highest learning rate.
public enum AutomaticLR: String, Sendable, Hashable, CaseIterable, Codable {
  /// The learning-rate finder with three seeds, then short 1cycle runs around what it found.
  case auto
  /// A range test: its maximum of a peak; on a plateau, what short 1cycle runs find best.
  case rangeTest = "range-test"
}

extension AutomaticLR {
  /// A chosen rate, and the short runs that decided it.
  public struct Choice: Sendable, Hashable {
    /// How it was chosen.
    public let method: AutomaticLR
    /// The highest rate for 1cycle.
    public let maxLR: Double
    /// The short runs, in the order they were made.
    public let trials: [RangeTest.Trial]
    /// The range test, if there was one.
    public let rangeTest: RangeTest?

    package init(
      _ method: AutomaticLR, maxLR: Double, trials: [RangeTest.Trial],
      rangeTest: RangeTest? = nil
    ) {
      self.method = method
      self.maxLR = maxLR
      self.trials = trials
      self.rangeTest = rangeTest
    }
  }

  /// The search for the best of rates 2.5 apart, which goes on until the best has worse ones on both sides.
  package struct Climb {
    /// The rates, relative to that of the finder's least loss: half of it, 0.2, 0.08; then beyond.
    private static let factor = 2.5
    private static let start = [0, -1, -2]
    private static let limits = -6...1

    private let leastLossRate: Double
    private var losses: [Int: Double] = [:]
    /// What was tried, in order.
    package private(set) var trials: [RangeTest.Trial] = []

    package init(leastLossRate: Double) { self.leastLossRate = leastLossRate }

    private func rate(_ place: Int) -> Double {
      leastLossRate / 2 * pow(Self.factor, Double(place))
    }

    private var best: Int? {
      losses.filter { $0.value.isFinite }.min { ($0.value, $0.key) < ($1.value, $1.key) }?.key
    }

    /// The place to try next; nil when the best is between two that are worse.
    private var next: Int? {
      if let first = Self.start.first(where: { losses[$0] == nil }) { return first }
      // All diverged: lower.
      let around = best.map { [$0 + 1, $0 - 1] } ?? [(losses.keys.min() ?? 0) - 1]
      return around.first { Self.limits.contains($0) && losses[$0] == nil }
    }

    /// The rate to try next; nil when the best is between two that are worse, or at a limit.
    package var nextRate: Double? { next.map(rate) }

    /// Adds the trial of the next rate.
    package mutating func add(_ trial: RangeTest.Trial) {
      guard let next else { return }
      losses[next] = trial.loss ?? .infinity
      trials.append(trial)
    }

    /// The rate with the least loss; nil when all diverged.
    package var bestRate: Double? { best.map(rate) }
  }
}

extension AutomaticLR.Choice: CustomStringConvertible {
  /// As in `a maximum learning rate of 0.3, the best of 1.9, 0.75, 0.3 and 0.12 in 1cycle runs of 200 steps`.
  public var description: String {
    let tried = trials.map { trial in
      trial.maxLR.short + (trial.loss == nil ? " (diverged)" : "")
    }
    let best = "a maximum learning rate of \(maxLR.short)"
    if let rangeTest, tried.isEmpty { return "\(best), by the range test: \(rangeTest.summary)" }
    return "\(best), the best of \(tried.joined(separator: ", ")) in short 1cycle runs"
  }
}
