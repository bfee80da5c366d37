import CrestPlatform
package import CrestTensor

/// Turns an image about its middle by an angle that is uniform to both sides (fastai's `Rotate`, torchvision's
/// `RandomRotation`, Keras's `RandomRotation` of a part of the circle).
public struct RandomRotation: GeometricTransform {
  /// The largest angle.
  public let degrees: Double
  /// How often an image is turned.
  public let probability: Double
  /// What lies outside of the image.
  public let padding: ImagePadding

  /// Turns by at most `degrees`.
  ///
  /// - Precondition: the angle is in 0 … 180, the probability in 0 … 1.
  public init(
    degrees: Double = 10, probability: Double = 0.75, padding: ImagePadding = .reflection
  ) {
    NumberRange.angle.require(degrees, "the rotation")
    NumberRange.share.require(probability, "the probability")
    (self.degrees, self.probability, self.padding) = (degrees, probability, padding)
  }

  /// As in `rotate(degrees 10, probability 0.75, reflection)`.
  public var name: String {
    name("rotate", ("degrees", degrees), ("probability", probability))
  }

  package func projection(of shape: Shape, _ random: ExampleRandom) -> Projection? {
    guard random.happens(probability, draw: 0) else { return nil }
    let angle = random.uniform(in: -degrees...degrees, draw: 1) * .pi / 180
    return Self.projection(angle, of: shape)
  }

  /// By an angle in radians, counter-clockwise; the aspect makes it a rotation of pixels.
  package static func projection(_ angle: Double, of shape: Shape) -> Projection {
    let aspect = Double(shape[1]) / Double(shape[2])
    return Projection(
      cos(angle), sin(angle) * aspect, 0, -sin(angle) / aspect, cos(angle), 0)
  }
}
