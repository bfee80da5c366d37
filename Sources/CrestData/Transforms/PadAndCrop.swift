public import CrestTensor

/// Pads an image on all sides and crops a random part of the original size.
///
///     image'[c, i, j] = padded[c, i + u, j + v],  u, v uniform in 0 ... 2 · padding
///
/// With zeros this is the augmentation of He, Zhang, Ren, Sun: *Deep residual learning for image
/// recognition*, 2015, section 4.2 (images are normalised first, so zero is the mean). With
/// reflection it is fastai's `RandomCrop` after `pad_mode="reflection"`.
public struct PadAndCrop: Transform {
  /// What the padding shows.
  public enum Border: String, Sendable, Hashable {
    /// Zero, the mean of normalised images.
    case zero
    /// The image mirrored at its edge, without repeating the edge itself.
    case reflection
  }

  /// Pixels on each side.
  public let padding: Int
  /// What the padding shows.
  public let border: Border

  /// Padding of `padding` pixels on each side.
  ///
  /// - Precondition: `padding` is not negative.
  public init(padding: Int = 4, border: Border = .reflection) {
    programmerError(unless: padding >= 0, "padding is \(padding)")
    self.padding = padding
    self.border = border
  }

  /// As in `crop(padding 4, reflection)`.
  public var name: String { "crop(padding \(padding), \(border.rawValue))" }

  /// Images must be larger than the padding to be reflected in it.
  public func objection(to shape: Shape) -> String? {
    guard padding >= Swift.min(shape[1], shape[2]) else { return nil }
    return "a padding of \(padding) takes images of more rows and columns than that, "
      + "got \(shape[1]) × \(shape[2])"
  }

  /// Shifts the image by up to the padding and fills the gap.
  public func apply(
    to image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    require(image, shape, scratch)
    let (rows, columns) = (shape[1], shape[2])
    let down = random.integer(below: 2 * padding + 1, draw: 0) - padding
    let right = random.integer(below: 2 * padding + 1, draw: 1) - padding
    _ = scratch.update(fromContentsOf: image)
    for channel in 0..<shape[0] {
      for row in 0..<rows {
        let output = UnsafeMutableBufferPointer(
          rebasing: image[(channel * rows + row) * columns..<(channel * rows + row + 1) * columns])
        guard let sourceRow = source(row + down, count: rows) else {
          output.update(repeating: 0)
          continue
        }
        let start = (channel * rows + sourceRow) * columns
        let input = UnsafeBufferPointer(rebasing: scratch[start..<start + columns])
        // The columns whose source lies inside the image; only the few others are looked up one by
        // one.
        let inside = Swift.max(0, -right)..<columns - Swift.max(0, right)
        _ = UnsafeMutableBufferPointer(rebasing: output[inside]).update(
          fromContentsOf: input[(inside.lowerBound + right)..<(inside.upperBound + right)])
        for column in 0..<inside.lowerBound {
          output[column] = source(column + right, count: columns).map { input[$0] } ?? 0
        }
        for column in inside.upperBound..<columns {
          output[column] = source(column + right, count: columns).map { input[$0] } ?? 0
        }
      }
    }
  }

  /// The row or column of the image that `position` shows, which may lie in the padding; nil for zero.
  private func source(_ position: Int, count: Int) -> Int? {
    if position >= 0, position < count { return position }
    switch border {
    case .zero: return nil
    case .reflection: return position < 0 ? -position : 2 * (count - 1) - position
    }
  }
}
