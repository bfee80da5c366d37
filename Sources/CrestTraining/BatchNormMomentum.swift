import CrestPlatform

/// How much of themselves the running statistics of batch norm may keep in a step, to follow a rise or fall of the
/// learning rate.
///
/// Smith's solvers for super-convergence keep 0.80, 0.85, 0.90, 0.93, 0.95, 0.96 and 0.97 for half cycles of 1,000, 2,000,
/// 3,000, 4,000, 5,000, 7,500 and 10,000 steps: 1 - 280 / steps within 30 % of what is replaced.
struct BatchNormMomentum {
  /// The steps of the half cycle.
  let halfCycle: Int

  /// The most by Smith's solvers; nil for half cycles so short that they say nothing.
  var most: Double? { halfCycle > 280 ? 1 - 280 / Double(halfCycle) : nil }

  /// The part that the values before the first step have of a statistic after the cycle.
  func initialPart(keeping kept: Double) -> Double { pow(kept, 2 * Double(halfCycle)) }

  /// Whether `kept` is too much.
  func isExceeded(by kept: Double) -> Bool {
    most.map { kept > $0 } ?? (initialPart(keeping: kept) > 0.01)
  }
}
