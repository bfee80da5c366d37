/// How far a window may reach over the border of an image.
public enum Padding: Sendable, Hashable {
  /// Not at all (ONNX `VALID`).
  case valid
  /// So far that the output has ⌈size / stride⌉ windows (Keras `same`, ONNX `SAME_UPPER`).
  ///
  /// An odd row or column more goes to the bottom and the right. With a stride of 2 and an even size
  /// this is not PyTorch's `padding=1`, which adds on all four sides.
  case same
  /// By this much at each side (PyTorch's `padding`, ONNX `pads`), none negative.
  case explicit(top: Int, left: Int, bottom: Int, right: Int)

  /// By `size` at all four sides.
  public static func all(_ size: Int) -> Padding {
    .explicit(top: size, left: size, bottom: size, right: size)
  }

  /// Rows and columns added before and after an image of these sizes.
  func resolved(
    image: [Int], window: Extent, stride: Extent, dilation: Extent
  ) -> (before: [Int], after: [Int]) {
    switch self {
    case .valid: return ([0, 0], [0, 0])
    case .explicit(let top, let left, let bottom, let right):
      return ([top, left], [bottom, right])
    case .same:
      let totals = (0..<2).map { axis in
        let (size, step) = (image[axis], stride.sizes[axis])
        let reach = (window.sizes[axis] - 1) * dilation.sizes[axis] + 1
        let windows = size / step + (size % step == 0 ? 0 : 1)
        return max(0, (windows - 1) * step + reach - size)
      }
      return (totals.map { $0 / 2 }, totals.map { $0 - $0 / 2 })
    }
  }
}
