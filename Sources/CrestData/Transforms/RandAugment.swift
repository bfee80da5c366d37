public import CrestTensor

/// Some operations on bytes one after the other, each of one magnitude (torchvision's and Keras's `RandAugment`; Cubuk and
/// others 2019).
///
/// The operations are those of ``TrivialAugment``, drawn with replacement.
public struct RandAugment: PillowTransform {
  /// How many operations.
  public let count: Int
  /// The magnitude, of 31 steps from 0.
  public let magnitude: Int

  /// Makes `count` operations.
  ///
  /// - Precondition: the count is in 1 … 14, the magnitude in 0 … 30.
  public init(count: Int = 2, magnitude: Int = 9) {
    NumberRange.operations.require(Double(count), "the number of operations")
    NumberRange.bin.require(Double(magnitude), "the magnitude")
    (self.count, self.magnitude) = (count, magnitude)
  }

  /// As in `rand-augment(count 2, magnitude 9)`.
  public var name: String { "rand-augment(count \(count), magnitude \(magnitude))" }

  /// Makes the operations.
  public func apply(
    to image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    let all = PillowOperation.allCases
    let operations = (0..<count).lazy.map { number in
      let operation = all[random.integer(below: all.count, draw: 2 * number)]
      let magnitude = OperationStrength.moderate.magnitude(operation, step: magnitude, shape)
      return (operation, Self.signed(operation, magnitude, random, draw: 2 * number + 1))
    }
    make(operations, on: image, shape: shape, scratch: scratch)
  }
}
