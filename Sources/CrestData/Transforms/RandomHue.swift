import CCrestPixels
import CrestTensor

/// Turns the hue of an image by a part of the circle that is uniform to both sides (torchvision's `ColorJitter(hue=…)`,
/// Keras's `RandomHue`).
public struct RandomHue: ColourTransform {
  /// The largest part of the circle.
  public let change: Double
  /// How often it happens.
  public let probability: Double
  let needsColours = true

  /// Turns by at most `change` of the circle.
  ///
  /// - Precondition: the change is in 0 … 0.5, the probability in 0 … 1.
  public init(change: Double = 0.1, probability: Double = 0.75) {
    NumberRange.half.require(change, "the change of hue")
    NumberRange.share.require(probability, "the probability")
    (self.change, self.probability) = (change, probability)
  }

  /// As in `hue(change 0.1, probability 0.75)`.
  public var name: String { name("hue", "change \(Preprocessing.short(change))") }

  func recolour(
    _ image: UnsafeMutableBufferPointer<Float>, _ size: crest_planes,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    crest_pixels_hue(
      size, image.baseAddress, Float(random.uniform(in: -change...change, draw: 1)))
  }
}
