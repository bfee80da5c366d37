public import CrestTensor

/// Why a checkpoint can't be written, read or used.
public enum CheckpointError: Error, Equatable, Sendable {
  /// A file or folder that can't be read.
  case unreadable(path: String, reason: String)
  /// A file or folder that can't be written; the reason says what to do.
  case unwritable(path: String, reason: String)
  /// A file that isn't safetensors, or damaged.
  case malformed(path: String, SafetensorsError)
  /// A safetensors file that Crest didn't write.
  case notACheckpoint(path: String)
  /// A checkpoint of a later format.
  case newerFormat(path: String, format: String, known: Int)
  /// A file whose bytes aren't those that were written.
  case checksum(path: String)
  /// A malformed state.
  case malformedState(path: String, offset: Int, expected: String)
  /// A checkpoint of another model, data set or setting.
  case unsuitable(path: String, StateError)
  /// A tensor that is missing from the weights, or that the model doesn't have.
  case weights(path: String, StateError)
  /// A checkpoint without a fit to resume.
  case noFit(path: String)
  /// Another number of epochs than the fit started with.
  case otherEpochs(path: String, saved: Int, asked: Int)
  /// A folder that another process saves to.
  case locked(folder: String)
  /// A folder with checkpoints of another run.
  case occupied(folder: String, newest: String)
  /// A folder in which no checkpoint can be read.
  case noneReadable(folder: String, first: String)
  /// A save at a moment from which a fit can't be resumed.
  case notAtSavePoint
  /// A running statistic that is infinite or not a number.
  case nonFiniteStatistic(name: String, value: Float)
  /// Saves that failed one after the other, and the newest checkpoint that can be resumed, if any.
  case tooManyFailures(count: Int, last: String, newest: String?)
}

extension CheckpointError: CustomStringConvertible {
  /// What, where, expected, got and what to do.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "\(path) can't be read: \(reason)"
    case .unwritable(let path, let reason):
      "\(path) can't be written: \(reason)"
    case .malformed(let path, let error):
      "\(path): \(error)"
    case .notACheckpoint(let path):
      "\(path) is not a checkpoint of crest, but another safetensors file; only its weights can be loaded"
    case .newerFormat(let path, let format, let known):
      "\(path) is a checkpoint of format \(format), but this crest knows formats up to \(known); use a "
        + "newer crest"
    case .checksum(let path):
      "\(path) is damaged: its checksum is not the one it was written with; use an older checkpoint"
    case .malformedState(let path, let offset, let expected):
      "\(path): the saved state is malformed: expected \(expected) at offset \(offset) of its text"
    case .unsuitable(let path, let error), .weights(let path, let error):
      "\(path): \(error)"
    case .noFit(let path):
      "\(path) was not saved during a fit, so there is none to resume; load it and start one"
    case .otherEpochs(let path, let saved, let asked):
      "\(path) belongs to a fit of \(saved) epochs, but \(asked) were requested, which changes its schedule; ask "
        + "for \(saved), or ask to reschedule"
    case .locked(let folder):
      "\(folder) is in use by another run; choose another folder, or wait until that run ends"
    case .occupied(let folder, let newest):
      "\(folder) already holds checkpoints of a run, the newest \(newest); resume it, or choose another "
        + "folder"
    case .noneReadable(let folder, let first):
      "no checkpoint in \(folder) can be read; the newest: \(first)"
    case .notAtSavePoint:
      "a checkpoint of a running fit can be saved in the hooks afterBatch, afterEpoch and "
        + "beforeInterruption of a phase that ended normally, and nowhere else"
    case .nonFiniteStatistic(let name, let value):
      "the running statistic \(name) is \(value.isNaN ? "nan" : "\(value)"), so the weights are not saved; train again "
        + "at a lower learning rate, or find out what produced it"
    case .tooManyFailures(let count, let last, let newest):
      "\(count) checkpoints in a row could not be saved, the last: \(last); "
        + (newest.map { "the newest checkpoint is \($0)" }
          ?? "there is no checkpoint to resume from")
    }
  }
}
