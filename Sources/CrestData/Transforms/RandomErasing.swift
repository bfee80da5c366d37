import CrestPlatform
public import CrestTensor

/// Sets a rectangle of an image to zero, the mean of normalised images (torchvision's `RandomErasing`, fastai's
/// `RandomErasing`, Keras's `RandomErasing`; Zhong and others 2017).
///
///     rows = round(√(area · aspect)), columns = round(√(area / aspect))
///
/// The area is uniform, the aspect's logarithm too; of ten tries the first that is smaller than the image counts.
public struct RandomErasing: Transform {
  /// How often it happens.
  public let probability: Double
  /// The share of the image that is erased.
  public let scale: ClosedRange<Double>
  /// The largest aspect, whose inverse is the smallest.
  public let ratio: Double
  static let tries = 10

  /// Erases a share of some images.
  ///
  /// - Precondition: the probability is in 0 … 1, shares are above 0 and at most 1, the aspect is in 1 … 100.
  public init(
    probability: Double = 0.5, scale: ClosedRange<Double> = 0.02...0.33, ratio: Double = 3.3
  ) {
    NumberRange.share.require(probability, "the probability")
    NumberRange.positiveShare.require(scale.lowerBound, "the smallest share")
    NumberRange.positiveShare.require(scale.upperBound, "the largest share")
    NumberRange.aspect.require(ratio, "the largest aspect")
    (self.probability, self.scale, self.ratio) = (probability, scale, ratio)
  }

  /// As in `erase(0.02 to 0.33 of the image, aspect 3.3, probability 0.5)`.
  public var name: String {
    let texts = [scale.lowerBound, scale.upperBound, ratio, probability].map(Preprocessing.short)
    return "erase(\(texts[0]) to \(texts[1]), aspect \(texts[2]), probability \(texts[3]))"
  }

  /// Any image can lose a part.
  public func objection(to shape: Shape) -> String? { nil }

  /// Sets the rectangle to zero in every channel.
  public func apply(
    to image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    require(image, shape, scratch)
    guard random.happens(probability, draw: 0), let part = part(of: shape, random) else { return }
    for channel in 0..<shape[0] {
      for row in part.top..<part.top + part.height {
        let start = (channel * shape[1] + row) * shape[2] + part.left
        UnsafeMutableBufferPointer(rebasing: image[start..<start + part.width])
          .update(repeating: 0)
      }
    }
  }

  private func part(of shape: Shape, _ random: ExampleRandom) -> ImagePart? {
    for attempt in 0..<Self.tries {
      let draw = 1 + 4 * attempt
      let area = Double(shape[1] * shape[2]) * random.uniform(in: scale, draw: draw)
      let aspect = exp(random.uniform(in: -log(ratio)...log(ratio), draw: draw + 1))
      let height = Int((area * aspect).squareRoot().rounded(.toNearestOrEven))
      let width = Int((area / aspect).squareRoot().rounded(.toNearestOrEven))
      guard height < shape[1], width < shape[2] else { continue }
      return ImagePart(
        left: random.integer(below: shape[2] - width + 1, draw: draw + 3),
        top: random.integer(below: shape[1] - height + 1, draw: draw + 2), width: width,
        height: height)
    }
    return nil
  }
}
