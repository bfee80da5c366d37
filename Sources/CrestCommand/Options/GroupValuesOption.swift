import ArgumentParser
import Crest

/// A number, or one for each parameter group: `x`, `a:b`, `:b` or `x,x…`.
struct GroupValuesOption: ExpressibleByArgument {
  let values: ParameterGroup.Values
  /// The numbers as they are written.
  let numbers: [Double]

  init?(argument: String) {
    let isSlice = argument.contains(":")
    let parts = argument.split(
      separator: isSlice ? ":" : ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Double($0) }
    if isSlice, parts.count == 2, parts[0].isEmpty, numbers.count == 1 {
      self.init(.slice(to: numbers[0]), numbers)
    } else if numbers.count != parts.count || isSlice && parts.count != 2 {
      return nil
    } else if isSlice {
      self.init(.spread(from: numbers[0], to: numbers[1]), numbers)
    } else {
      self.init(numbers.count == 1 ? .same(numbers[0]) : .each(numbers), numbers)
    }
  }

  /// One number for all groups.
  init(same number: Double) { self.init(.same(number), [number]) }

  private init(_ values: ParameterGroup.Values, _ numbers: [Double]) {
    self.values = values
    self.numbers = numbers
  }

  /// The largest number, or an invalid one if there is any, so that it is refused.
  var largest: Double {
    numbers.first { !($0 >= 0) } ?? numbers.max() ?? 0
  }

  /// The values divided by the largest one; all 1 if that is 0.
  var scaledToLargest: ParameterGroup.Values {
    let largest = largest
    guard largest > 0, largest.isFinite else { return .same(1) }
    return switch values {
    case .same(let value): .same(value / largest)
    case .spread(let first, let last): .spread(from: first / largest, to: last / largest)
    case .slice(let last): .slice(to: last / largest)
    case .each(let values): .each(values.map { $0 / largest })
    }
  }
}
