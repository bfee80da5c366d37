package import CrestTensor

/// Enlarges an image about a random place, by a factor that is uniform (fastai's `Zoom`; Keras's `RandomZoom` gives how
/// much smaller it gets).
public struct RandomZoom: GeometricTransform {
  /// The factors; below 1 the image gets smaller.
  public let factors: ClosedRange<Double>
  /// How often an image is enlarged.
  public let probability: Double
  /// What lies outside of the image.
  public let padding: ImagePadding

  /// Enlarges by a factor of a range.
  ///
  /// - Precondition: factors are above 0, the probability in 0 … 1.
  public init(
    factors: ClosedRange<Double> = 1...1.1, probability: Double = 0.75,
    padding: ImagePadding = .reflection
  ) {
    NumberRange.zoom.require(factors.lowerBound, "the smallest zoom")
    NumberRange.zoom.require(factors.upperBound, "the largest zoom")
    NumberRange.share.require(probability, "the probability")
    (self.factors, self.probability, self.padding) = (factors, probability, padding)
  }

  /// As in `zoom(1 to 1.1, probability 0.75, reflection)`.
  public var name: String {
    name(
      "zoom", ("min", factors.lowerBound), ("max", factors.upperBound), ("probability", probability)
    )
  }

  package func projection(of shape: Shape, _ random: ExampleRandom) -> Projection? {
    guard random.happens(probability, draw: 0) else { return nil }
    return Self.projection(
      random.uniform(in: factors, draw: 1),
      centre: (random.uniform(in: 0...1, draw: 2), random.uniform(in: 0...1, draw: 3)))
  }

  /// By a factor about a place, as parts of the width and the height.
  package static func projection(_ factor: Double, centre: (x: Double, y: Double)) -> Projection {
    let scale = 1 / factor
    return Projection(
      scale, 0, (1 - scale) * (2 * centre.x - 1), 0, scale, (1 - scale) * (2 * centre.y - 1))
  }
}
