import CCrestPlugin
import CrestTraining

/// A place of the training loop, under the number it has in `crest_plugin.h` and the name it has everywhere.
enum PluginHook: Int, CaseIterable, Sendable {
  case beforeFit, beforeEpoch, beforeTrain, beforeBatch, afterPrediction, afterLoss, beforeBackward
  case afterBackward, beforeStep, afterStep, afterBatch, afterTrain, beforeValidate, afterValidate
  case afterEpoch, afterFit

  /// The name, as of the case of `Hook`.
  var name: String { Self.names[rawValue] }

  // Made once: to find the name of a case at run time takes longer than to send it.
  private static let names = allCases.map { "\($0)" }

  /// The bit of masks.
  var bit: UInt64 { 1 << UInt64(rawValue) }

  /// Whether `phase`, and so all phases around it, runs when the hook is called: what may be cancelled.
  func isRunning(_ phase: Phase, isTraining: Bool) -> Bool {
    switch phase {
    case .fit: self != .afterFit
    case .epoch: self != .beforeFit && self != .afterFit && self != .afterEpoch
    case .train: isTraining && (isOfBatch || self == .beforeTrain)
    case .validate: !isTraining && (isOfBatch || self == .beforeValidate)
    case .batch: isOfBatch && self != .afterBatch
    case .backward: self == .beforeBackward
    case .step: self == .beforeStep
    }
  }

  /// Whether it is called within a batch.
  var isOfBatch: Bool { (Self.beforeBatch.rawValue...Self.afterBatch.rawValue).contains(rawValue) }

  /// The hook of a callback that sends `pipe` what happens there.
  func bound(to pipe: EventPipe) -> Hook {
    switch self {
    case .beforeFit: .beforeFit { try pipe.send(.beforeFit, $0) }
    case .beforeEpoch: .beforeEpoch { try pipe.send(.beforeEpoch, $0) }
    case .beforeTrain: .beforeTrain { try pipe.send(.beforeTrain, $0) }
    case .beforeBatch: .beforeBatch(pipe.batchAction(at: self))
    case .afterPrediction: .afterPrediction(pipe.batchAction(at: self))
    case .afterLoss: .afterLoss(pipe.batchAction(at: self))
    case .beforeBackward: .beforeBackward(pipe.batchAction(at: self))
    case .afterBackward: .afterBackward(pipe.batchAction(at: self))
    case .beforeStep: .beforeStep(pipe.batchAction(at: self))
    case .afterStep: .afterStep(pipe.batchAction(at: self))
    case .afterBatch: .afterBatch(pipe.batchAction(at: self))
    case .afterTrain: .afterTrain { try pipe.send(.afterTrain, $0) }
    case .beforeValidate: .beforeValidate { try pipe.send(.beforeValidate, $0) }
    case .afterValidate: .afterValidate { try pipe.send(.afterValidate, $0) }
    case .afterEpoch: .afterEpoch { try pipe.send(.afterEpoch, $0) }
    case .afterFit: .afterFit { try pipe.send(.afterFit, $0) }
    }
  }
}
