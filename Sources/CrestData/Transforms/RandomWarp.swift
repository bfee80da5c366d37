package import CrestTensor

/// Shows an image as from another side (fastai's `Warp`, torchvision's `RandomPerspective`): its corners move inwards and
/// outwards by parts of half its sides that are uniform to both sides.
public struct RandomWarp: GeometricTransform {
  /// The largest part.
  public let magnitude: Double
  /// How often an image is warped.
  public let probability: Double
  /// What lies outside of the image.
  public let padding: ImagePadding

  /// Moves corners by at most `magnitude` of half a side.
  ///
  /// - Precondition: the magnitude is at least 0 and below 0.5, the probability in 0 … 1.
  public init(
    magnitude: Double = 0.2, probability: Double = 0.75, padding: ImagePadding = .reflection
  ) {
    NumberRange.belowHalf.require(magnitude, "the warp")
    NumberRange.share.require(probability, "the probability")
    (self.magnitude, self.probability, self.padding) = (magnitude, probability, padding)
  }

  /// As in `warp(magnitude 0.2, probability 0.75, reflection)`.
  public var name: String { name("warp", ("magnitude", magnitude), ("probability", probability)) }

  package func projection(of shape: Shape, _ random: ExampleRandom) -> Projection? {
    guard random.happens(probability, draw: 0) else { return nil }
    return Self.projection(
      down: random.uniform(in: -magnitude...magnitude, draw: 1),
      across: random.uniform(in: -magnitude...magnitude, draw: 2))
  }

  package static func projection(down a: Double, across b: Double) -> Projection? {
    Projection.toCorners(from: [
      (-1 - b, -1 - a), (-1 + b, 1 + a), (1 + b, -1 + a), (1 - b, 1 - a),
    ])
  }
}
