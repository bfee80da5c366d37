public import CrestGraph

/// All axes but the batch as one (ONNX `Flatten`, axis 1).
///
/// x is [N, …], y [N, product of the rest].
public struct Flatten: Layer {
  /// The scope.
  public let name: String?
  /// The layer.
  public init(name: String = "flatten") { self.name = name }
  /// The same elements in two axes.
  public func trace(_ x: Symbol) throws -> Symbol { try x.flattened(axis: 1) }
}
