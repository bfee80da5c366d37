public import CrestTensor

/// Filters that whiten the patches of images: what a convolution with them gives has no correlations and,
/// for all directions of noticeable variance, variance 1.
///
///     C = mean of p · pᵀ over all patches p of the kernel's size
///     filters: eigenvectors of C, from the largest eigenvalue on, each / √(eigenvalue + ε); then their negatives
///
/// The patches are those of normalised images, whose mean is near 0. As in Jordan, *94% on CIFAR-10 in 3.29
/// seconds*, 2024 (airbench), after Page, *How to train your ResNet*, 2019. The same images give the same bits;
/// each eigenvector's largest component is positive.
public struct PatchWhitening: Sendable {
  /// Eigenvalues of C, from the largest to the smallest.
  public let eigenvalues: [Double]
  /// The filters [2 · channels · height · width, channels, height, width].
  public let filters: Tensor

  /// The filters for images.
  ///
  /// - Parameters:
  ///   - images: [N, C, H, W] of `float32`, normalised as the network sees them.
  ///   - kernel: The size of the patches.
  ///   - epsilon: Added to each eigenvalue, so that directions of little variance aren't blown up.
  /// - Throws: ``PatchWhiteningError`` when there is no patch or a value isn't finite.
  public init(
    of images: Tensor, kernel: Size2D = 2, epsilon: Double = 5e-4
  ) throws(PatchWhiteningError) {
    programmerError(
      unless: epsilon > 0 && epsilon.isFinite, "ε is \(epsilon), not a finite number above 0")
    guard images.elementType == .float32, images.shape.rank == 4, images.shape.elementCount > 0,
      images.shape[2] >= kernel.height, images.shape[3] >= kernel.width
    else {
      throw .images(
        expected:
          "float32 [N, channels, height, width] of at least \(kernel.height) × \(kernel.width)",
        got: images.typeDescription)
    }
    let moments = Self.moments(of: images, kernel)
    guard moments.joined().allSatisfy(\.isFinite) else {
      throw .images(expected: "finite values", got: "infinite ones, or NaN")
    }
    let found = SymmetricEigenvectors(of: moments)
    eigenvalues = found.values
    let scaled = zip(found.vectors, found.values).flatMap { vector, value in
      // Rounding may make the smallest a little less than 0.
      vector.map { $0 / (max(value, 0) + epsilon).squareRoot() }
    }
    filters = Tensor(
      rounding: scaled + scaled.map { -$0 }, to: .float32,
      shape: [2 * moments.count, images.shape[1], kernel.height, kernel.width])
  }

  /// The mean of p · pᵀ; its upper triangle.
  private static func moments(of images: Tensor, _ kernel: Size2D) -> [[Double]] {
    let (channels, rows, columns) = (images.shape[1], images.shape[2], images.shape[3])
    let offsets = (0..<channels).flatMap { channel in
      (0..<kernel.height).flatMap { row in
        (0..<kernel.width).map { (channel * rows + row) * columns + $0 }
      }
    }
    let size = offsets.count
    var sums = [Double](repeating: 0, count: size * size)
    var patch = [Double](repeating: 0, count: size)
    images.withElements(as: Float.self) { pixels in
      for image in stride(from: 0, to: pixels.count, by: channels * rows * columns) {
        for row in 0...rows - kernel.height {
          for column in 0...columns - kernel.width {
            let start = image + row * columns + column
            for place in 0..<size { patch[place] = Double(pixels[start + offsets[place]]) }
            for first in 0..<size {
              for second in first..<size {
                sums[first * size + second] += patch[first] * patch[second]
              }
            }
          }
        }
      }
    }
    let count = Double(
      images.shape[0] * (rows - kernel.height + 1) * (columns - kernel.width + 1))
    return (0..<size).map { row in (0..<size).map { sums[row * size + $0] / count } }
  }
}

/// Why patches can't be whitened.
public enum PatchWhiteningError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Images of another kind, or with values that aren't finite.
  case images(expected: String, got: String)
  /// A parameter that isn't there or isn't of a convolution with as many filters as whitening makes.
  case parameter(String, expected: String, got: String)

  /// What, expected and got.
  public var description: String {
    switch self {
    case .images(let expected, let got):
      "patch whitening: expected images of \(expected), got \(got)"
    case .parameter(let name, let expected, let got):
      "patch whitening of \(name): expected \(expected), got \(got)"
    }
  }
}
