import CrestRuntime

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
    patterns.first { NamePattern($0).fits(name) }
  }
}
