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
  /// Why the plugin gets no events any more.
  private var failure: PluginError?
  private var isDisabled = false

  init(_ worker: PluginWorker, _ services: PluginServices, policy: PluginFailurePolicy) {
    self.worker = worker
    self.services = services
    self.policy = policy
  }

  func send(_ hook: PluginHook, _ context: BatchContext) throws {
    if failure != nil { return }
    event.fill(hook, context)
    try deliver(hook, context)
  }

  func send(_ hook: PluginHook, _ context: PassContext) throws {
    if failure != nil { return }
    event.fill(hook, context)
    try deliver(hook, context)
  }

  func send(_ hook: PluginHook, _ context: EpochContext) throws {
    if failure != nil { return }
    event.fill(hook, context)
    try deliver(hook, context)
  }

  func send(_ hook: PluginHook, _ context: FitContext) throws {
    if let failure {
      // The fit in which it failed has ended with the error; another one must not go on without a word.
      if hook == .beforeFit && !isDisabled { throw failure }
      return
    }
    guard services.declaration.hooks.contains(hook) else { return }
    event.fill(hook, context)
    try deliver(hook, context)
  }

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
      failure = error
      isDisabled = true
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
    failure = error
    throw error
  }

  /// All the plugin remembers.
  func saveState() throws(PluginError) -> [UInt8] {
    if let failure {
      guard isDisabled, let lastState else { throw failure }
      return lastState
    }
    let state = try worker.saveState()
    lastState = state
    return state
  }

  /// Puts back what ``saveState()`` gave.
  func loadState(_ bytes: [UInt8]) throws(PluginError) {
    if let failure { throw failure }
    try worker.loadState(bytes)
    lastState = bytes
  }

  /// A failure outside of events, told at the beginning of the next fit.
  func fail(_ error: PluginError) { failure = failure ?? error }
}
