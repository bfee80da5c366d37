public import CrestRuntime

/// What looks into training and steers it.
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
  /// What it is called in messages, logs and ``Learner/describe(callbacks:)``; the type's name unless
  /// given.
  var name: String { get }
  /// Where it is called and what it does there; asked for once in a fit.
  var hooks: [Hook] { get }
  /// Its place among callbacks of the same hook: lower first, equals as they were added. 0 unless given.
  var order: Int { get }
  /// What it reads between the stages of a batch with ``BatchContext/read(_:)``. Nothing unless given.
  var reads: Set<Read> { get }
  /// The hyperparameters it sets. Nothing unless given.
  var owns: Set<Ownership> { get }
  /// The names under which it reports numbers of an epoch with ``Learner/report(_:as:)``. None unless
  /// given.
  var reports: [String] { get }
  /// What it was made with that decides what it does, by name: saved with a run, and compared when the run is
  /// resumed. Nothing unless given.
  var settings: [String: String] { get }
}

extension Callback {
  /// The type's name.
  public var name: String { String(describing: type(of: self)) }
  /// 0.
  public var order: Int { 0 }
  /// Nothing.
  public var reads: Set<Read> { [] }
  /// Nothing.
  public var owns: Set<Ownership> { [] }
  /// None.
  public var reports: [String] { [] }
  /// Nothing.
  public var settings: [String: String] { [:] }
}

/// A callback whose memory is part of a ``LearnerSnapshot`` and of a checkpoint.
///
/// Its ``state`` is taken apart by `Codable`, field by field and optionals included; arrays of numbers are
/// stored as arrays. When a run is resumed, `beforeFit` hooks run as ever, to find metrics or open files; then
/// ``state`` is set to what was saved, and training goes on with the hook that comes next. A callback that
/// remembers nothing but its state so gives the bits of the uninterrupted run.
public protocol StatefulCallback: Callback {
  /// What it remembers.
  associatedtype State: Codable & Sendable
  /// All it remembers from one hook to the next, so that putting it back forgets what came between.
  var state: State { get set }

  /// What it expects of a state from a checkpoint and doesn't find, as in `an average of 12 parameters`; nil
  /// when it takes it. Nil unless given.
  ///
  /// A checkpoint may come from anywhere: what would trap later is to be found here.
  func objection(to state: State, in learner: Learner) -> String?

  /// Makes ready to go on with a state from a checkpoint, after `beforeFit` and before it is put back: what keeps
  /// the run from going on, as a log that is gone, is found before anything is trained. Nothing unless given.
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
  /// What it is called.
  public let name: String
  /// The hooks it was made of.
  public let hooks: [Hook]
  /// Its place among callbacks of the same hook.
  public let order: Int
  /// What it reads between stages.
  public let reads: Set<Read>
  /// The hyperparameters it sets.
  public let owns: Set<Ownership>

  /// A callback of these hooks.
  public init(
    _ hooks: Hook..., name: String = "CallbackOf", order: Int = 0, reads: Set<Read> = [],
    owns: Set<Ownership> = []
  ) {
    self.name = name
    self.hooks = hooks
    self.order = order
    self.reads = reads
    self.owns = owns
  }
}
