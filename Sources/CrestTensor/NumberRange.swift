/// The numbers that a setting may have.
package struct NumberRange: Sendable {
  /// Which they are, for messages.
  package let words: String
  /// Whether a number is one of them.
  package let contains: @Sendable (Double) -> Bool

  /// Numbers that `words` names and `contains` recognises.
  package init(_ words: String, contains: @escaping @Sendable (Double) -> Bool) {
    self.words = words
    self.contains = contains
  }

  /// Ends the program unless a number is one of them.
  package func require(_ value: Double, _ what: String) {
    programmerError(unless: contains(value), "\(what) is \(value), not \(words)")
  }
}
