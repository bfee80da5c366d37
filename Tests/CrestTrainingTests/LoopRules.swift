import CrestTraining

/// What a fit of two epochs of two training and two validation batches has to do when one of three callbacks acts:
/// decision 5 in a few lines, by which the loop is judged.
struct LoopRules {
  /// Why a phase ends early.
  enum Stop: Equatable {
    case cancelled(Phase)
    case failed(String)
    case interrupted

    var note: String {
      switch self {
      case .cancelled(let phase): " (\(phase) cancelled)"
      case .failed(let error): " (failed: \(error))"
      case .interrupted: " (interrupted)"
      }
    }
  }

  /// What the second of the callbacks, `Actor`, does once, the first time it comes to a place.
  enum Deed {
    case nothing, interrupt
    case fail(String)
    case cancel(Phase)
  }

  static let actor = 1
  private let point: HookPoint
  private let deed: Deed
  private let interruptsFirst: Bool
  /// What each of the three notes.
  private(set) var entries: [[String]] = [[], [], []]
  /// The optimiser steps, and the training batches and epochs begun.
  private(set) var (steps, batches, epochs) = (0, 0, 0)
  /// How the fit ends.
  private(set) var stop: Stop?
  /// Whether an interruption is asked for that no fit has seen.
  private(set) var isRaised = false
  private var isDone = false
  private var running: [Phase] = []

  /// A fit in which that is done; the hooks before an interruption are only called where one was asked for, here in
  /// the last batch of the first epoch.
  init(_ deed: Deed, at point: HookPoint) {
    self.deed = deed
    self.point = point
    interruptsFirst = point == .beforeInterruption
    stop = phase(.fit, .beforeFit, .afterFit) { rules in
      for _ in 0..<2 {
        if let stop = rules.epoch() { return stop }
      }
      return nil
    }
    // A run that was asked to end has ended.
    if stop != nil, hasSeenInterruption || stop != .cancelled(.fit) { isRaised = false }
  }

  private var hasSeenInterruption = false

  private mutating func epoch() -> Stop? {
    phase(.epoch, .beforeEpoch, .afterEpoch) { rules in
      let training = rules.phase(.train, .beforeTrain, .afterTrain) { rules in
        rules.epochs += 1
        return rules.twice { $0.trainingBatch() }
      }
      if let training { return training }
      return rules.phase(.validate, .beforeValidate, .afterValidate) { rules in
        rules.twice { $0.validationBatch() }
      }
    }
  }

  private mutating func twice(_ body: (inout LoopRules) -> Stop?) -> Stop? {
    for _ in 0..<2 {
      if isRaised {
        hasSeenInterruption = true
        if let stop = call(.beforeInterruption) { return stop }
        isRaised = false
        return .interrupted
      }
      if let stop = body(&self) { return stop }
    }
    return nil
  }

  private mutating func trainingBatch() -> Stop? {
    batches += 1
    return phase(.batch, .beforeBatch, .afterBatch) { rules in
      if let stop = rules.call(.afterPrediction) ?? rules.call(.afterLoss) { return stop }
      let backward = rules.phase(.backward, .beforeBackward, .afterBackward) { _ in nil }
      if let backward { return backward }
      return rules.phase(.step, .beforeStep, .afterStep) { rules in
        rules.steps += 1
        return nil
      }
    }
  }

  private mutating func validationBatch() -> Stop? {
    phase(.batch, .validBeforeBatch, .validAfterBatch) { rules in
      rules.call(.validAfterPrediction) ?? rules.call(.validAfterLoss)
    }
  }

  /// A phase; those after hooks are called whose callback's turn had come, and a cancel ends where its phase does.
  private mutating func phase(
    _ phase: Phase, _ before: HookPoint, _ after: HookPoint, _ body: (inout LoopRules) -> Stop?
  ) -> Stop? {
    running.append(phase)
    var entered = 0
    var stop: Stop?
    while stop == nil, entered < entries.count {
      entered += 1
      stop = call(before, entered - 1)
    }
    if stop == nil { stop = body(&self) }
    running.removeLast()
    let note = stop?.note ?? ""
    if stop == .cancelled(phase), phase != .fit { stop = nil }
    for callback in 0..<entered {
      let later = call(after, callback, note)
      stop = stop ?? later
    }
    return stop
  }

  private mutating func call(_ point: HookPoint) -> Stop? {
    for callback in entries.indices {
      if let stop = call(point, callback) { return stop }
    }
    return nil
  }

  private mutating func call(_ point: HookPoint, _ callback: Int, _ note: String = "") -> Stop? {
    entries[callback].append(point.rawValue + note)
    guard callback == Self.actor else { return nil }
    if interruptsFirst, point == .validAfterBatch, epochs == 1 { isRaised = true }
    guard !isDone, point == self.point else { return nil }
    isDone = true
    switch deed {
    case .nothing: return nil
    case .interrupt:
      isRaised = true
      return nil
    case .fail(let error): return .failed(error)
    case .cancel(let phase):
      guard running.contains(phase) else { return .failed(Self.outOfPlace(phase)) }
      return .cancelled(phase)
    }
  }

  /// The error of a cancel of a phase that isn't running.
  static func outOfPlace(_ phase: Phase) -> String {
    "Actor cancelled the phase \(phase) while it was not running (\"a test\"); cancel it from a hook that comes "
      + "before its after hook"
  }
}
