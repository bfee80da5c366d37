public import CrestRuntime

/// Parameters and running statistics by name.
///
/// A layer's are those whose names begin with its path: `.matching("backbone.*")`.
public struct ParameterChoice: Sendable, Hashable {
  private let patterns: [NamePattern]

  private init(patterns: [NamePattern]) { self.patterns = patterns }

  /// Everything there is.
  public static let all = matching("*")

  /// What fits one of the patterns.
  public static func matching(_ patterns: NamePattern...) -> ParameterChoice {
    ParameterChoice(patterns: patterns)
  }

  /// What fits one of the patterns.
  public static func matching(_ patterns: [NamePattern]) -> ParameterChoice {
    ParameterChoice(patterns: patterns)
  }

  /// The names chosen among those of `store`.
  ///
  /// - Throws: ``ParameterError/unmatched(pattern:nearest:)`` when nothing fits a pattern.
  public func names(in store: ParameterStore) throws(ParameterError) -> Set<String> {
    let names = (store.parameters + store.statistics).map(\.name)
    var chosen: Set<String> = []
    for pattern in patterns { chosen.formUnion(try pattern.matches(among: names)) }
    return chosen
  }
}

extension NamePattern {
  /// The names that fit, at least one.
  func matches(among names: [String]) throws(ParameterError) -> [String] {
    let found = names.filter(fits)
    guard !found.isEmpty else {
      throw .unmatched(pattern: description, nearest: nearest(3, of: names))
    }
    return found
  }
}
