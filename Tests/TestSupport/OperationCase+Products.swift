import CrestGraph
import CrestTensor

extension OperationCase {
  /// Products of matrices.
  static let products: [OperationCase] =
    [
      ("matrices", [3, 4], [4, 5]), ("row and matrix", [4], [4, 5]),
      ("matrix and column", [3, 4], [4]), ("vectors", [7], [7]),
      ("batches", [2, 3, 4], [2, 4, 5]), ("shared weight", [2, 3, 4], [4, 5]),
      ("broadcast batches", [2, 1, 3, 4], [3, 4, 2]), ("shared left", [3, 4], [2, 4, 5]),
      ("batch of 0", [0, 4], [4, 5]), ("nothing summed", [3, 0], [0, 5]),
      ("large enough for tiles", [33, 17], [17, 35]),
    ].map { variant, a, b in
      OperationCase(MatMul(), variant, [CaseInput(Shape(a)), CaseInput(Shape(b))])
    } + gemms + wholeNumberProducts

  private static let wholeNumberProducts: [OperationCase] = [ElementType.int64, .int32].flatMap {
    type in
    let (a, b) = (
      CaseInput([3, 4], .whole(-9...9, type)), CaseInput([4, 5], .whole(-9...9, type))
    )
    return [
      OperationCase(MatMul(), "\(type)", [a, b]),
      OperationCase(
        Gemm(alpha: 2, beta: -1), "\(type)", [a, b, CaseInput([5], .whole(-9...9, type))]),
    ]
  }

  private static let gemms: [OperationCase] = [
    OperationCase(Gemm(), "two inputs", [CaseInput([3, 4]), CaseInput([4, 5])]),
    OperationCase(
      Gemm(transposesB: true), "dense layer",
      [CaseInput([3, 4]), CaseInput([5, 4]), CaseInput([5])]),
    OperationCase(
      Gemm(alpha: 0.5, beta: -1.5, transposesA: true), "scaled, A transposed",
      [CaseInput([4, 3]), CaseInput([4, 5]), CaseInput([3, 1])]),
    OperationCase(
      Gemm(alpha: 2, transposesA: true, transposesB: true), "both transposed",
      [CaseInput([4, 3]), CaseInput([5, 4]), CaseInput([])]),
    OperationCase(
      Gemm(), "batch of 0", [CaseInput([0, 4]), CaseInput([4, 5]), CaseInput([5])]),
    OperationCase(
      Gemm(transposesB: true), "batch of 1",
      [CaseInput([1, 4]), CaseInput([5, 4]), CaseInput([1, 5])]),
  ]
}
