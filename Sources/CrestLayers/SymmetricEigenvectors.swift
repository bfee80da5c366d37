/// Eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's cyclic rotations.
///
/// All in `Double` and in a fixed order, so that the same matrix gives the same bits.
struct SymmetricEigenvectors {
  /// From the largest to the smallest.
  private(set) var values: [Double]
  /// One row an eigenvalue, of length 1; its component of largest magnitude, the first of equal ones, is positive.
  private(set) var vectors: [[Double]]

  /// Those of a matrix, of which only the upper triangle counts.
  ///
  /// - Precondition: it is square.
  init(of matrix: [[Double]]) {
    let size = matrix.count
    var a = (0..<size).map { row in (0..<size).map { matrix[min(row, $0)][max(row, $0)] } }
    var columns = (0..<size).map { row in (0..<size).map { row == $0 ? 1.0 : 0.0 } }
    // Convergence is quadratic: a handful of sweeps, far fewer than these.
    for _ in 0..<64 where Self.rotateAll(&a, &columns) {}
    let order = (0..<size).sorted { (a[$1][$1], $0) < (a[$0][$0], $1) }
    values = order.map { a[$0][$0] }
    vectors = order.map { column in
      let vector = columns.map { $0[column] }
      let largest = vector.max { $0.magnitude < $1.magnitude } ?? 0
      let first = vector.first { $0.magnitude == largest.magnitude } ?? 0
      return first < 0 ? vector.map { -$0 } : vector
    }
  }

  /// One sweep over all pairs of axes; false when nothing is left to do.
  private static func rotateAll(_ a: inout [[Double]], _ columns: inout [[Double]]) -> Bool {
    var hasRotated = false
    for p in a.indices {
      for q in a.indices where q > p {
        // What doesn't change either diagonal element is as good as 0.
        guard a[p][p] + a[p][q].magnitude != a[p][p] || a[q][q] + a[p][q].magnitude != a[q][q]
        else {
          a[p][q] = 0
          continue
        }
        hasRotated = true
        rotate(&a, &columns, p, q)
      }
    }
    return hasRotated
  }

  /// The rotation of axes p and q that makes their element 0 (Golub & Van Loan, section 8.5).
  private static func rotate(
    _ a: inout [[Double]], _ columns: inout [[Double]], _ p: Int, _ q: Int
  ) {
    let ratio = (a[q][q] - a[p][p]) / (2 * a[p][q])
    let tangent = (ratio < 0 ? -1.0 : 1.0) / (ratio.magnitude + (1 + ratio * ratio).squareRoot())
    let cosine = 1 / (1 + tangent * tangent).squareRoot()
    let sine = tangent * cosine
    let change = tangent * a[p][q]
    a[p][p] -= change
    a[q][q] += change
    a[p][q] = 0
    func turn(_ first: inout Double, _ second: inout Double) {
      (first, second) = (cosine * first - sine * second, sine * first + cosine * second)
    }
    for other in a.indices where other != p && other != q {
      var (first, second) = (a[min(other, p)][max(other, p)], a[min(other, q)][max(other, q)])
      turn(&first, &second)
      a[min(other, p)][max(other, p)] = first
      a[min(other, q)][max(other, q)] = second
    }
    for row in columns.indices {
      var (first, second) = (columns[row][p], columns[row][q])
      turn(&first, &second)
      (columns[row][p], columns[row][q]) = (first, second)
    }
  }
}
