public import CrestGraph

/// Adds the output of layers to their input (He and others 2015).
///
///     y = body(x) + shortcut(x), with shortcut(x) = x unless given
///
/// ```swift
/// Residual {
///   Conv2D(64, kernel: 3, stride: 2, padding: .all(1), bias: false)
///   BatchNorm()
/// } shortcut: {
///   Conv2D(64, kernel: 1, stride: 2, bias: false)
///   BatchNorm()
/// }
/// ReLU()
/// ```
///
/// The shortcut's parameters are in a scope `shortcut` within this one.
public struct Residual: Layer, NestedLayer {
  /// The scope.
  public let name: String?
  /// The layers whose output is added.
  public let body: Sequential
  /// The layers that give x the shape of the result; empty if it already has it.
  public let shortcut: Sequential
  let nesting: Int

  /// A residual block of the layers in the braces.
  public init(
    name: String? = "residual", @Sequential.Builder _ body: () -> Sequential,
    @Sequential.Builder shortcut: () -> Sequential = { Sequential([]) }
  ) {
    self.name = name
    self.body = body()
    self.shortcut = Sequential(shortcut().layers, name: "shortcut")
    nesting = LayerNesting.around([self.body, self.shortcut])
  }

  /// The sum.
  ///
  /// - Throws: `GraphError` when both have different shapes; they are not broadcast.
  public func trace(_ x: Symbol) throws -> Symbol {
    let computed = try body(x)
    let kept = try shortcut.layers.isEmpty ? x : shortcut(x)
    guard computed.shape == kept.shape else {
      throw GraphError(
        path: x.builder.path, operation: "Residual",
        expected: "a shortcut of the body's shape \(computed.shape)", got: "\(kept.shape)",
        advice: "give a shortcut that changes size and channels as the body does")
    }
    return try computed + kept
  }
}
