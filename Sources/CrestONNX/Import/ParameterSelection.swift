/// Which arrays of a file are trained, where the rule of their use is not what is wanted.
///
/// By default an array of `float32` is trained when an operation reads it as a weight, bias, scale or
/// embedding, or when arithmetic with data reads it and it has more than one element. Patterns are names
/// of arrays with `*` for any characters; where both lists match, `fixed` wins.
public struct ParameterSelection: Sendable, Hashable {
  /// Arrays to train in addition.
  public var trainable: [String]
  /// Arrays that stay as they are.
  public var fixed: [String]

  /// A selection.
  public init(trainable: [String] = [], fixed: [String] = []) {
    self.trainable = trainable
    self.fixed = fixed
  }

  /// The pattern among `patterns` that `name` fits.
  static func match(_ name: String, _ patterns: [String]) -> String? {
    patterns.first { fits(Array(name.utf8), Array($0.utf8)) }
  }

  /// Whether text fits a pattern: the last `*` is tried with one character more on each mismatch, so
  /// that the time is at most the product of both lengths.
  private static func fits(_ text: [UInt8], _ pattern: [UInt8]) -> Bool {
    let star = UInt8(ascii: "*")
    var (place, next) = (0, 0)
    var retry: (text: Int, pattern: Int)?
    while place < text.count {
      if next < pattern.count, pattern[next] == star {
        retry = (place, next)
        next += 1
      } else if next < pattern.count, pattern[next] == text[place] {
        place += 1
        next += 1
      } else if let last = retry {
        place = last.text + 1
        next = last.pattern + 1
        retry = (place, last.pattern)
      } else {
        return false
      }
    }
    return pattern[next...].allSatisfy { $0 == star }
  }
}
