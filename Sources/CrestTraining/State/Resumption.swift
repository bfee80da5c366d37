public import CrestState

extension Learner {
  /// A checkpoint that a fit goes on with, and how strictly.
  public struct Resumption: Sendable {
    /// Where it came from, for messages.
    public let path: String
    /// What was saved.
    public let state: RunState
    /// Fields that are left as they are here instead of being put back, each with all within it, written as in
    /// `callbacks.EarlyStopping`.
    public var skipping: [String]
    /// Whether the fit may have another number of epochs than it was begun with, by which its schedule changes.
    public var reschedules: Bool

    /// The checkpoint in a file, once it has been proven to be as it was written.
    ///
    /// - Throws: `CheckpointError`, `CheckpointError.noFit` when it wasn't saved during a fit.
    public init(
      path: String, skipping: [String] = [], reschedules: Bool = false
    ) throws(CheckpointError) {
      try self.init(
        path: path, state: CheckpointFile.read(path), skipping: skipping, reschedules: reschedules)
    }

    /// A state that was read from `path`.
    ///
    /// - Throws: `CheckpointError.noFit` when it wasn't saved during a fit.
    public init(
      path: String, state: RunState, skipping: [String] = [], reschedules: Bool = false
    ) throws(CheckpointError) {
      guard case .fields = state.fields["fit"] else { throw .noFit(path: path) }
      self.path = path
      self.state = state
      self.skipping = skipping
      self.reschedules = reschedules
    }

    /// The number of epochs that the fit was begun with; nil when the state doesn't say.
    public var epochCount: Int? {
      if case .integer(let count) = state.fields[StateValue.Path(["fit", "epochCount"])] {
        count
      } else {
        nil
      }
    }
  }
}
