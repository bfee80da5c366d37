public import CrestTensor

/// Sets a square of an image to zero, the mean of normalised images.
///
/// DeVries and Taylor: *Improved regularization of convolutional neural networks with cutout*, 2017.
/// The square's centre is uniform over the image, so that part of it may lie outside.
public struct Cutout: Transform {
  /// Rows and columns of the square.
  public let size: Int

  /// A square of `size` rows and columns.
  ///
  /// - Precondition: `size` is positive.
  public init(size: Int = 16) {
    programmerError(unless: size > 0, "the square's size is \(size)")
    self.size = size
  }

  /// As in `cutout(size 16)`.
  public var name: String { "cutout(size \(size))" }

  /// A square larger than the image would usually erase all of it.
  public func objection(to shape: Shape) -> String? {
    guard size > Swift.min(shape[1], shape[2]) else { return nil }
    return "a square of \(size) is larger than the images, which are \(shape[1]) × \(shape[2])"
  }

  /// Sets the square to zero in every channel.
  public func apply(
    to image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    require(image, shape, scratch)
    let (rows, columns) = (shape[1], shape[2])
    let top = random.integer(below: rows, draw: 0) - size / 2
    let left = random.integer(below: columns, draw: 1) - size / 2
    let covered = Swift.max(left, 0)..<Swift.min(left + size, columns)
    for channel in 0..<shape[0] {
      for row in Swift.max(top, 0)..<Swift.min(top + size, rows) {
        let start = (channel * rows + row) * columns
        UnsafeMutableBufferPointer(
          rebasing: image[start + covered.lowerBound..<start + covered.upperBound]
        ).update(repeating: 0)
      }
    }
  }
}
