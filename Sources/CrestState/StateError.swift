/// Why a saved state can't be restored.
///
/// Each names the field as `--partial` and `Learner.resume` take it.
public enum StateError: Error, Equatable, Sendable {
  /// A field that isn't there.
  case missing(StateValue.Path)
  /// A field that nothing uses.
  case unexpected(StateValue.Path)
  /// A field of another type or shape.
  case mistyped(StateValue.Path, expected: String, got: String)
  /// A field that says the checkpoint belongs to something else.
  case differs(StateValue.Path, saved: String, now: String)
  /// A value that can't be saved.
  case notSavable(StateValue.Path, reason: String)
  /// A field to be skipped that isn't there.
  case nothingToSkip(String, known: [String])
}

extension StateError: CustomStringConvertible {
  /// What, where, expected, got and what to do.
  public var description: String { description { "skip \($0)" } }

  /// The description, with other words for how a field is left out.
  package func description(skipping skip: (StateValue.Path) -> String) -> String {
    switch self {
    case .missing(let path):
      "the saved state has no \(path); it comes from a run with other parts, or from another version: restore it "
        + "with the parts it was saved with, or \(skip(path))"
    case .unexpected(let path):
      "the saved state has \(path), which nothing here uses; restore it with the parts it was saved "
        + "with, or \(skip(path))"
    case .mistyped(let path, let expected, let got):
      "\(path) of the saved state: expected \(expected), got \(got); it comes from another model or version"
    case .differs(let path, let saved, let now):
      "\(path) of the saved state is \(saved), but here it is \(now); restore it where they are equal, "
        + "or \(skip(path))"
    case .notSavable(let path, let reason):
      "\(path) can't be saved: \(reason)"
    case .nothingToSkip(let place, let known):
      "there is no \(place) to skip in the saved state; there are \(known.joined(separator: ", "))"
    }
  }
}
