public import CrestTensor

/// A random change of an image that keeps its class, made while a batch is put together.
///
/// A transform has no state: what it does depends on the example and on the numbers of
/// ``ExampleRandom`` alone, so an epoch comes out the same whatever thread makes it and however far
/// ahead.
public protocol Transform: Sendable {
  /// What it is called in messages and logs, with its settings.
  var name: String { get }

  /// Why it can't work on images of `shape` (channels, rows, columns); nil when it can.
  func objection(to shape: Shape) -> String?

  /// Changes one normalised image.
  ///
  /// - Parameters:
  ///   - image: The values, channels first.
  ///   - shape: Channels, rows, columns.
  ///   - scratch: As much room as the image takes, of any content, to work in.
  ///   - random: The numbers to draw. Several inputs of one example get the same.
  func apply(
    to image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom)
}

/// The random numbers of one transform for one example in one epoch, read by number in any order.
public struct ExampleRandom: Sendable {
  /// The most numbers there are.
  public static let drawLimit = 1 << 16

  private let generator: Philox
  private let firstBlock: UInt64

  /// The numbers of the `position`th transform for `example` under `generator`, whose step is the epoch.
  ///
  /// - Precondition: `example` is below 2³⁸ and `position` below 256.
  public init(generator: Philox, example: Int, position: Int) {
    programmerError(
      unless: 0 <= example && example < 1 << 38 && 0 <= position && position < 256,
      "no numbers for transform \(position) of example \(example)")
    self.generator = generator
    // One block a draw: 38 bits of example, 8 of transform and 16 of draw leave the two that
    // Philox.word(_:) takes to choose a word.
    firstBlock = UInt64(example) << 24 | UInt64(position) << 16
  }

  /// A whole number in `0 ..< bound`, the `draw`th number.
  public func integer(below bound: Int, draw: Int) -> Int {
    generator.integer(below: bound, block(draw))
  }

  /// A uniform number in [0, 1), the `draw`th number.
  public func uniform(draw: Int) -> Float {
    generator.uniform(block(draw) << 2)
  }

  private func block(_ draw: Int) -> UInt64 {
    programmerError(
      unless: 0 <= draw && draw < ExampleRandom.drawLimit,
      "draw \(draw) of \(ExampleRandom.drawLimit)")
    return firstBlock | UInt64(draw)
  }
}
