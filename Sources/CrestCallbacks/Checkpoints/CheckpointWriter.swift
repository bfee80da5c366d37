import CrestState
import CrestTensor
import CrestTraining

/// Saves the run of a fit in a folder and tolerates a few failures.
final class CheckpointWriter {
  private let callback: String
  private let folderPath: String
  private let maxConsecutiveFailures: Int
  private let warnings: ProgressBar.Output
  private let open: (String) throws(CheckpointError) -> CheckpointFolder
  private var folder: CheckpointFolder?
  private var failures = 0
  /// Why the last save failed; nil when it worked.
  private(set) var lastFailure: CheckpointError?

  init(
    _ callback: String, folder: String, maxConsecutiveFailures: Int, warnings: ProgressBar.Output,
    open: @escaping (String) throws(CheckpointError) -> CheckpointFolder
  ) throws(CallbackError) {
    try CallbackError.require(
      maxConsecutiveFailures >= 0, "maxConsecutiveFailures", maxConsecutiveFailures,
      "at least 0 saves", of: callback)
    self.callback = callback
    folderPath = folder
    self.maxConsecutiveFailures = maxConsecutiveFailures
    self.warnings = warnings
    self.open = open
  }

  /// Takes the folder for a fit.
  func begin() throws -> CheckpointFolder {
    failures = 0
    lastFailure = nil
    let folder = try self.folder ?? open(folderPath)
    self.folder = folder
    return folder
  }

  /// Releases the folder.
  func end() { folder = nil }

  /// Saves `learner` under a name, then removes what `saved` has given up.
  ///
  /// When it failed too often in a row, the fit ends with `CheckpointError.tooManyFailures`,
  /// once others have saved the run.
  ///
  /// - Returns: Whether that worked; when not, training continues with a warning.
  /// - Throws: What no later save would do better.
  func save(
    _ fit: FitContext, _ contents: Learner.Contents, as name: String, givingUp names: [String]
  ) throws -> Bool {
    do {
      try openFolder(for: name).save(fit.learner.runState(contents), as: name)
    } catch let error as CheckpointError {
      guard case .unwritable = error else { throw error }
      failures += 1
      lastFailure = error
      if failures > maxConsecutiveFailures {
        fit.end(
          with: CheckpointError.tooManyFailures(
            count: failures, last: "\(error)", newest: newest()))
      } else {
        warn("\(error); training continues")
      }
      return false
    }
    failures = 0
    lastFailure = nil
    remove(names)
    return true
  }

  /// Saves `learner` under a name, and reads the file again.
  ///
  /// - Returns: The file's path.
  /// - Throws: `CheckpointError` when it can't be written or isn't there as it was written.
  func saveAndVerify(_ learner: Learner, as name: String) throws -> String {
    let folder = openFolder(for: name)
    try folder.save(learner.runState(.everything), as: name)
    return try folder.verified(name)
  }

  /// Gives the model of `learner` the weights of a checkpoint.
  ///
  /// - Throws: `CheckpointError` when the file isn't as it was written.
  func load(_ name: String, into learner: Learner) throws {
    let path = try openFolder(for: name).verified(name)
    try CheckpointFile.Weights(path).load(into: learner.model)
  }

  /// The newest checkpoint that is as it was written; nil when there is none.
  func newest() -> String? {
    // Asked for after a failure, which is what is reported.
    try? folder?.newest()?.path
  }

  private func openFolder(for name: String) -> CheckpointFolder {
    guard let folder else {
      programmerError("\(callback) saves \(name) outside of a fit")
    }
    return folder
  }

  /// Removes files; one that stays is no reason to stop.
  func remove(_ names: [String]) {
    for name in names {
      do throws(CheckpointError) {
        try folder?.remove(name)
      } catch {
        warn("\(error)")
      }
    }
  }

  /// Says something on the way.
  func warn(_ message: String) { warnings.write("\(callback): \(message)\n") }
}
