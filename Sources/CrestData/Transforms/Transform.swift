public import CrestTensor

/// A random change of an image that keeps its class, made while a batch is assembled.
///
/// A transform has no state: its result depends only on the example and the numbers of
/// ``ExampleRandom``, so an epoch is the same whichever thread makes it and however far ahead.
public protocol Transform: Sendable {
  /// Its name in messages and logs, with its settings.
  var name: String { get }

  /// Why it can't be applied to images of `shape` (channels, rows, columns); nil if it can.
  func objection(to shape: Shape) -> String?

  /// Changes one normalised image.
  ///
  /// - Parameters:
  ///   - image: The values, channels first.
  ///   - shape: Channels, rows, columns.
  ///   - scratch: Working memory of the image's size, with arbitrary contents.
  ///   - random: The numbers to draw. Several inputs of one example get the same.
  func apply(
    to image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom)
}

extension Transform {
  /// Ends the program unless the memory is that of an image which the transform takes.
  func require(
    _ image: UnsafeMutableBufferPointer<Float>, _ shape: Shape,
    _ scratch: UnsafeMutableBufferPointer<Float>
  ) {
    programmerError(
      unless: shape.rank == 3 && image.count == shape.elementCount
        && scratch.count >= image.count,
      "\(name) of \(image.count) values as an image \(shape) with \(scratch.count) values of scratch"
    )
    if let objection = self.objection(to: shape) { programmerError("\(name): \(objection)") }
  }
}

/// The random numbers of one transform for one example in one epoch, read by number in any order.
public struct ExampleRandom: Sendable {
  /// The largest possible number of draws.
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
    // One block per draw: 38 bits for the example, 8 for the transform and 16 for the draw leave
    // the two bits with which Philox.word(_:) chooses a word.
    firstBlock = UInt64(example) << 24 | UInt64(position) << 16
  }

  /// The epoch, counted over all fits.
  public var epoch: UInt32 { generator.step }

  /// The numbers of the same transform for the same example in epoch 0: the same ones in every epoch.
  public var inEpoch0: ExampleRandom {
    ExampleRandom(
      generator: Philox(seed: generator.seed, stream: generator.stream), firstBlock: firstBlock)
  }

  private init(generator: Philox, firstBlock: UInt64) {
    self.generator = generator
    self.firstBlock = firstBlock
  }

  /// An integer in `0 ..< bound`, from the `draw`th number.
  public func integer(below bound: Int, draw: Int) -> Int {
    generator.integer(below: bound, block(draw))
  }

  /// A uniform number in [0, 1), from the `draw`th number.
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
