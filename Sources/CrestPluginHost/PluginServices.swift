import CCrestPlugin
import CrestFiles
import CrestOptimizers
import CrestTraining

/// The severity of a line that a plugin logs.
public enum PluginLogLevel: Int, Sendable, Hashable, CaseIterable {
  /// For the plugin's author.
  case debug
  /// For its user.
  case info
  /// Something is not as it should be.
  case warning
  /// Something went wrong.
  case error
}

/// What a plugin can ask for while it is called, checked against what it declared; one for both kinds.
final class PluginServices {
  /// A service that is not done: what it is in `crest_plugin.h`, and why.
  struct Refusal: Error, Equatable {
    let status: crest_status
    let reason: String
  }

  let manifest: PluginManifest
  var declaration = PluginDeclaration()
  private let writeLog: (PluginLogLevel, String) -> Void
  /// What the plugin has still to say in this fit.
  private var logBytesLeft = logLimit
  /// The cancel that was asked for in the call that runs.
  private var cancel: Cancel?
  /// Whether there is one.
  @exclusivity(unchecked) private(set) var hasCancel = false

  /// What the plugin is told at the hook that is called now, or was called last.
  let event = PluginEvent()
  // What is called now; not retained, since the loop holds it and calls are many.
  @exclusivity(unchecked) private var phase: Unmanaged<PhaseContext>?

  init(_ manifest: PluginManifest, log: @escaping (PluginLogLevel, String) -> Void) {
    self.manifest = manifest
    writeLog = log
  }

  /// A call begins.
  @inline(__always)
  func begin(_ context: PhaseContext) {
    phase = Unmanaged.passUnretained(context)
  }

  /// The call has ended.
  @inline(__always)
  func end() {
    phase = nil
  }

  /// The hook that is called now; nil between calls.
  var hook: PluginHook? {
    phase == nil ? nil : PluginHook(rawValue: Int(event.pointer.pointee.hook))
  }

  /// The cancel that was asked for, once.
  func takeCancel() -> Cancel? {
    defer {
      cancel = nil
      hasCancel = false
    }
    return cancel
  }

  /// What is called now.
  func context() throws(Refusal) -> PhaseContext {
    guard let phase else {
      throw Refusal(
        status: CREST_UNAVAILABLE, reason: "no event is running")
    }
    return phase.takeUnretainedValue()
  }

  /// The most that a plugin logs in a fit, in bytes, and what each line counts beside its own.
  static let (logLimit, logLineCost) = (1 << 20, 64)

  /// A fit begins.
  func beginFit() { logBytesLeft = Self.logLimit }

  /// Writes a line of the plugin to the log, up to ``logLimit`` in all.
  func log(_ level: PluginLogLevel, _ message: String) {
    guard logBytesLeft > 0 else { return }
    let text = message.asPluginWrote
    logBytesLeft -= text.utf8.count + Self.logLineCost
    guard logBytesLeft > 0 else {
      return note(
        .warning,
        "(it logged \(Self.logLimit >> 20) MiB in this fit; what it logs until the fit ends is left out)"
      )
    }
    writeLog(level, text)
  }

  /// Writes a line of this host's own about the plugin to the log.
  func note(_ level: PluginLogLevel, _ message: String) { writeLog(level, message.asPluginWrote) }

  /// A part of a hyperparameter; the value in effect without one.
  func value(of hyperparameter: Hyperparameter, _ part: Hyperparameter.Part?) throws(Refusal)
    -> Double
  {
    let learner = try context().learner
    if let part { return learner[part] }
    return switch hyperparameter {
    case .learningRate: learner.hyperparameters.learningRate
    case .momentum: learner.hyperparameters.momentum
    case .weightDecay: learner.hyperparameters.weightDecay
    }
  }

  /// Sets a part of a hyperparameter that the plugin owns.
  func set(_ part: Hyperparameter.Part, to value: Double) throws(Refusal) {
    let learner = try context().learner
    guard declaration.owns.contains(part) else {
      throw Refusal(
        status: CREST_REFUSED,
        reason: "the plugin has not declared that it owns \(part); declare it")
    }
    guard value.isFinite && value >= 0 else {
      throw Refusal(
        status: CREST_REFUSED,
        reason: "\(part): expected a finite number of at least 0, got \(value)")
    }
    learner[part] = value
  }

  /// A result of the running epoch.
  func metric(_ name: String) throws(Refusal) -> Double {
    let epoch = try epoch()
    let value =
      switch name {
      case "train_loss": epoch.train?.loss
      case "valid_loss": epoch.validation?.loss
      default: epoch.validation?[name] ?? epoch.reports[name]
      }
    guard let value else {
      throw Refusal(
        status: CREST_UNKNOWN, reason: "there is no result \"\(name)\" in this epoch yet")
    }
    return value
  }

  /// Reports a number of the running epoch.
  func report(_ value: Double, as name: String) throws(Refusal) {
    let epoch = try epoch()
    guard declaration.reports.contains(name) else {
      throw Refusal(
        status: CREST_REFUSED,
        reason: "the plugin has not declared that it reports \(name.debugDescription); declare it")
    }
    epoch.learner.report(value, as: name)
  }

  private func epoch() throws(Refusal) -> EpochContext {
    switch try context() {
    case let batch as BatchContext: return batch.pass.epoch
    case let pass as PassContext: return pass.epoch
    case let epoch as EpochContext: return epoch
    default:
      throw Refusal(status: CREST_UNAVAILABLE, reason: "no epoch is running")
    }
  }

  /// Ends a phase when the call has ended.
  func cancel(_ phase: Phase, reason: String) throws(Refusal) {
    let context = try context()
    guard manifest.permissions.contains(.cancel) else {
      throw Refusal(
        status: CREST_REFUSED, reason: "cancel is not among the permissions of the manifest; add it"
      )
    }
    let isTraining: Bool
    switch context {
    case let batch as BatchContext: isTraining = batch.isTraining
    case let pass as PassContext: isTraining = pass.purpose == .training
    default: isTraining = false
    }
    guard let hook, hook.isRunning(phase, isTraining: isTraining) else {
      throw Refusal(
        status: CREST_UNAVAILABLE,
        reason: "the phase \(phase) is not running at \(hook?.name ?? "this place")")
    }
    cancel = Cancel(phase, reason: reason)
    hasCancel = true
  }
}

extension String {
  /// Text from a plugin, for display: of limited length, and unable to imitate other lines of the log.
  var asPluginWrote: String { shown(limit: 4096) }
}
