package import CrestTraining

/// A callback that writes down every hook it is called in, and lets a test act there.
package final class Trace: Callback {
  package let name: String
  package let order: Int
  /// What was written, one entry a call.
  package private(set) var entries: [String] = []
  private let action: (String) throws -> Void
  private let log: ((String) -> Void)?

  /// A trace that does `action` in each hook, after writing its name.
  package init(
    name: String = "Trace", order: Int = 0,
    _ action: @escaping (String) throws -> Void = { _ in }, log: ((String) -> Void)? = nil
  ) {
    self.name = name
    self.order = order
    self.action = action
    self.log = log
  }

  package var hooks: [Hook] {
    [
      .beforeFit { try self.note("beforeFit", $0) },
      .beforeEpoch { try self.note("beforeEpoch", $0) },
      .beforeTrain { try self.note("beforeTrain", $0) },
      .beforeBatch { try self.note("beforeBatch", $0) },
      .afterPrediction { try self.note("afterPrediction", $0) },
      .afterLoss { try self.note("afterLoss", $0) },
      .beforeBackward { try self.note("beforeBackward", $0) },
      .afterBackward { try self.note("afterBackward", $0) },
      .beforeStep { try self.note("beforeStep", $0) },
      .afterStep { try self.note("afterStep", $0) },
      .afterBatch { try self.note("afterBatch", $0) },
      .afterTrain { try self.note("afterTrain", $0) },
      .beforeValidate { try self.note("beforeValidate", $0) },
      .afterValidate { try self.note("afterValidate", $0) },
      .afterEpoch { try self.note("afterEpoch", $0) },
      .afterFit { try self.note("afterFit", $0) },
    ]
  }

  /// The name of the hook, `v:` before those of validation batches, and how the phase ended unless it
  /// finished.
  private func note(_ hook: String, _ context: PhaseContext) throws {
    let isValidation = (context as? BatchContext)?.isTraining == false
    let name = (isValidation ? "v:" : "") + hook
    let ending =
      switch context.outcome {
      case .running, .finished: ""
      case .cancelled(let cancellation): " (\(cancellation.phase) cancelled)"
      case .interrupted: " (interrupted)"
      case .failed(let error): " (failed: \(error))"
      }
    entries.append(name + ending)
    log?(self.name + "." + name)
    try action(name)
  }
}

/// An error of a test's own.
package struct Mishap: Error, Equatable, CustomStringConvertible {
  package let description: String

  /// An error called `description`.
  package init(_ description: String) { self.description = description }
}
