import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor
public import CrestTraining

/// Clips the gradient of each output of a weight by the size of its weights.
///
///     g ← g · c max(‖w‖, ε) / ‖g‖   where ‖g‖ > c max(‖w‖, ε)
///
/// Norms are in `Double`, over all axes but that of the outputs; a bias, scale or shift is clipped as a whole, and the last
/// weight that the data pass through, the head, not at all. A norm of gradients that isn't finite is an error. It comes
/// after `GradientAccumulation`, and remembers nothing.
///
/// Brock and others, *High-Performance Large-Scale Image Recognition Without Normalization*, 2021; timm's
/// `adaptive_clip_grad`.
public final class AdaptiveGradientClip: Callback {
  /// c, the largest gradient over its weight.
  public let factor: Double
  /// ε, the least size that weights count as.
  public let epsilon: Double
  /// Whether the head is clipped, too.
  public let clipsHead: Bool

  /// A clip at `factor` times the weights.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` unless both numbers are finite and above 0.
  public init(
    factor: Double = 0.01, epsilon: Double = 0.001, clipsHead: Bool = false
  ) throws(CallbackError) {
    for (value, name) in [(factor, "factor"), (epsilon, "epsilon")] {
      try CallbackError.require(
        value.isFinite && value > 0, name, value, "a finite number above 0",
        of: "AdaptiveGradientClip")
    }
    (self.factor, self.epsilon, self.clipsHead) = (factor, epsilon, clipsHead)
  }

  /// Clips before each optimiser step.
  public var hooks: [Hook] { [.beforeStep(clip)] }
  /// After what adds gradients up.
  public var order: Int { CallbackOrder.clip }
  /// Where it clips.
  public var settings: [String: String] {
    ["factor": "\(factor)", "epsilon": "\(epsilon)", "clipsHead": "\(clipsHead)"]
  }

  private func clip(_ batch: BatchContext) throws {
    let store = batch.learner.model.store
    let frozen = batch.learner.frozen
    var worst = 0.0
    store.withBuffer(.gradients) { gradients in
      store.withBuffer(.parameters) { weights in
        for entry in store.parameters where !frozen.contains(entry.name) {
          guard clipsHead || entry.name != store.uses.lastWeight else { continue }
          OutputUnits(entry, of: store).forEach { unit in
            func norm(_ buffer: UnsafeMutableBufferPointer<Float>) -> Double {
              unit.reduce(0) { $0 + Double(buffer[$1]) * Double(buffer[$1]) }.squareRoot()
            }
            let (size, limit) = (norm(gradients), factor * max(norm(weights), epsilon))
            if !size.isFinite { worst = size }
            guard size > limit, size.isFinite else { return }
            let scale = Float(limit / max(size, 1e-6))
            for index in unit { gradients[index] *= scale }
          }
        }
      }
    }
    guard worst.isFinite else {
      throw CallbackError.nonFiniteGradient(norm: worst, step: batch.step)
    }
  }
}
