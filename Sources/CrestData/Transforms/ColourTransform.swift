import CCrestPixels
import CrestPlatform
import CrestTensor

/// How the brightness, contrast or saturation of an image changes.
public enum ColourFormula: String, Sendable, Hashable, CaseIterable {
  /// By a factor that is uniform about 1, clipped to 0 … 1 (torchvision's `ColorJitter`, Keras).
  case linear
  /// Of the logits of the values, which never clips (fastai's lighting transforms).
  case logit
}

/// A transform of values from 0 to 1, which happens with a probability.
protocol ColourTransform: Transform {
  /// How often it happens.
  var probability: Double { get }
  /// Whether it needs red, green and blue.
  var needsColours: Bool { get }
  /// Changes the image; draw 0 is taken.
  func recolour(
    _ image: UnsafeMutableBufferPointer<Float>, _ size: crest_planes,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom)
}

extension ColourTransform {
  /// Values from 0 to 1 are changed.
  public var stage: TransformStage { .colour }

  /// Red, green and blue, for what changes them against each other.
  public func objection(to shape: Shape) -> String? {
    !needsColours || shape[0] == 3
      ? nil : "it takes images of three channels, red, green and blue, got \(shape[0])"
  }

  /// Changes the image with the probability.
  public func apply(
    to image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    require(image, shape, scratch)
    guard random.happens(probability, draw: 0) else { return }
    recolour(image, crest_planes(shape), scratch: scratch, random: random)
  }

  /// As in `hue(change 0.1, probability 1)`.
  func name(_ word: String, _ settings: String...) -> String {
    let texts = settings + ["probability \(Preprocessing.short(probability))"]
    return "\(word)(\(texts.joined(separator: ", ")))"
  }
}

/// A change of brightness, contrast or saturation, by one of two formulas.
struct ColourChange: Sendable {
  let change: Double
  let formula: ColourFormula

  init(_ change: Double, _ formula: ColourFormula, _ probability: Double, _ what: String) {
    NumberRange.belowOne.require(change, "the change of \(what)")
    NumberRange.share.require(probability, "the probability")
    (self.change, self.formula) = (change, formula)
  }

  /// As in `change 0.2, linear`.
  var text: String { "change \(Preprocessing.short(change)), \(formula.rawValue)" }

  /// torchvision's factor.
  func factor(_ random: ExampleRandom) -> Float {
    Float(random.uniform(in: (1 - change)...(1 + change), draw: 1))
  }

  /// fastai's factor of logits, whose logarithm is uniform.
  func logitFactor(_ random: ExampleRandom) -> Float {
    Float(exp(random.uniform(in: log(1 - change)...(-log(1 - change)), draw: 1)))
  }
}
