import CrestTraining

/// What is done with a plugin that failed.
public enum PluginFailurePolicy: Equatable, Sendable {
  /// Training ends with the error.
  case stop
  /// The failure is logged, and training goes on without the plugin.
  case disable
  /// The failure is logged, and the plugin is started again with its last known state; after so many times,
  /// training ends with the error. For plugins in a process of their own.
  case restart(atMost: Int)
}

/// A plugin at work, of either kind.
class PluginWorker {
  /// Tells the plugin what happens.
  func deliver(_ event: PluginEvent) throws(PluginError) { fatalError("abstract") }
  /// All the plugin remembers.
  func saveState() throws(PluginError) -> [UInt8] { fatalError("abstract") }
  /// Puts back what `saveState` gave.
  func loadState(_ bytes: [UInt8]) throws(PluginError) { fatalError("abstract") }
  /// Starts the plugin again.
  func restart() throws(PluginError) { fatalError("abstract") }
}

/// Brings events from the training loop to a plugin, and what it wants back.
final class EventPipe {
  private let worker: PluginWorker
  private let services: PluginServices
  private let policy: PluginFailurePolicy
  private let event = PluginEvent()
  private var restartCount = 0
  private var lastState: [UInt8]?
  private var condition = Condition.working {
    didSet { if case .working = condition { isWorking = true } else { isWorking = false } }
  }
  // Looked at for every event.
  @exclusivity(unchecked) private var isWorking = true

  private enum Condition {
    case working
    /// It failed outside of an event, which the next one tells.
    case failing(PluginError)
    /// It failed, and the fit has ended with the error.
    case failed(PluginError)
    /// It failed, and training goes on without it.
    case disabled
  }

  init(_ worker: PluginWorker, _ services: PluginServices, policy: PluginFailurePolicy) {
    self.worker = worker
    self.services = services
    self.policy = policy
  }

  func send(_ hook: PluginHook, _ context: BatchContext) throws {
    guard try isWorking(at: hook) else { return }
    event.fill(hook, context)
    try deliver(hook, context)
  }

  func send(_ hook: PluginHook, _ context: PassContext) throws {
    guard try isWorking(at: hook) else { return }
    event.fill(hook, context)
    try deliver(hook, context)
  }

  func send(_ hook: PluginHook, _ context: EpochContext) throws {
    guard try isWorking(at: hook) else { return }
    event.fill(hook, context)
    try deliver(hook, context)
  }

  func send(_ hook: PluginHook, _ context: FitContext) throws {
    guard try isWorking(at: hook) else { return }
    // Each fit begins a new count of passes, whether the plugin asked for its hooks or not.
    event.fill(hook, context)
    guard services.declaration.hooks.contains(hook) else { return }
    try deliver(hook, context)
  }

  @inline(__always)
  private func isWorking(at hook: PluginHook) throws(PluginError) -> Bool {
    if isWorking { return true }
    return try tellFailure(at: hook)
  }

  /// Tells a failure that nobody was told yet; false when that was done.
  private func tellFailure(at hook: PluginHook) throws(PluginError) -> Bool {
    switch condition {
    case .working: return true
    case .disabled: return false
    case .failing(let error):
      condition = .failed(error)
      throw error
    case .failed(let error):
      // Another fit must not go on without it and without a word.
      if hook == .beforeFit { throw error }
      return false
    }
  }

  @inline(__always)
  private func deliver(_ hook: PluginHook, _ context: PhaseContext) throws {
    services.begin(hook, context)
    defer { services.end() }
    do throws(PluginError) {
      try worker.deliver(event)
    } catch {
      return try recover(from: error)
    }
    if services.cancel != nil, let cancel = services.takeCancel() { throw cancel }
  }

  private func recover(from error: PluginError) throws(PluginError) {
    _ = services.takeCancel()
    switch policy {
    case .stop: break
    case .disable:
      services.log(.error, "\(error); training goes on without it")
      condition = .disabled
      return
    case .restart(let limit):
      guard restartCount < limit else { break }
      restartCount += 1
      services.log(.warning, "\(error); it is started again, \(restartCount) of \(limit) times")
      do throws(PluginError) {
        try worker.restart()
        if let lastState { try worker.loadState(lastState) }
        return
      } catch {
        return try recover(from: error)
      }
    }
    condition = .failed(error)
    throw error
  }

  /// All the plugin remembers; of one that can't say it, what it said last.
  ///
  /// A checkpoint asks for it and takes no error, so the next event tells it.
  func saveState() -> [UInt8] {
    guard case .working = condition else { return lastState ?? [] }
    do throws(PluginError) {
      lastState = try worker.saveState()
    } catch {
      fail(error)
    }
    return lastState ?? []
  }

  /// Puts back what ``saveState()`` gave.
  func loadState(_ bytes: [UInt8]) throws(PluginError) {
    try worker.loadState(bytes)
    lastState = bytes
    if case .failing = condition { condition = .working }
  }

  /// A failure outside of events.
  func fail(_ error: PluginError) {
    do throws(PluginError) {
      try recover(from: error)
    } catch {
      condition = .failing(error)
    }
  }
}
