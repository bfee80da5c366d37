import CrestPlatform
import CrestTensor

extension ParameterGroup {
  /// A number for each parameter group, in the order of the layers: mostly learning rates
  /// (discriminative learning rates, Howard & Ruder 2018).
  public enum Values: Sendable, Hashable, Codable {
    /// One for all.
    case same(Double)
    /// From the first value to the second at a constant ratio between groups (fastai's
    /// `slice(a, b)`); a single group gets the second.
    case spread(from: Double, to: Double)
    /// This value for the last group and a tenth of it for all others (fastai's `slice(b)`).
    case slice(to: Double)
    /// One for each.
    case each([Double])

    /// The value of the last group.
    ///
    /// - Precondition: a list of values is not empty.
    public var last: Double {
      switch self {
      case .same(let value), .spread(_, let value), .slice(let value): return value
      case .each(let values):
        guard let last = values.last else { programmerError("an empty list of group values") }
        return last
      }
    }

    /// The numbers in it as written.
    private var numbers: [Double] {
      switch self {
      case .same(let value), .slice(let value): [value]
      case .spread(let first, let last): [first, last]
      case .each(let values): values
      }
    }

    /// Refuses numbers that can't be a factor or rate.
    ///
    /// - Parameters:
    ///   - what: The name of the values in messages, as in `learning rates`.
    ///   - allowingZero: Whether 0 is allowed; it never is at an end of a constant ratio.
    /// - Throws: ``ParameterError/value(of:got:expected:)``.
    public func validate(_ what: String, allowingZero: Bool = false) throws(ParameterError) {
      var least = "finite numbers above 0"
      var zeroIsFine = false
      if allowingZero {
        switch self {
        case .spread: break
        case .same, .slice, .each: (least, zeroIsFine) = ("finite numbers of at least 0", true)
        }
      }
      guard !numbers.isEmpty else { throw .valueCount(of: what, got: 0, groups: 1) }
      for number in numbers where !(number.isFinite && (number > 0 || zeroIsFine && number == 0)) {
        throw .value(of: what, got: number, expected: least)
      }
    }

    /// The value of each of `count` groups.
    ///
    /// - Throws: ``ParameterError/valueCount(of:got:groups:)`` if a list has another length.
    public func values(
      forGroups count: Int, _ what: String = "group values"
    ) throws(ParameterError) -> [Double] {
      programmerError(unless: count >= 0, "\(what) for \(count) groups")
      switch self {
      case .same(let value): return [Double](repeating: value, count: count)
      case .spread(let first, let last):
        return (0..<count).map { group in
          // The formula may miss the end by rounding, so the end is set exactly.
          group == count - 1 ? last : first * pow(last / first, Double(group) / Double(count - 1))
        }
      case .slice(let last):
        return (0..<count).map { $0 == count - 1 ? last : last / 10 }
      case .each(let values):
        guard values.count == count else {
          throw .valueCount(of: what, got: values.count, groups: count)
        }
        return values
      }
    }
  }
}
