public import CrestTensor

/// One of fourteen operations on bytes, with a random magnitude (torchvision's `TrivialAugmentWide`; Müller and Hutter 2021).
///
/// Shear, translation and rotation of nearest pixels with black outside, brightness, colour, contrast, sharpness, posterize,
/// solarize, auto-contrast, equalize, or nothing: as Pillow computes them.
public struct TrivialAugment: PillowTransform {
  /// It has no settings.
  public init() {}

  /// `trivial-augment`.
  public var name: String { "trivial-augment" }

  /// Makes the operation.
  public func apply(
    to image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    let all = PillowOperation.allCases
    let operation = all[random.integer(below: all.count, draw: 0)]
    let step = random.integer(below: OperationStrength.last + 1, draw: 1)
    let magnitude = OperationStrength.wide.magnitude(operation, step: step, shape)
    make(
      [(operation, Self.signed(operation, magnitude, random, draw: 2))], on: image, shape: shape,
      scratch: scratch)
  }
}
