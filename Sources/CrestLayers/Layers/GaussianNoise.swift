public import CrestGraph
import CrestTensor

/// Adds normal noise in training (Keras `GaussianNoise`).
///
///     y = x + deviation · n, n being standard normal, a number of its own for each element
///
/// In inference y = x, and an exported file has no noise. The noise depends only on the run's seed, the step and the element's index.
public struct GaussianNoise: Layer {
  /// The scope.
  public let name: String?
  /// The standard deviation of the noise.
  public let deviation: Double

  /// A layer that adds noise of this standard deviation.
  ///
  /// - Precondition: `deviation` is finite and not negative.
  public init(_ deviation: Double, name: String = "gaussian_noise") {
    programmerError(
      unless: deviation >= 0 && deviation.isFinite,
      "\(name): a standard deviation of \(deviation); it must be finite and at least 0")
    (self.deviation, self.name) = (deviation, name)
  }

  /// The sum.
  ///
  /// - Throws: `GraphError` when x isn't of floats.
  public func trace(_ x: Symbol) throws -> Symbol { try x + x.normalNoise() * deviation }
}
