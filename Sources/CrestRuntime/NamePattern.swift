import CrestTensor

/// A pattern for names, as of parameters: `*` matches any characters, including none; everything
/// else matches itself.
public struct NamePattern: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  /// The pattern, as in `backbone.*`.
  public let description: String

  /// The pattern written as `text`.
  public init(_ text: String) { description = text }

  /// The pattern written as `text`.
  public init(stringLiteral text: String) { self.init(text) }

  private static let star = UInt8(ascii: "*")

  /// Whether all of `name` matches.
  public func fits(_ name: String) -> Bool {
    // The last star is tried with one character more on each mismatch, so that the time is at most the
    // product of both lengths.
    let (text, pattern) = (Array(name.utf8), Array(description.utf8))
    var (place, next) = (0, 0)
    var retry: (text: Int, pattern: Int)?
    while place < text.count {
      if next < pattern.count, pattern[next] == Self.star {
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
    return pattern[next...].allSatisfy { $0 == Self.star }
  }

  /// The names that need the fewest changed letters to match, nearest first: what to suggest if
  /// none matches.
  ///
  /// - Precondition: `count` is not negative.
  public func nearest(_ count: Int, of names: [String]) -> [String] {
    programmerError(unless: count >= 0, "the \(count) nearest names")
    return names.enumerated().map {
      (distance: editDistance(description, $0.element, wildcard: "*"), place: $0.offset)
    }
    .sorted { ($0.distance, $0.place) < ($1.distance, $1.place) }
    .prefix(count).map { names[$0.place] }
  }
}
