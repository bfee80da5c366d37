import CCrestPixels
import CrestTensor

/// Takes the colours of an image away, and leaves its three channels (torchvision's and Keras's `RandomGrayscale`).
public struct RandomGreyscale: ColourTransform {
  /// How often it happens.
  public let probability: Double
  let needsColours = true

  /// Makes some images grey.
  ///
  /// - Precondition: the probability is in 0 … 1.
  public init(probability: Double = 0.1) {
    NumberRange.share.require(probability, "the probability")
    self.probability = probability
  }

  /// As in `greyscale(probability 0.1)`.
  public var name: String { name("greyscale") }

  func recolour(
    _ image: UnsafeMutableBufferPointer<Float>, _ size: crest_planes,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) { crest_pixels_blend_grey(size, image.baseAddress, 0) }
}
