public import CrestGraph
import CrestTensor

/// Rows of a learned table, chosen by index (Keras and PyTorch `Embedding`, ONNX `Gather`).
///
///     y[n, …, d] = weight[x[n, …], d]
///
/// x is `int64` or `int32` [N, …] in 0 ..< count, y [N, …, width]. Parameter: `weight` [count, width]. An index out of
/// range is an error of the step that meets it.
public struct Embedding: Layer {
  /// The scope.
  public let name: String?
  /// The number of rows: one more than the largest index.
  public let count: Int
  /// The size of a row.
  public let width: Int
  /// How the table starts.
  public let initializer: Initializer

  /// A table of `count` rows of `width` numbers, which start normal of deviation 1, as PyTorch's do; a transformer's
  /// usually have 0.02, Keras' lie within ±0.05.
  ///
  /// - Precondition: `count` and `width` are at least 1.
  public init(
    _ count: Int, _ width: Int, initializer: Initializer = .normal(standardDeviation: 1),
    name: String = "embedding"
  ) {
    programmerError(
      unless: count >= 1 && width >= 1, "\(name): \(count) rows of \(width); at least 1 of each")
    (self.count, self.width, self.initializer, self.name) = (count, width, initializer, name)
  }

  /// The chosen rows.
  ///
  /// - Throws: `GraphError` when x isn't of integers, or the table has too many elements to count.
  public func trace(_ x: Symbol) throws -> Symbol {
    guard x.elementType == .int64 || x.elementType == .int32 else {
      throw GraphError(
        path: x.builder.path, operation: "Embedding", expected: "indices of int64 or int32",
        got: "\(x.type)",
        advice: "give the model an input of int64: Model.Input(shape:elementType:)")
    }
    return try table(x).gathered(x)
  }

  /// The products of hidden values [N, …, width] with every row, [N, …, count].
  ///
  /// - Throws: `GraphError` when widths differ.
  func logits(_ hidden: Symbol) throws -> Symbol {
    let shape = hidden.shape
    guard shape.rank >= 2, shape[shape.rank - 1] == width else {
      throw GraphError(
        path: hidden.builder.path, operation: "Embedding",
        expected: "hidden values [N, …, \(width)], as wide as the table", got: "\(shape)")
    }
    let rows = try hidden.reshaped(to: [-1, width]).gemm(table(hidden), transposingB: true)
    return shape.rank == 2
      ? rows : try rows.reshaped(to: [-1] + shape.dimensions.dropFirst().dropLast() + [count])
  }

  /// The table, declared.
  private func table(_ x: Symbol) throws -> Symbol {
    try x.parameter("weight", sizes: [count, width], role: .weight, initializer)
  }
}
