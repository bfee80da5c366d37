import CrestLayers
import CrestRuntime
import CrestTensor
public import CrestTraining

/// Sharpness-aware minimisation: each batch's gradients are those at the worst weights near by.
///
///     e = radius · g / ‖g‖,   g ← the gradient at w + e       and adaptive: e = radius · w² g / ‖w g‖
///
/// The optimiser then steps from w. Every batch takes two passes, the second with the random numbers of the first; running
/// statistics, the loss, metrics and what looks at them (as `DivergenceGuard`) are of the first alone. Norms are of all
/// trained parameters together, in `Double`. With `GradientAccumulation` each batch has its own e; a clip is of the second
/// gradient. A norm that isn't finite is an error, and a gradient of 0 stays as it is. It remembers nothing.
///
/// Foret and others, *Sharpness-Aware Minimization*, 2021; adaptive: Kwon and others, *ASAM*, 2021, without its η. Keras's `SAM`
/// of keras-cv, timm has none.
public final class SAM: Callback {
  /// The length of e, ρ.
  public let radius: Double
  /// Whether parameters are perturbed in proportion to their size.
  public let adaptive: Bool

  /// A search within `radius`.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` unless `radius` is finite and above 0.
  public init(radius: Double = 0.05, adaptive: Bool = false) throws(CallbackError) {
    try CallbackError.require(
      radius.isFinite && radius > 0, "radius", radius, "a finite number above 0", of: "SAM")
    (self.radius, self.adaptive) = (radius, adaptive)
  }

  /// Replaces gradients as soon as they are computed.
  public var hooks: [Hook] { [.afterBackward(replace)] }
  /// Before what adds gradients up.
  public var order: Int { CallbackOrder.sharpness }
  /// How far it looks.
  public var settings: [String: String] { ["radius": "\(radius)", "adaptive": "\(adaptive)"] }

  private func replace(_ batch: BatchContext) throws {
    guard batch.outcome.isFinished else { return }
    let learner = batch.learner
    let store = learner.model.store
    let frozen = learner.frozen
    let ranges = store.parameters.filter { !frozen.contains($0.name) }.map(\.range)
    let squares = store.withBuffer(.gradients) { gradients in
      store.withBuffer(.parameters) { weights in
        var squares = 0.0
        for index in ranges.joined() {
          let scaled = Double(gradients[index]) * (adaptive ? Double(weights[index]) : 1)
          squares += scaled * scaled
        }
        return squares
      }
    }
    let norm = squares.squareRoot()
    guard norm.isFinite else {
      throw CallbackError.nonFiniteGradient(norm: norm, step: batch.step)
    }
    guard norm > 0 else { return }
    let before = store.withBuffer(.parameters) { Array($0) }
    defer { store.withBuffer(.parameters) { _ = $0.update(fromContentsOf: before) } }
    let scale = radius / norm
    store.withBuffer(.gradients) { gradients in
      store.withBuffer(.parameters) { weights in
        for index in ranges.joined() {
          let weight = Double(weights[index])
          let size = adaptive ? weight * weight : 1
          weights[index] = Float(weight + scale * size * Double(gradients[index]))
        }
      }
    }
    try batch.recomputeGradients()
  }
}
