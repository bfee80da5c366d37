import CCrestPlugin
import CCrestPluginHost
import CrestTensor
import CrestTraining

/// What to do with a plugin that failed.
public enum PluginFailurePolicy: Equatable, Sendable {
  /// Training ends with the error.
  case stop
  /// The failure is logged, and training continues without the plugin.
  case disable
  /// The failure is logged, and the plugin is started again with its last known state; after so
  /// many times, training ends with the error. For process plugins.
  case restart(atMost: Int)
}

/// A plugin at work, of either kind.
protocol PluginWorker: AnyObject {
  /// What ``deliver(_:)`` calls, where that is a function of the plugin and no more.
  var call: PluginCall? { get }
  /// Tells the plugin what happens.
  func deliver(_ event: PluginEvent) throws(PluginError)
  /// The plugin's state.
  func saveState() throws(PluginError) -> [UInt8]
  /// Puts back what `saveState` gave.
  func loadState(_ bytes: [UInt8]) throws(PluginError)
  /// Starts the plugin again.
  func restart() throws(PluginError)
  /// The batches of a pass, of which ``call`` was told, are over.
  func passEnded() throws(PluginError)
}

/// A function that tells a plugin in this process what happens.
struct PluginCall {
  let function: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<crest_event>?) -> Int32
  /// What it is called with.
  let state: UnsafeMutableRawPointer?
  /// What looks at what it changes in the process.
  let guardian: LibraryGuard
  /// Why it has just returned something else than 0 in a place.
  let failure: (_ place: String) -> PluginError
}

/// Brings events from the training loop to a plugin, and what it wants back.
final class EventPipe {
  private let worker: any PluginWorker
  private let services: PluginServices
  private let policy: PluginFailurePolicy
  private let event: PluginEvent
  private var restartCount = 0
  private var lastState: [UInt8]?
  private var condition = Condition.working {
    // Events of batches look at it only when they look at all.
    didSet { event.forgetPass() }
  }

  private enum Condition {
    case working
    /// It failed outside of an event; the next event reports it.
    case failing(PluginError)
    /// It failed, and the fit has ended with the error.
    case failed(PluginError)
    /// It failed, and training continues without it.
    case disabled
  }

  init(_ worker: any PluginWorker, _ services: PluginServices, policy: PluginFailurePolicy) {
    self.worker = worker
    self.services = services
    event = services.event
    self.policy = policy
  }

  /// The action of a hook of batches.
  // Inlined into every case that asks for it, each action gets a function around it that does nothing else.
  @inline(never)
  func batchAction(at hook: PluginHook) -> (BatchContext) throws -> Void {
    guard let call = worker.call else {
      return { [self] context in
        guard try isWorking(at: hook) else { return }
        event.fill(hook, context)
        try deliver(context)
      }
    }
    // The method itself: a closure around it is a second call.
    return DirectWay(hook, call, self).send
  }

  /// From a hook of batches to the function of a library, where an event costs little more than the call: what is
  /// needed lies in one object, and whatever is seldom done is done elsewhere.
  private final class DirectWay {
    private let hook: PluginHook
    private let call: PluginCall
    private let pipe: EventPipe
    private let event: PluginEvent
    private let services: PluginServices
    private let caller: UnsafeMutablePointer<crest_caller>

    init(_ hook: PluginHook, _ call: PluginCall, _ pipe: EventPipe) {
      caller = call.guardian.caller
      self.hook = hook
      self.call = call
      self.pipe = pipe
      event = pipe.event
      services = pipe.services
    }

    @inline(never)
    func send(_ context: BatchContext) throws {
      if event.isOfAnotherPass(than: context), try !begin(context) { return }
      event.fillBatch(hook, context)
      services.begin(context)
      let status = crest_call_event(call.function, call.state, event.pointer, caller)
      services.end()
      if status != 0 || services.hasCancel { try handleResult(status) }
    }

    /// What is done once for a pass, or after a failure; false when the event isn't sent.
    @inline(never)
    private func begin(_ context: BatchContext) throws -> Bool {
      guard try pipe.isWorking(at: hook) else { return false }
      try call.guardian.beginPass()
      event.fillPass(of: context)
      return true
    }

    /// What the library asked for while its function ran, or that it failed.
    @inline(never)
    private func handleResult(_ status: Int32) throws {
      if status != 0 { return try pipe.recover(from: call.failure(hook.name)) }
      if let cancel = services.takeCancel() { throw cancel }
    }
  }

  func send(_ hook: PluginHook, _ context: PassContext) throws {
    try endPass()
    guard try isWorking(at: hook) else { return }
    // After a pass it may be called for the pipe's sake alone.
    guard services.declaration.hooks.contains(hook) else { return }
    event.fill(hook, context)
    try deliver(context)
  }

  func send(_ hook: PluginHook, _ context: EpochContext) throws {
    try endPass()
    guard try isWorking(at: hook) else { return }
    event.fill(hook, context)
    try deliver(context)
  }

  func send(_ hook: PluginHook, _ context: FitContext) throws {
    try endPass()
    if hook == .beforeFit { services.beginFit() }
    guard try isWorking(at: hook) else { return }
    // Each fit begins a new count of passes, whether the plugin asked for its hooks or not.
    event.fill(hook, context)
    guard services.declaration.hooks.contains(hook) else { return }
    try deliver(context)
  }

  /// Ends what began with the first batch of a pass.
  private func endPass() throws(PluginError) {
    do throws(PluginError) { try worker.passEnded() } catch {
      guard case .working = condition else { return services.log(.error, "\(error)") }
      try recover(from: error)
    }
  }

  /// Whether the plugin is called.
  ///
  /// - Throws: A failure that nobody was told yet.
  private func isWorking(at hook: PluginHook) throws -> Bool {
    switch condition {
    case .working: return true
    case .disabled: return false
    case .failing(let error):
      condition = .failed(error)
      throw error
    case .failed(let error):
      // Another fit must not silently continue without it.
      if hook == .beforeFit { throw error }
      return false
    }
  }

  private func deliver(_ context: PhaseContext) throws {
    services.begin(context)
    do throws(PluginError) {
      defer { services.end() }
      try worker.deliver(event)
    } catch {
      return try recover(from: error)
    }
    if let cancel = services.takeCancel() { throw cancel }
  }

  private func recover(from error: PluginError) throws(PluginError) {
    _ = services.takeCancel()
    switch policy {
    case .stop: break
    case .disable:
      services.note(.error, "\(error); training continues without it")
      condition = .disabled
      return
    case .restart(let limit):
      guard restartCount < limit else { break }
      restartCount += 1
      services.note(.warning, "\(error); it is restarted, \(restartCount) of \(limit) times")
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

  /// The plugin's state; for a disabled plugin, the last one.
  ///
  /// - Throws: Why the plugin can't save its state, which the next event also reports: a run saved
  ///   without it could not be resumed exactly.
  func saveState() throws(PluginError) -> [UInt8] {
    while true {
      switch condition {
      case .working: break
      case .disabled: return lastState ?? []
      case .failing(let error), .failed(let error): throw error
      }
      do throws(PluginError) {
        let state = try worker.saveState()
        lastState = state
        return state
      } catch {
        // Started again, it is asked again, and so on until it was started often enough.
        fail(error)
      }
    }
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
