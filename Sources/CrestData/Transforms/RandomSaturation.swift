import CCrestPixels
import CrestPlatform
import CrestTensor

/// Makes the colours of an image stronger or weaker.
///
///     linear: clip(f · x + (1 - f) · grey), f uniform in 1 - c … 1 + c (torchvision's `ColorJitter`, Keras's `RandomSaturation`)
///     logit:  the same of logits, log f uniform between log(1 - c) and its negative (fastai's `Saturation`)
///
/// Grey is 0.2989 · red + 0.587 · green + 0.114 · blue.
public struct RandomSaturation: ColourTransform {
  /// How the values change.
  public var formula: ColourFormula { own.formula }
  /// The largest change.
  public var change: Double { own.change }
  /// How often it happens.
  public let probability: Double
  let needsColours = true
  private let own: ColourChange

  /// Changes by at most `change`.
  ///
  /// - Precondition: the change is at least 0 and below 1, the probability in 0 … 1.
  public init(change: Double = 0.2, formula: ColourFormula = .linear, probability: Double = 0.75) {
    own = ColourChange(change, formula, probability, "saturation")
    self.probability = probability
  }

  /// As in `saturation(change 0.2, linear, probability 0.75)`.
  public var name: String { name("saturation", own.text) }

  func recolour(
    _ image: UnsafeMutableBufferPointer<Float>, _ size: crest_planes,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    switch formula {
    case .linear: crest_pixels_blend_grey(size, image.baseAddress, own.factor(random))
    case .logit: crest_pixels_logit_grey(size, image.baseAddress, own.logitFactor(random))
    }
  }
}
