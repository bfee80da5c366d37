import CCrestPixels
import CrestPlatform
import CrestTensor

/// Makes an image brighter or darker.
///
///     linear: clip(f · x), f uniform in 1 - c … 1 + c (torchvision's `ColorJitter`, Keras's `RandomBrightness` adds instead)
///     logit:  σ(logit x + logit b), b uniform in ½ (1 - c) … ½ (1 + c) (fastai's `Brightness`)
public struct RandomBrightness: ColourTransform {
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
    own = ColourChange(change, formula, probability, "brightness")
    self.probability = probability
  }

  /// As in `brightness(change 0.2, linear, probability 0.75)`.
  public var name: String { name("brightness", own.text) }

  func recolour(
    _ image: UnsafeMutableBufferPointer<Float>, _ size: crest_planes,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    switch formula {
    case .linear: crest_pixels_blend(size, image.baseAddress, own.factor(random), 0)
    case .logit:
      let level = random.uniform(in: (1 - change) / 2...(1 + change) / 2, draw: 1)
      crest_pixels_logit_line(size, image.baseAddress, 1, Self.shift(ofLevel: level))
    }
  }

  /// What is added to logits so that a half becomes a level.
  package static func shift(ofLevel level: Double) -> Float { Float(-log(1 / level - 1)) }
}
