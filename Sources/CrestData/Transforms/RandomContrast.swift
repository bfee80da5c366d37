import CCrestPixels
import CrestPlatform
import CrestTensor

/// Raises or lowers the contrast of an image.
///
///     linear: clip(f · x + (1 - f) · m), m the mean grey of the image, f uniform in 1 - c … 1 + c (torchvision's `ColorJitter`)
///     logit:  σ(f · logit x), log f uniform between log(1 - c) and its negative (fastai's `Contrast`)
public struct RandomContrast: ColourTransform {
  /// How the values change.
  public var formula: ColourFormula { own.formula }
  /// The largest change.
  public var change: Double { own.change }
  /// How often it happens.
  public let probability: Double
  let needsColours = false
  private let own: ColourChange

  /// Changes by at most `change`.
  ///
  /// - Precondition: the change is at least 0 and below 1, the probability in 0 … 1.
  public init(change: Double = 0.2, formula: ColourFormula = .linear, probability: Double = 0.75) {
    own = ColourChange(change, formula, probability, "contrast")
    self.probability = probability
  }

  /// As in `contrast(change 0.2, linear, probability 0.75)`.
  public var name: String { name("contrast", own.text) }

  func recolour(
    _ image: UnsafeMutableBufferPointer<Float>, _ size: crest_planes,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    switch formula {
    case .linear:
      crest_pixels_blend(
        size, image.baseAddress, own.factor(random),
        crest_pixels_mean_grey(size, image.baseAddress))
    case .logit:
      crest_pixels_logit_line(size, image.baseAddress, own.logitFactor(random), 0)
    }
  }
}
