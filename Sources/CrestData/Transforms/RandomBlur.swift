import CCrestPixels
import CrestPlatform
public import CrestTensor

/// Blurs an image by a Gaussian of a random width (torchvision's `GaussianBlur`, Keras's `RandomGaussianBlur`).
///
///     w[i] ∝ exp(-½ (i / σ)²), i from -size/2 to size/2, σ uniform in 0.1 … deviation
///
/// Images are mirrored at their edges, without repeating the edge itself.
public struct RandomBlur: ColourTransform {
  /// Pixels whose values are averaged, in each direction.
  public let size: Int
  /// The largest standard deviation, in pixels.
  public let deviation: Double
  /// How often it happens.
  public let probability: Double
  let needsColours = false

  /// Blurs by `size` pixels each way.
  ///
  /// - Precondition: the size is odd and in 3 … 101, the deviation in 0.1 … 100, the probability in 0 … 1.
  public init(size: Int = 5, deviation: Double = 2, probability: Double = 0.5) {
    NumberRange.blurSize.require(Double(size), "the blur's size")
    NumberRange.deviation.require(deviation, "the blur's deviation")
    NumberRange.share.require(probability, "the probability")
    (self.size, self.deviation, self.probability) = (size, deviation, probability)
  }

  /// As in `blur(size 5, deviation 2, probability 0.5)`.
  public var name: String {
    name("blur", "size \(size)", "deviation \(Preprocessing.short(deviation))")
  }

  /// Images must be larger than what is averaged to a side.
  public func objection(to shape: Shape) -> String? {
    size / 2 < Swift.min(shape[1], shape[2])
      ? nil
      : "a size of \(size) takes images of more than \(size / 2) rows and columns, got \(shape[1]) × \(shape[2])"
  }

  func recolour(
    _ image: UnsafeMutableBufferPointer<Float>, _ planes: crest_planes,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    let weights = Self.weights(
      size: size, deviation: random.uniform(in: 0.1...deviation, draw: 1))
    crest_pixels_blur(planes, image.baseAddress, weights, size, scratch.baseAddress)
  }

  /// The weights of pixels, from the leftmost on.
  package static func weights(size: Int, deviation: Double) -> [Float] {
    let weights = (0..<size).map { tap in
      let distance = Double(tap - size / 2) / deviation
      return exp(-0.5 * distance * distance)
    }
    let sum = weights.reduce(0, +)
    return weights.map { Float($0 / sum) }
  }
}
