import CCrestKernels
import CrestTensor

extension Engine {
  /// Brings a matrix near the orthogonal one that lies nearest to it, by Newton-Schulz steps of the fifth degree (Jordan
  /// 2024): all singular values become 0.7 to 1.2.
  ///
  ///     X ← X / (‖X‖ + 1e-7);   A = X Xᵀ,  X ← 3.4445 X + (2.0315 A² - 4.775 A) X   in each step
  ///
  /// Of a tall matrix A is Xᵀ X, and X is multiplied from the right, which is the same.
  ///
  /// - Parameters:
  ///   - matrix: Rows of numbers, which are replaced.
  ///   - rows: How many.
  ///   - columns: The numbers of each.
  ///   - steps: How many steps.
  ///   - squares: The sum of the squares of the matrix.
  /// - Precondition: the matrix has rows × columns numbers.
  package func orthogonalize(
    _ matrix: UnsafeMutableBufferPointer<Float>, rows: Int, columns: Int, steps: Int,
    squares: Double
  ) {
    programmerError(
      unless: matrix.count == rows * columns,
      "\(matrix.count) numbers for a matrix of \(rows) × \(columns)")
    guard let values = matrix.baseAddress, rows > 0, columns > 0 else { return }
    let scale = Float(1 / (squares.squareRoot() + 1e-7))
    for index in matrix.indices { values[index] *= scale }
    let (least, isTall) = (min(rows, columns), rows > columns)
    let gram = AlignedMemory(byteCount: 4 * least * least)
    let factor = AlignedMemory(byteCount: 4 * least * least)
    let copy = AlignedMemory(byteCount: 4 * matrix.count)
    let scratch = AlignedMemory(
      byteCount: max(
        ck_gemm_scratch_bytes(least, least, max(rows, columns), threadCount),
        ck_gemm_scratch_bytes(rows, columns, least, threadCount)))
    guard let a = gram.floats.baseAddress, let b = factor.floats.baseAddress,
      let x = copy.floats.baseAddress
    else { return }
    exclusively {
      let product = kernels.pointee.gemm_f32
      for _ in 0..<steps {
        product(
          pool, isTall, !isTall, least, least, max(rows, columns), 1, values, values, 0, nil, a,
          scratch.base)
        b.update(from: a, count: least * least)
        product(
          pool, false, false, least, least, least, 2.0315, a, a, -4.775, nil, b, scratch.base)
        x.update(from: values, count: matrix.count)
        product(
          pool, false, false, rows, columns, least, 1, isTall ? x : b, isTall ? b : x, 3.4445, nil,
          values, scratch.base)
      }
    }
  }
}
