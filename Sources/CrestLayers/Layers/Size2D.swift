import CrestTensor

/// A height and a width of a window or of its stride: `3` for both, `[3, 5]` for two different
/// ones.
public struct Size2D: Sendable, Hashable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  /// Along the height.
  public let height: Int
  /// Along the width.
  public let width: Int

  /// Both sizes.
  ///
  /// - Precondition: both are at least 1.
  public init(height: Int, width: Int) {
    programmerError(unless: height >= 1 && width >= 1, "a size of \(height) × \(width) is empty")
    self.height = height
    self.width = width
  }

  /// The same along both.
  public init(_ size: Int) { self.init(height: size, width: size) }

  /// The same along both, as in `3`.
  public init(integerLiteral size: Int) { self.init(size) }

  /// Height and width, as in `[3, 5]`.
  public init(arrayLiteral sizes: Int...) {
    programmerError(
      unless: sizes.count == 2, "a size has a height and a width, not \(sizes.count) sizes")
    self.init(height: sizes[0], width: sizes[1])
  }

  var sizes: [Int] { [height, width] }
}
