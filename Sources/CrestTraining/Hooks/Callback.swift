public import CrestOptimizers
public import CrestRuntime

/// Observes and controls training.
///
/// ```swift
/// final class StopWhenFlat: Callback {
///   private var best = Double.infinity
///   var hooks: [Hook] { [.beforeFit(reset), .afterEpoch(check)] }
///   private func reset(_ fit: FitContext) { best = .infinity }
///   private func check(_ epoch: EpochContext) throws {
///     guard let loss = epoch.validation?.loss else { return }
///     if loss > best { throw Cancel(.fit, reason: "the validation loss rises") }
///     best = loss
///   }
/// }
/// ```
public protocol Callback: AnyObject {
  /// Its name in messages, logs and ``Learner/describe(callbacks:)``; by default the type's name.
  var name: String { get }
  /// Its hooks; read once per fit.
  var hooks: [Hook] { get }
  /// Its order among callbacks of the same hook: lower first, ties in the order they were added.
  /// Default: 0.
  var order: Int { get }
  /// What it reads between the stages of a batch with ``BatchContext/read(_:)``. Default: nothing.
  var reads: Set<Capture> { get }
  /// The hyperparameters it sets. Default: none.
  var owns: Set<Hyperparameter.Part> { get }
  /// The names under which it reports numbers of an epoch with ``Learner/report(_:as:)``. None unless
  /// given.
  var reports: [String] { get }
  /// The parameters that it freezes in an epoch of the fit, counted from 0, beside those that ``Learner/freeze(_:)``
  /// froze; nil for none. Default: none.
  ///
  /// Asked before each epoch, also before one that is resumed. It must depend on ``settings`` and the epoch alone.
  func frozenParameters(inEpoch epoch: Int) -> ParameterChoice?
  /// The names under which it reports numbers of training steps with ``BatchContext/report(_:as:)``, in the hooks of a
  /// batch up to `afterStep`. None unless given.
  var stepReports: [String] { get }
  /// The settings that decide what it does, by name: saved with a run, and compared when the run is
  /// resumed. Default: none.
  var settings: [String: String] { get }
}

extension Callback {
  /// The type's name.
  public var name: String { String(describing: type(of: self)) }
  /// 0.
  public var order: Int { 0 }
  /// Nothing.
  public var reads: Set<Capture> { [] }
  /// Nothing.
  public var owns: Set<Hyperparameter.Part> { [] }
  /// None.
  public var reports: [String] { [] }
  /// None.
  public func frozenParameters(inEpoch epoch: Int) -> ParameterChoice? { nil }
  /// None.
  public var stepReports: [String] { [] }
  /// Nothing.
  public var settings: [String: String] { [:] }
}

/// A callback whose state is part of a ``Learner/Snapshot`` and of a checkpoint.
///
/// Its ``state`` is taken apart by `Codable`, field by field and optionals included; arrays of
/// numbers are stored as arrays. When a run is resumed, `beforeFit` hooks run as usual, to find
/// metrics or open files; then ``state`` is set to the saved value, and training continues with the
/// next hook. So a callback with no other memory gives the bits of the uninterrupted run.
public protocol StatefulCallback: Callback {
  /// Its state.
  associatedtype State: Codable & Sendable
  /// Everything it remembers between hooks; restoring it undoes what came between.
  var state: State { get set }

  /// What it expects of a state from a checkpoint and doesn't find, as in `an average of 12 parameters`; nil
  /// when it takes it. Nil unless given.
  ///
  /// A checkpoint may come from anywhere: find here what would trap later.
  func objection(to state: State, in learner: Learner) -> String?

  /// Prepares to resume from a checkpoint's state, after `beforeFit` and before the state is
  /// restored: problems, such as a missing log, are found before training. Default: nothing.
  ///
  /// - Throws: What keeps the run from going on; it ends the fit.
  func prepare(for state: State) throws
}

extension StatefulCallback {
  /// Nil.
  public func objection(to state: State, in learner: Learner) -> String? { nil }
  /// Nothing.
  public func prepare(for state: State) throws {}
}

/// A callback made of hooks alone.
///
/// ```swift
/// let printLoss = CallbackOf(.afterBatch { batch in print(batch.step, batch.loss) })
/// ```
public final class CallbackOf: Callback {
  /// Its name.
  public let name: String
  /// The hooks it was made of.
  public let hooks: [Hook]
  /// Its place among callbacks of the same hook.
  public let order: Int
  /// What it reads between stages.
  public let reads: Set<Capture>
  /// The hyperparameters it sets.
  public let owns: Set<Hyperparameter.Part>

  /// A callback of these hooks.
  public init(
    _ hooks: Hook..., name: String = "CallbackOf", order: Int = 0, reads: Set<Capture> = [],
    owns: Set<Hyperparameter.Part> = []
  ) {
    self.name = name
    self.hooks = hooks
    self.order = order
    self.reads = reads
    self.owns = owns
  }
}
