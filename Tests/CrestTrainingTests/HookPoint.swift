import CrestRuntime
import CrestTraining
import Testing

/// A place where hooks are called; those of validation batches begin with `v:`.
enum HookPoint: String, CaseIterable, CustomTestStringConvertible {
  case beforeFit, beforeEpoch, beforeTrain, beforeBatch, afterPrediction, afterLoss
  case beforeBackward, afterBackward, beforeStep, afterStep, afterBatch, afterTrain, beforeValidate
  case validBeforeBatch = "v:beforeBatch"
  case validAfterPrediction = "v:afterPrediction"
  case validAfterLoss = "v:afterLoss"
  case validAfterBatch = "v:afterBatch"
  case afterValidate, afterEpoch, beforeInterruption, afterFit

  var testDescription: String { rawValue }

  /// The places of a hook.
  ///
  /// A new hook has to be added here, and its places above: then the matrix has rows of it.
  static func places(of hook: Hook) -> [HookPoint] {
    switch hook {
    case .beforeFit: [.beforeFit]
    case .beforeEpoch: [.beforeEpoch]
    case .beforeTrain: [.beforeTrain]
    case .beforeBatch: [.beforeBatch, .validBeforeBatch]
    case .afterPrediction: [.afterPrediction, .validAfterPrediction]
    case .afterLoss: [.afterLoss, .validAfterLoss]
    case .beforeBackward: [.beforeBackward]
    case .afterBackward: [.afterBackward]
    case .beforeStep: [.beforeStep]
    case .afterStep: [.afterStep]
    case .afterBatch: [.afterBatch, .validAfterBatch]
    case .afterTrain: [.afterTrain]
    case .beforeValidate: [.beforeValidate]
    case .afterValidate: [.afterValidate]
    case .afterEpoch: [.afterEpoch]
    case .beforeInterruption: [.beforeInterruption]
    case .afterFit: [.afterFit]
    }
  }

  /// The hook that does `action` here.
  func hook(_ action: @escaping (PhaseContext) throws -> Void) -> Hook {
    func inPass(_ isTraining: Bool) -> (BatchContext) throws -> Void {
      { if $0.isTraining == isTraining { try action($0) } }
    }
    return switch self {
    case .beforeFit: .beforeFit(action)
    case .beforeEpoch: .beforeEpoch(action)
    case .beforeTrain: .beforeTrain(action)
    case .beforeBatch: .beforeBatch(inPass(true))
    case .afterPrediction: .afterPrediction(inPass(true))
    case .afterLoss: .afterLoss(inPass(true))
    case .beforeBackward: .beforeBackward(action)
    case .afterBackward: .afterBackward(action)
    case .beforeStep: .beforeStep(action)
    case .afterStep: .afterStep(action)
    case .afterBatch: .afterBatch(inPass(true))
    case .afterTrain: .afterTrain(action)
    case .beforeValidate: .beforeValidate(action)
    case .validBeforeBatch: .beforeBatch(inPass(false))
    case .validAfterPrediction: .afterPrediction(inPass(false))
    case .validAfterLoss: .afterLoss(inPass(false))
    case .validAfterBatch: .afterBatch(inPass(false))
    case .afterValidate: .afterValidate(action)
    case .afterEpoch: .afterEpoch(action)
    case .beforeInterruption: .beforeInterruption(action)
    case .afterFit: .afterFit(action)
    }
  }
}

/// A callback with every hook: it notes each call, with how the phase ended unless it finished, and then acts.
final class Witness: Callback {
  let name: String
  let order: Int
  let reads: Set<Capture> = [.predictions]
  private(set) var entries: [String] = []
  private let action: (HookPoint, PhaseContext) throws -> Void

  init(
    _ name: String, order: Int,
    _ action: @escaping (HookPoint, PhaseContext) throws -> Void = { _, _ in }
  ) {
    self.name = name
    self.order = order
    self.action = action
  }

  var hooks: [Hook] {
    HookPoint.allCases.map { point in
      point.hook { context in
        self.entries.append(point.rawValue + context.outcome.note)
        try self.action(point, context)
      }
    }
  }
}

extension PhaseContext.Outcome {
  /// As in ` (epoch cancelled)`; nothing for a phase that runs or has finished.
  var note: String {
    switch self {
    case .running, .finished: ""
    case .cancelled(let cancellation): " (\(cancellation.phase) cancelled)"
    case .interrupted: " (interrupted)"
    case .failed(let error): " (failed: \(error))"
    }
  }
}
