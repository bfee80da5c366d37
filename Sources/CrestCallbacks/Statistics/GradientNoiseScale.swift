import CrestLayers
import CrestRuntime
public import CrestTraining

/// Estimates the gradient noise scale: about the largest batch size that is still of use.
///
/// Batches that are much larger save few steps, much smaller ones waste none of the examples. It is the ratio of the
/// variance of single examples' gradients to the square of their mean,
///
///     B = tr(Σ) / |G|²,   |G|² ≈ (B·|g_B|² − b·|g_b|²) / (B − b),   tr(Σ) ≈ (|g_b|² − |g_B|²) / (1/b − 1/B)
///
/// with g_b the gradient of a batch of b examples and g_B the mean of `window` of them in a row. Signal and noise are
/// averaged over time, each by itself. It grows in the course of training. Batches whose size differs from the ones before
/// (the last of an epoch) begin a new window. Epochs report `noise_scale`, from the first window on.
///
/// McCandlish et al., "An empirical model of large-batch training" (arXiv:1812.06162).
public final class GradientNoiseScale: StatefulCallback {
  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    fileprivate var noise = GradientNoise()
  }

  /// The batches whose mean stands for a large one.
  public let window: Int
  /// What an estimate keeps of the ones before.
  public let decay: Double
  /// All it remembers.
  public var state = State()
  /// The noise scale in examples; nil before the first window, and while noise hides the gradient altogether.
  public var scale: Double? { state.noise.scale }
  private var ranges: [Range<Int>] = []

  /// An estimate.
  ///
  /// - Parameters:
  ///   - window: The batches whose mean stands for a large one, at least 2.
  ///   - decay: What an estimate keeps of the ones before, from 0 to below 1.
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)``.
  public init(window: Int = 4, decay: Double = 0.99) throws(CallbackError) {
    let name = "GradientNoiseScale"
    try CallbackError.require(
      (2...1 << 20).contains(window), "window", window, "from 2 to \(1 << 20) batches", of: name)
    try CallbackError.require(
      decay >= 0 && decay < 1, "decay", decay, "a number from 0 to below 1", of: name)
    self.window = window
    self.decay = decay
  }

  /// Takes in the gradients of each batch, and reports each epoch.
  public var hooks: [Hook] {
    [.beforeFit(begin), .afterBackward(add), .afterBatch(forget), .afterTrain(report)]
  }
  /// Before what changes gradients.
  public var order: Int { CallbackOrder.gradients }
  /// The noise scale.
  public var reports: [String] { ["noise_scale"] }
  /// How it estimates.
  public var settings: [String: String] { ["window": "\(window)", "decay": "\(decay)"] }

  /// Sums of another model's gradients.
  public func objection(to state: State, in learner: Learner) -> String? {
    let count = Self.ranges(in: learner).reduce(0) { $0 + $1.count }
    return state.noise.fits(window: window, count: count)
      ? nil : "sums of this model's gradients over fewer than \(window) batches"
  }

  private static func ranges(in learner: Learner) -> [Range<Int>] {
    learner.parameterGroups.flatMap(\.self).compactMap {
      learner.model.store.entry(named: $0)?.range
    }
  }

  private func begin(_ fit: FitContext) {
    state = State()
    ranges = Self.ranges(in: fit.learner)
  }

  private func add(_ batch: BatchContext) {
    guard batch.outcome.isFinished else { return }
    batch.learner.model.store.withBuffer(.gradients) { gradients in
      state.noise.add(
        gradients, in: ranges, count: batch.count, window: window, decay: decay)
    }
  }

  private func forget(_ batch: BatchContext) { if batch.hasGoneBack { state.noise.forgetWindow() } }

  private func report(_ pass: PassContext) {
    if let scale { pass.learner.report(scale, as: "noise_scale") }
  }
}
