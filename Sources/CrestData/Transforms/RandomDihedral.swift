public import CrestTensor

/// One of the eight ways to lay a square on its place, each equally likely: turned by quarters, mirrored or not (fastai's
/// `Dihedral`, which leaves half of the images as they are).
///
/// No pixel is interpolated. It suits images without an upside, as from above or through a microscope.
public struct RandomDihedral: Transform {
  /// Turns and mirrors.
  public init() {}

  /// `dihedral`.
  public var name: String { "dihedral" }
  /// Pixels are moved.
  public var stage: TransformStage { .geometry }

  /// Only a square can be turned by a quarter and fill its place.
  public func objection(to shape: Shape) -> String? {
    shape[1] == shape[2]
      ? nil : "it takes square images, got \(shape[1]) × \(shape[2])"
  }

  /// Lays the image on its place.
  public func apply(
    to image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, random: ExampleRandom
  ) {
    require(image, shape, scratch)
    Self.lay(image, shape: shape, scratch: scratch, as: random.integer(below: 8, draw: 0))
  }

  /// In the way of fastai's number: 1 is mirrored, 2 upside down, 3 turned counter-clockwise, 4 by a half, 5 clockwise, 6
  /// transposed, 7 transposed about the other diagonal.
  package static func lay(
    _ image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>, as way: Int
  ) {
    guard way > 0 else { return }
    let last = shape[1] - 1
    _ = scratch.update(fromContentsOf: image)
    for channel in 0..<shape[0] {
      let start = channel * shape[1] * shape[1]
      for row in 0...last {
        for column in 0...last {
          let (y, x) =
            switch way {
            case 1: (row, last - column)
            case 2: (last - row, column)
            case 3: (column, last - row)
            case 4: (last - row, last - column)
            case 5: (last - column, row)
            case 6: (column, row)
            default: (last - column, last - row)
            }
          image[start + row * (last + 1) + column] = scratch[start + y * (last + 1) + x]
        }
      }
    }
  }
}
