import CrestPlatform

/// How a value moves from one level to another.
public enum Annealing: String, CaseIterable, Codable, Hashable, Sendable {
  /// At an even pace.
  case linear

  /// Slowly at both ends, fastest in the middle: half a period of a cosine.
  case cosine

  /// Returns the value at a position on the way.
  ///
  ///     linear   start (1 - p) + end p
  ///     cosine   start (1 + cos πp) / 2 + end (1 - cos πp) / 2
  ///
  /// - Parameters:
  ///   - start: The value at position 0, exactly.
  ///   - end: The value at position 1, exactly.
  ///   - position: `p`, from 0 to 1.
  /// - Returns: The value, between the two.
  ///
  /// fastai's `SchedLin` and `SchedCos`.
  public func value(from start: Double, to end: Double, at position: Double) -> Double {
    let remaining =
      switch self {
      case .linear: 1 - position
      case .cosine: (1 + cos(.pi * position)) / 2
      }
    // Weighing both ends, and not adding a share of their difference to one, is what makes both
    // ends exact.
    return start * remaining + end * (1 - remaining)
  }
}
