public import CrestTensor

/// A random change of an image that keeps its class, made while a batch is assembled.
///
/// A transform has no state: its result depends only on the example and the numbers of
/// ``ExampleRandom``, so an epoch is the same whichever thread makes it and however far ahead.
public protocol Transform: Sendable {
  /// Its name in messages and logs, with its settings.
  var name: String { get }

  /// When it is made, whatever its place in a list, and so in which values. ``TransformStage/normalized`` unless given.
  var stage: TransformStage { get }

  /// Why it can't be applied to images of `shape` (channels, rows, columns); nil if it can.
  func objection(to shape: Shape) -> String?

  /// Changes one image.
  ///
  /// - Parameters:
  ///   - image: The values of its ``stage``, channels first.
  ///   - shape: Channels, rows, columns.
  ///   - scratch: Working memory of the image's size, with arbitrary contents.
  ///   - random: The numbers to draw. Several inputs of one example get the same.
  func apply(
    to image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom)
}

extension Transform {
  /// Last, in normalised values.
  public var stage: TransformStage { .normalized }
}

/// When a transform is made: in the order of the cases, and those of one case in the order in which they were given.
public enum TransformStage: Int, Sendable, Hashable, CaseIterable {
  /// A part of the image is cut out and resized: before all else, of a file as it was decoded.
  case cropping
  /// In whole numbers from 0 to 255.
  case bytes
  /// Pixels are moved, in values from 0 to 1; those that follow each other in one interpolation.
  case geometry
  /// Values from 0 to 1 are changed.
  case colour
  /// In values normalised as the model gets them.
  case normalized
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
