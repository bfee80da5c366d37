import CrestGraph
import CrestTensor

/// How far a window may reach beyond the border of an image.
public enum Padding: Sendable, Hashable {
  /// Not at all (ONNX `VALID`).
  case valid
  /// So far that there are ⌈size / stride⌉ windows (Keras `same`, ONNX `SAME_UPPER`).
  ///
  /// If the padding is odd, the extra row or column goes to the bottom or right. With a stride of 2
  /// and an even size this is not PyTorch's `padding=1`, which adds on all four sides.
  case same
  /// By this much on each side (PyTorch's `padding`, ONNX `pads`), none negative.
  case explicit(top: Int, left: Int, bottom: Int, right: Int)

  /// By `size` on all four sides.
  public static func all(_ size: Int) -> Padding {
    .explicit(top: size, left: size, bottom: size, right: size)
  }

  /// Rows and columns added before and after the images `x`.
  ///
  /// - Throws: `GraphError` when a window's reach can't be counted.
  func resolved(
    for x: Symbol, _ operation: String, window: Size2D, stride: Size2D, dilation: Size2D = 1
  ) throws -> (before: [Int], after: [Int]) {
    switch self {
    case .valid: return ([0, 0], [0, 0])
    case .explicit(let top, let left, let bottom, let right):
      return ([top, left], [bottom, right])
    case .same:
      do {
        return try AutoPadding.sameUpper.pads(
          input: Array(x.shape.dropFirst(2)), kernel: window.sizes, strides: stride.sizes,
          dilations: dilation.sizes)
      } catch {
        throw GraphError(
          path: x.builder.path, operation: operation, expected: error.expected, got: error.got,
          advice: error.advice)
      }
    }
  }
}
