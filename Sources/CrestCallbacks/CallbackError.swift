/// Why a shipped callback can't do what it was asked.
public enum CallbackError: Error, Equatable, Sendable {
  /// A number out of range.
  case outOfRange(callback: String, parameter: String, value: String, expected: String)
  /// A metric the learner doesn't have.
  case unknownMetric(String, callback: String, known: [String])
  /// A model without a batch norm whose statistics train.
  case noBatchNorm(callback: String)
  /// Steps of several batches, of which the gradient of one says nothing.
  case severalBatches(callback: String, batchesPerStep: Int)
  /// A loss that isn't made of losses of single examples.
  case noExampleLosses(callback: String)
  /// Gradients that are infinite or not numbers.
  case nonFiniteGradient(norm: Double, step: Int)
  /// A log that can't be written; the reason says what to do.
  case unwritable(path: String, reason: String)
  /// A log that is gone (nil bytes) or has fewer bytes than were written before the checkpoint.
  case logTooShort(path: String, byteCount: Int?, expected: Int, callback: String)
  /// A log at another path than the one that was written before the checkpoint, and not that log.
  case otherLog(path: String, written: String, expected: Int, callback: String)
  /// A log whose rows aren't those that were written before the checkpoint.
  case logChanged(path: String, expected: Int, callback: String)
}

extension CallbackError {
  /// Refuses a parameter of a callback's initialiser.
  static func require(
    _ holds: Bool, _ parameter: String, _ value: some CustomStringConvertible, _ expected: String,
    of callback: String
  ) throws(CallbackError) {
    guard holds else {
      throw .outOfRange(
        callback: callback, parameter: parameter, value: value.description, expected: expected)
    }
  }
}

extension CallbackError: CustomStringConvertible {
  /// What, expected, got and what to do.
  public var description: String {
    switch self {
    case .outOfRange(let callback, let parameter, let value, let expected):
      "\(callback): \(parameter) is \(value), expected \(expected)"
    case .unknownMetric(let name, let callback, let known):
      "\(callback): there is no metric \"\(name)\" to monitor; choose one of "
        + "\(known.joined(separator: ", ")), or add the metric to the learner"
    case .noBatchNorm(let callback):
      "\(callback): the model has no batch norm whose statistics train; leave it out"
    case .severalBatches(let callback, let count):
      "\(callback): a step is of \(count) batches, and this form needs steps of one; choose another form, or don't "
        + "accumulate gradients"
    case .noExampleLosses(let callback):
      "\(callback): the loss of a batch is not made of losses of its examples; leave it out, or choose another loss"
    case .nonFiniteGradient(let norm, let step):
      "the norm of the gradients is \(norm.isNaN ? "nan" : "\(norm)") in step \(step); lower the "
        + "learning rate, and let TerminateOnNaN name the layer"
    case .unwritable(let path, let reason):
      "\(path) can't be written: \(reason)"
    case .logTooShort(let path, let byteCount, let expected, let callback):
      "\(path) \(byteCount.map { "has \($0) bytes" } ?? "is gone"), but \(expected) bytes were written "
        + "to it before the checkpoint; restore it, or \(Self.anew(callback))"
    case .otherLog(let path, let written, let expected, let callback):
      "\(path) is not the log of this run, whose first \(expected) bytes were written to \(written); use "
        + "that path, move the log, or \(Self.anew(callback))"
    case .logChanged(let path, let expected, let callback):
      "the first \(expected) bytes of \(path) are not those that were written to it before the checkpoint; restore "
        + "it, or \(Self.anew(callback))"
    }
  }

  private static func anew(_ callback: String) -> String {
    "skip callbacks.\(callback) to start it again"
  }
}
