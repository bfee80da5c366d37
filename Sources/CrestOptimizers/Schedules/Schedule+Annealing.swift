import CrestPlatform

extension Schedule {
  /// How a value moves from one level to another.
  public enum Annealing: String, CaseIterable, Codable, Hashable, Sendable {
    /// Linearly.
    case linear

    /// By half a period of a cosine: slowly at both ends, fastest in the middle.
    case cosine

    /// Returns the value at a position between the levels.
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
      // A weighted sum makes both ends exact, unlike adding a fraction of the difference to one of
      // them.
      return start * remaining + end * (1 - remaining)
    }
  }
}
