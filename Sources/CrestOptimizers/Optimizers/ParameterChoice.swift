public import CrestRuntime

/// Parameters and running statistics by name.
///
/// Names of a layer's parameters begin with its path: `.matching("backbone.*")`.
public struct ParameterChoice: Sendable, Hashable, CustomStringConvertible {
  private let patterns: [NamePattern]

  private init(patterns: [NamePattern]) { self.patterns = patterns }

  /// The patterns, as in `backbone.*|head.*`.
  public var description: String { patterns.map(\.description).joined(separator: "|") }

  /// Everything there is.
  public static let all = matching("*")

  /// Names that match one of the patterns.
  public static func matching(_ patterns: NamePattern...) -> ParameterChoice {
    ParameterChoice(patterns: patterns)
  }

  /// Names that match one of the patterns.
  public static func matching(_ patterns: [NamePattern]) -> ParameterChoice {
    ParameterChoice(patterns: patterns)
  }

  /// Whether one of the patterns matches.
  func fits(_ name: String) -> Bool { patterns.contains { $0.fits(name) } }

  /// The matching names of `store`.
  ///
  /// - Throws: ``ParameterError/unmatched(pattern:nearest:)`` if nothing matches a pattern.
  public func names(in store: ParameterStore) throws(ParameterError) -> Set<String> {
    let names = (store.parameters + store.statistics).map(\.name)
    var chosen: Set<String> = []
    for pattern in patterns { chosen.formUnion(try pattern.matches(among: names)) }
    return chosen
  }
}

extension NamePattern {
  /// The names that match, at least one.
  func matches(among names: [String]) throws(ParameterError) -> [String] {
    let found = names.filter(fits)
    guard !found.isEmpty else {
      throw .unmatched(pattern: description, nearest: nearest(3, of: names))
    }
    return found
  }
}
