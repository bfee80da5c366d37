import CrestPlatform
import CrestTensor

/// A number for each group of parameters, the first layers' first: learning rates, most of all
/// (discriminative rates, Howard & Ruder 2018).
public enum GroupValues: Sendable, Hashable, Codable {
  /// One for all.
  case same(Double)
  /// From one to the other at a constant ratio from each group to the next (fastai's `slice(a, b)`); a
  /// single group has the last one.
  case spread(from: Double, to: Double)
  /// This for the last group and a tenth of it for all others (fastai's `slice(b)`).
  case slice(to: Double)
  /// One for each.
  case each([Double])

  /// The value of the last group.
  ///
  /// - Precondition: a list of values isn't empty.
  public var last: Double {
    switch self {
    case .same(let value), .spread(_, let value), .slice(let value): return value
    case .each(let values):
      guard let last = values.last else { programmerError("an empty list of group values") }
      return last
    }
  }

  /// The numbers that it is written with.
  private var numbers: [Double] {
    switch self {
    case .same(let value), .slice(let value): [value]
    case .spread(let first, let last): [first, last]
    case .each(let values): values
    }
  }

  /// Refuses numbers without a meaning as a factor or rate.
  ///
  /// - Parameters:
  ///   - what: What messages call the values, as in `learning rates`.
  ///   - allowingZero: Whether 0 has a meaning; never as an end of a constant ratio.
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
  /// - Throws: ``ParameterError/valueCount(of:got:groups:)`` when a list is of another length.
  public func values(
    forGroups count: Int, _ what: String = "group values"
  ) throws(ParameterError) -> [Double] {
    switch self {
    case .same(let value): return [Double](repeating: value, count: count)
    case .spread(let first, let last):
      return (0..<count).map { group in
        // The end is exact, which the formula need not be.
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
