public import CrestTensor

/// Mirrors an image left to right with probability ½ (fastai's `FlipItem`, torchvision's
/// `RandomHorizontalFlip`).
public struct HorizontalFlip: Transform {
  /// Flips every other image on average.
  public init() {}

  /// `flip`.
  public var name: String { "flip" }

  /// Every image can be mirrored.
  public func objection(to shape: Shape) -> String? { nil }

  /// Mirrors the image or leaves it.
  public func apply(
    to image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    require(image, shape, scratch)
    guard random.uniform(draw: 0) < 0.5 else { return }
    let columns = max(shape[2], 1)
    for start in stride(from: 0, to: image.count, by: columns) {
      for column in 0..<columns / 2 {
        image.swapAt(start + column, start + columns - 1 - column)
      }
    }
  }
}
