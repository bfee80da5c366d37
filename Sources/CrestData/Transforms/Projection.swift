import CCrestPixels
package import CrestTensor
import CrestPlatform

/// Where an image shows what: a homography from the places of the result to those of the image, rows and columns
/// from -1 to 1 (`affine_grid` with `align_corners`).
package struct Projection: Sendable, Equatable {
  /// Nine numbers, row by row.
  private(set) var matrix: [Double]

  /// Nothing moves.
  package static let identity = Projection([1, 0, 0, 0, 1, 0, 0, 0, 1])

  init(_ matrix: [Double]) { self.matrix = matrix }

  /// x' = a x + b y + c and y' = d x + e y + f.
  package init(_ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double, _ f: Double) {
    matrix = [a, b, c, d, e, f, 0, 0, 1]
  }

  /// This, of an image that was changed by `first`: one interpolation does both.
  package func after(_ first: Projection) -> Projection {
    var product = [Double](repeating: 0, count: 9)
    for row in 0..<3 {
      for column in 0..<3 {
        for inner in 0..<3 {
          product[row * 3 + column] += first.matrix[row * 3 + inner] * matrix[inner * 3 + column]
        }
      }
    }
    return Projection(product)
  }

  /// The homography by which four points lead to the corners (-1, -1), (-1, 1), (1, -1), (1, 1).
  ///
  /// - Returns: Nil if there is none, as of points in a line.
  package static func toCorners(from points: [(x: Double, y: Double)]) -> Projection? {
    let corners: [(x: Double, y: Double)] = [(-1, -1), (-1, 1), (1, -1), (1, 1)]
    var rows: [[Double]] = []
    for (point, corner) in zip(points, corners) {
      let (x, y) = point
      rows.append([x, y, 1, 0, 0, 0, -corner.x * x, -corner.x * y, corner.x])
      rows.append([0, 0, 0, x, y, 1, -corner.y * x, -corner.y * y, corner.y])
    }
    for column in 0..<8 {
      let pivot = (column..<8).max { abs(rows[$0][column]) < abs(rows[$1][column]) } ?? column
      rows.swapAt(column, pivot)
      guard abs(rows[column][column]) > 1e-12 else { return nil }
      for row in 0..<8 where row != column {
        let factor = rows[row][column] / rows[column][column]
        for place in column..<9 { rows[row][place] -= factor * rows[column][place] }
      }
    }
    return Projection((0..<8).map { rows[$0][8] / rows[$0][$0] } + [1])
  }

  /// The same of pixels, in rows and columns from 0.
  private func ofPixels(_ shape: Shape) -> [Double] {
    let across = Double(Swift.max(shape[2] - 1, 1)) / 2
    let down = Double(Swift.max(shape[1] - 1, 1)) / 2
    // A single row or column is in the middle.
    let (left, top) = (shape[2] > 1 ? -1.0 : 0, shape[1] > 1 ? -1.0 : 0)
    let toUnit = Projection(1 / across, 0, left, 0, 1 / down, top)
    let toPixels = Projection(across, 0, -left * across, 0, down, -top * down)
    return toUnit.after(self.after(toPixels)).matrix
  }

  /// Writes to `output` what `image` shows there.
  package func project(
    _ image: UnsafeMutableBufferPointer<Float>, shape: Shape, padding: ImagePadding,
    to output: UnsafeMutableBufferPointer<Float>
  ) {
    crest_pixels_project(
      crest_planes(shape), image.baseAddress, ofPixels(shape), padding.kernel, output.baseAddress)
  }
}

/// What lies outside of an image whose pixels are moved.
public enum ImagePadding: String, Sendable, Hashable, CaseIterable {
  /// The image mirrored at its edge, without repeating the edge itself (fastai's choice).
  case reflection
  /// Black.
  case zeros
  /// The nearest pixel of the edge.
  case border

  fileprivate var kernel: crest_padding {
    switch self {
    case .reflection: CREST_PADDING_REFLECTION
    case .zeros: CREST_PADDING_ZEROS
    case .border: CREST_PADDING_BORDER
    }
  }
}

extension crest_planes {
  /// The size of an image, channels first.
  init(_ shape: Shape) {
    self.init(channels: shape[0], height: shape[1], width: shape[2])
  }
}
