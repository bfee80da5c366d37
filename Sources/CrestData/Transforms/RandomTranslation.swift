package import CrestTensor

/// Moves an image by parts of its width and height, uniform to both sides (torchvision's `RandomAffine(translate=…)`, Keras's
/// `RandomTranslation`).
public struct RandomTranslation: GeometricTransform {
  /// The largest part of a side.
  public let fraction: Double
  /// How often an image is moved.
  public let probability: Double
  /// What lies outside of the image.
  public let padding: ImagePadding

  /// Moves by at most `fraction` of each side.
  ///
  /// - Precondition: the fraction and the probability are in 0 … 1.
  public init(
    fraction: Double = 0.1, probability: Double = 0.75, padding: ImagePadding = .reflection
  ) {
    NumberRange.share.require(fraction, "the translation")
    NumberRange.share.require(probability, "the probability")
    (self.fraction, self.probability, self.padding) = (fraction, probability, padding)
  }

  /// As in `translate(fraction 0.1, probability 0.75, reflection)`.
  public var name: String {
    name("translate", ("fraction", fraction), ("probability", probability))
  }

  package func projection(of shape: Shape, _ random: ExampleRandom) -> Projection? {
    guard random.happens(probability, draw: 0) else { return nil }
    return Self.projection(
      right: random.uniform(in: -fraction...fraction, draw: 1),
      down: random.uniform(in: -fraction...fraction, draw: 2), of: shape)
  }

  /// To the right and down, by parts of the width and the height.
  package static func projection(right: Double, down: Double, of shape: Shape) -> Projection {
    // From the first pixel's centre to the last one's it is a pixel less than the width.
    func step(_ part: Double, _ count: Int) -> Double {
      count > 1 ? -2 * part * Double(count) / Double(count - 1) : 0
    }
    return Projection(1, 0, step(right, shape[2]), 0, 1, step(down, shape[1]))
  }
}
