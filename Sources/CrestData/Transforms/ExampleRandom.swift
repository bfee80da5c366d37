public import CrestTensor

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

  /// A uniform number between two, from the `draw`th number.
  func uniform(in range: ClosedRange<Double>, draw: Int) -> Double {
    range.lowerBound + Double(uniform(draw: draw)) * (range.upperBound - range.lowerBound)
  }

  /// Whether something of a probability happens, by the `draw`th number.
  func happens(_ probability: Double, draw: Int) -> Bool {
    Double(uniform(draw: draw)) < probability
  }

  private func block(_ draw: Int) -> UInt64 {
    programmerError(
      unless: 0 <= draw && draw < ExampleRandom.drawLimit,
      "draw \(draw) of \(ExampleRandom.drawLimit)")
    return firstBlock | UInt64(draw)
  }
}
