public import CrestGraph

/// A recipe for a part of a model: what it computes from a traced value.
///
/// A layer is a value that holds settings, not arrays. Its parameters are declared during tracing,
/// when the sizes of its input are known, so you never specify an input size twice. Calling a layer
/// opens a scope in the graph under its ``name``; parameters are named by their scopes, as in
/// `block.conv2d.weight`, and a name used twice gets a suffix, as in `conv2d_1`.
///
/// To write your own layer, conform a type and trace with other layers and the methods of `Symbol`.
/// Shapes include the batch, along axis 0:
///
/// ```swift
/// /// y = x · tanh(softplus(x)) (Misra 2019).
/// struct Mish: Layer {
///   func trace(_ x: Symbol) throws -> Symbol { try x * x.softplus().tanh() }
/// }
///
/// /// y = scale · x, with one learnable scale for each feature.
/// struct Scale: Layer {
///   var name: String? = "scale"
///
///   func trace(_ x: Symbol) throws -> Symbol {
///     let features = x.shape[x.shape.rank - 1]
///     let scale = try x.parameter("weight", [features], role: .normalizationScale, .ones)
///     return try x * scale
///   }
/// }
/// ```
///
/// The gradient follows from the operations used.
public protocol Layer: Sendable {
  /// The name of the scope for its parameters; nil for the scope in which it is called.
  ///
  /// By default the type's name in lower case.
  var name: String? { get }

  /// Traces what the layer computes from `x`, declaring its parameters.
  ///
  /// - Throws: `GraphError` when `x` doesn't fit.
  func trace(_ x: Symbol) throws -> Symbol
}

extension Layer {
  /// The type's name in lower case, without generic arguments.
  public var name: String? {
    String("\(Self.self)".prefix { $0 != "<" }).lowercased()
  }

  /// Traces the layer in its own scope.
  ///
  /// - Throws: `GraphError` naming the layer when `x` doesn't fit, and where layers lie more than 256 deep in each other.
  public func callAsFunction(_ x: Symbol) throws -> Symbol {
    let builder = x.builder
    try builder.beginLayer()
    defer { builder.endLayer() }
    guard let name else { return try trace(x) }
    return try builder.scoped(name) { try trace(x) }
  }
}
