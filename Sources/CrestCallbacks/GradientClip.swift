import CrestLayers
import CrestRuntime
public import CrestTraining

/// Clips gradients just before each optimiser step.
///
/// By norm, all gradients together are scaled down to a Euclidean norm of at most `maximum`:
///
///     g ← g · min(1, maximum / ‖g‖)
///
/// by value, each is clipped to `-maximum` … `maximum`. The norm is summed in `Double` and in a
/// fixed order. A norm that is not finite is an error, because scaling by it would corrupt every
/// parameter.
///
/// fastai's `GradientClip`, Keras's `global_clipnorm` and `clipvalue`, PyTorch's `clip_grad_norm_` (which adds
/// 10⁻⁶ to the norm) and `clip_grad_value_`.
public final class GradientClip: Callback {
  /// What is clipped.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// The Euclidean norm of all gradients together.
    case norm
    /// Each gradient.
    case value
  }

  /// What is clipped.
  public let kind: Kind
  /// The maximum.
  public let maximum: Double
  /// The norm before the last step was clipped by it; nil before that.
  public private(set) var lastNorm: Double?

  /// A clip at `maximum`.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` unless `maximum` is finite
  ///   and above 0.
  public init(_ kind: Kind = .norm, maximum: Double = 1) throws(CallbackError) {
    try CallbackError.require(
      maximum.isFinite && maximum > 0, "maximum", maximum, "a finite number above 0",
      of: "GradientClip")
    self.kind = kind
    self.maximum = maximum
  }

  /// Clips before each optimiser step.
  public var hooks: [Hook] { [.beforeStep(clip)] }
  /// After what adds gradients up.
  public var order: Int { CallbackOrder.clip }
  /// What is clipped, and where.
  public var settings: [String: String] { ["kind": kind.rawValue, "maximum": "\(maximum)"] }

  private func clip(_ batch: BatchContext) throws {
    try batch.learner.model.store.withBuffer(.gradients) { gradients in
      switch kind {
      case .value:
        let limit = Float(maximum)
        for index in gradients.indices {
          // Written so that NaN stays, for who looks for it.
          if gradients[index] > limit { gradients[index] = limit }
          if gradients[index] < -limit { gradients[index] = -limit }
        }
      case .norm:
        var squares = 0.0
        for gradient in gradients { squares += Double(gradient) * Double(gradient) }
        let norm = squares.squareRoot()
        lastNorm = norm
        guard norm.isFinite else {
          throw CallbackError.nonFiniteGradient(norm: norm, step: batch.step)
        }
        if norm <= maximum { return }
        let scale = Float(maximum / norm)
        for index in gradients.indices { gradients[index] *= scale }
      }
    }
  }
}
