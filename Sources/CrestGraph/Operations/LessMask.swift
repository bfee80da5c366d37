/// 1 where a < b, else 0, in the type of both (ours; NumPy broadcasting; 0 when either is NaN).
public struct LessMask: ElementwiseOperation {
  /// `LessMask`.
  public static let name = "LessMask"
  /// 1 where a < b, else 0.
  public var function: ElementwiseFunction { .less }

  /// The operation.
  public init() {}

  /// Zero: a mask is constant wherever it has a derivative.
  public func gradients(_ context: GradientContext) throws -> [Symbol?] { [nil, nil] }
}

extension Symbol {
  /// Returns 1 where this < `other`, else 0, with broadcasting.
  ///
  /// - Throws: ``GraphError`` when the shapes don't broadcast.
  public func lessMask(_ other: Symbol) throws -> Symbol { try applying(LessMask(), other) }
}
