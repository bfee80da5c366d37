extension TrainingLoop {
  /// Runs `body` as a phase: before hooks, body unless stopped, after hooks.
  ///
  /// - Parameters:
  ///   - phase: Which phase it is.
  ///   - context: What its hooks see.
  ///   - hooks: Its hooks.
  ///   - isResumed: Whether the before hooks have run already, before the checkpoint was saved.
  ///   - body: What is done.
  /// - Returns: How the phase ended, when that stops here.
  /// - Throws: What stops more than this phase.
  @discardableResult
  func run<Context: PhaseContext>(
    _ phase: Phase, _ context: Context, _ hooks: PhaseHooks<Context>, isResumed: Bool = false,
    _ body: () throws -> Void
  ) throws -> PhaseContext.Outcome {
    context.outcome = .running
    runningPhases.append(phase)
    var entered = 0
    var stop: (any Error)?
    do {
      if !isResumed {
        for hook in hooks.before {
          entered = hook.callback + 1
          try call(hook, context)
        }
      }
      entered = callbacks.count
      try body()
    } catch {
      stop = error
    }
    runningPhases.removeLast()
    let outcome = stop.map { PhaseContext.Outcome($0) } ?? .finished
    context.outcome = outcome
    if outcome.ends(at: phase) { stop = nil }
    for hook in hooks.after where hook.callback < entered {
      isAtSavePoint = phase.isSavePoint && outcome.isInOrder
      fit.state.ending = stop as? PhaseContext.Cancellation
      do { try call(hook, context) } catch { stop = moreUrgent(stop, error) }
    }
    isAtSavePoint = false
    fit.state.ending = nil
    if let stop { throw stop }
    return outcome
  }

  /// The one of two reasons to stop that ends more, the first of equals; an error that loses is kept in
  /// ``Learner/errorsWhileEnding``.
  private func moreUrgent(_ first: (any Error)?, _ second: any Error) -> any Error {
    guard let first else { return second }
    if PhaseContext.Outcome(second).reach > PhaseContext.Outcome(first).reach { return second }
    if case .failed(let error) = PhaseContext.Outcome(second) {
      learner.errorsWhileEnding.append(error)
    }
    return first
  }

  func call<Context>(_ list: [BoundHook<Context>], _ context: Context) throws {
    for hook in list { try call(hook, context) }
  }

  private func call<Context>(_ hook: BoundHook<Context>, _ context: Context) throws {
    runningCallback = hook.callback
    defer { runningCallback = nil }
    do {
      try hook.action(context)
    } catch let cancel as Cancel {
      let name = callbacks[hook.callback].name
      guard runningPhases.contains(cancel.phase) else {
        throw LearnerError.cancelOutOfPlace(
          cancel.phase, callback: name, reason: cancel.reason)
      }
      throw PhaseContext.Cancellation(phase: cancel.phase, reason: cancel.reason, callback: name)
    }
  }
}

extension Phase {
  /// Whether its after hooks may save the run: all of the phase is done, and the next is not begun.
  fileprivate var isSavePoint: Bool { self == .batch || self == .epoch }
}
