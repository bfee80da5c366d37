public import CrestState

extension Learner {
  /// A checkpoint from which a fit resumes, and how strictly.
  public struct Resumption: Sendable {
    /// Where it came from, for messages.
    public let path: String
    /// What was saved.
    public let state: RunState
    /// Fields to leave as they are instead of restoring them, each with everything in it, as in
    /// `callbacks.EarlyStopping`.
    public var skipping: [String]
    /// Whether the fit may have another number of epochs than it was started with, which changes its
    /// schedule.
    public var reschedules: Bool

    /// The checkpoint in a file, verified.
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

    /// The number of epochs that the fit was started with; nil when the state doesn't say.
    public var epochCount: Int? {
      if case .integer(let count) = state.fields[StateValue.Path(["fit", "epochCount"])] {
        count
      } else {
        nil
      }
    }
  }
}
