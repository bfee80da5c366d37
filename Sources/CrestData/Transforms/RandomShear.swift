import CrestPlatform
package import CrestTensor

/// Shears an image along its rows by an angle that is uniform to both sides (torchvision's `RandomAffine(shear=…)`, Keras's
/// `RandomShear` of a tangent).
public struct RandomShear: GeometricTransform {
  /// The largest angle.
  public let degrees: Double
  /// How often an image is sheared.
  public let probability: Double
  /// What lies outside of the image.
  public let padding: ImagePadding

  /// Shears by at most `degrees`.
  ///
  /// - Precondition: the angle is in 0 … 80, the probability in 0 … 1.
  public init(
    degrees: Double = 10, probability: Double = 0.75, padding: ImagePadding = .reflection
  ) {
    NumberRange.shear.require(degrees, "the shear")
    NumberRange.share.require(probability, "the probability")
    (self.degrees, self.probability, self.padding) = (degrees, probability, padding)
  }

  /// As in `shear(degrees 10, probability 0.75, reflection)`.
  public var name: String { name("shear", ("degrees", degrees), ("probability", probability)) }

  package func projection(of shape: Shape, _ random: ExampleRandom) -> Projection? {
    guard random.happens(probability, draw: 0) else { return nil }
    return Self.projection(
      random.uniform(in: -degrees...degrees, draw: 1) * .pi / 180, of: shape)
  }

  /// By an angle in radians.
  package static func projection(_ angle: Double, of shape: Shape) -> Projection {
    Projection(1, tan(angle) * Double(shape[1]) / Double(shape[2]), 0, 0, 1, 0)
  }
}
