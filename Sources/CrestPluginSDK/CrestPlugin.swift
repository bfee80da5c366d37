/// A callback that a trainer loads at run time.
///
/// ```swift
/// import CrestPluginSDK
///
/// final class StopWhenFlat: CrestPlugin {
///   struct Configuration: Decodable { let patience: Int }
///   static let identifier = "StopWhenFlat"
///   static let version = "1.0.0"
///   struct State: Codable { var best = Double.infinity, waited = 0 }
///   var state = State()
///   private let patience: Int
///   init(_ configuration: Configuration, host: Host) { patience = configuration.patience }
///
///   var hooks: [Hook] { [.beforeFit { _ in self.state = State() }, .afterEpoch(check)] }
///   private func check(_ epoch: EpochContext) throws {
///     guard let loss = epoch.validationLoss else { return }
///     state = loss < state.best ? State(best: loss) : State(best: state.best, waited: state.waited + 1)
///     if state.waited > patience { throw Cancel(.fit, reason: "the validation loss is flat") }
///   }
/// }
///
/// @c(crest_plugin_v1)
/// public func entry(_ major: UInt32, _ minor: UInt32) -> UnsafeRawPointer? {
///   export(StopWhenFlat.self)
/// }
/// ```
///
/// Hooks, order, reads and owners are those of Crest's own `Callback`. This library is linked into each
/// plugin; what passes to the trainer is the C interface of `crest_plugin.h` and no type of Swift.
public protocol CrestPlugin: AnyObject {
  /// The user's settings, by the manifest's schema, with defaults filled in.
  associatedtype Configuration: Decodable
  /// The plugin's state between hooks.
  associatedtype State: Codable = NoState

  /// The identifier, as in the manifest.
  static var identifier: String { get }
  /// The version, as in the manifest.
  static var version: String { get }

  /// Makes an instance.
  ///
  /// - Throws: What is wrong with the configuration, in words for its user.
  init(_ configuration: Configuration, host: Host) throws

  /// Its hooks; read once.
  var hooks: [Hook] { get }
  /// Its order among callbacks of the same hook: lower first. Default: 0.
  var order: Int { get }
  /// What it looks at with ``Host/tensors(_:)``. Nothing unless given.
  var reads: Set<Capture> { get }
  /// The hyperparameters it sets. Nothing unless given.
  var owns: Set<HyperparameterPart> { get }
  /// The names under which it reports numbers of an epoch. None unless given.
  var reports: [String] { get }
  /// Everything it remembers; restoring it undoes what came between. Part of checkpoints.
  var state: State { get set }
}

extension CrestPlugin {
  /// 0.
  public var order: Int { 0 }
  /// Nothing.
  public var reads: Set<Capture> { [] }
  /// Nothing.
  public var owns: Set<HyperparameterPart> { [] }
  /// None.
  public var reports: [String] { [] }
}

extension CrestPlugin where State == NoState {
  /// Nothing.
  public var state: NoState {
    get { NoState() }
    set {}
  }
}

/// The state of a plugin without state.
public struct NoState: Codable, Sendable, Hashable {
  /// Nothing.
  public init() {}
}

/// The configuration of a plugin that has no settings.
public struct NoConfiguration: Decodable, Sendable, Hashable {
  /// Nothing.
  public init() {}
}

/// Ends a phase early when thrown from a hook, like Crest's own `Cancel`.
public struct Cancel: Error, Hashable, Sendable {
  /// The phase to end.
  public let phase: Phase
  /// The reason, for the log.
  public let reason: String

  /// A request to end `phase`.
  public init(_ phase: Phase, reason: String) {
    self.phase = phase
    self.reason = reason
  }
}

/// An error in words for the user.
public struct PluginError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What, where, expected, got, what to do.
  public let description: String

  /// An error that says `description`.
  public init(_ description: String) { self.description = description }
}
