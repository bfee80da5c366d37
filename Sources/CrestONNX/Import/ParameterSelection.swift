import CrestRuntime

/// Exceptions from the rule in `docs/onnx.md` for which arrays of a file are trained.
///
/// By default an array of `float32` is trained when a gradient of the first output reaches it and
/// it is used where learned arrays are used, or neither its values nor its name show that it is a
/// constant. Patterns are names of arrays with `*` for any characters; where both lists match,
/// `fixed` wins.
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

  /// What to do about a pattern that fits none of `names`.
  static func advice(_ pattern: String, _ names: [String]) -> String {
    let near = NamePattern(pattern).nearest(3, of: names).map { "\"\($0)\"" }
    return "use the array names of the file"
      + (near.isEmpty ? "" : "; similar names are \(near.joined(separator: ", "))")
  }
}
