public import CrestGraph
import CrestTensor

/// The same elements in another shape (Keras `Reshape`, PyTorch `Unflatten`, ONNX `Reshape`).
///
/// x is [N, …], y [N, sizes…]; one size may be -1, which then follows from the others.
public struct Reshape: Layer {
  /// The scope.
  public let name: String?
  /// The sizes of one example.
  public let sizes: [Int]

  /// A layer that gives each example these sizes.
  ///
  /// - Precondition: sizes are at least 1, but for one of -1.
  public init(_ sizes: [Int], name: String = "reshape") {
    programmerError(
      unless: sizes.allSatisfy { $0 >= 1 || $0 == -1 } && sizes.count { $0 == -1 } <= 1,
      "\(name): sizes \(sizes); each must be at least 1, but for one of -1")
    (self.sizes, self.name) = (sizes, name)
  }

  /// The elements in the same order.
  ///
  /// - Throws: `GraphError` when the sizes don't hold an example's elements.
  public func trace(_ x: Symbol) throws -> Symbol {
    guard let rest = sizes.firstIndex(of: -1) else { return try x.reshaped(to: [-1] + sizes) }
    let count = x.shape.dimensions.dropFirst().reduce(1, *)
    let known = sizes.filter { $0 != -1 }.reduce(1, *)
    guard known > 0, count % known == 0 else {
      throw GraphError(
        path: x.builder.path, operation: "Reshape", expected: "\(count) elements in \(sizes)",
        got: "a multiple of \(known)")
    }
    var whole = sizes
    whole[rest] = count / known
    return try x.reshaped(to: [-1] + whole)
  }
}

/// The axes of each example in another order (Keras `Permute`, PyTorch `permute`, ONNX `Transpose`).
///
/// `Permute(2, 1)` makes [N, T, C] of [N, C, T]: axes count from 1, axis 0 being the batch.
public struct Permute: Layer {
  /// The scope.
  public let name: String?
  /// Which axis of x each axis of y is, without the batch.
  public let axes: [Int]

  /// A layer that puts the axes in this order.
  ///
  /// - Precondition: they are 1 … n in some order.
  public init(_ axes: Int..., name: String = "permute") {
    programmerError(
      unless: axes.sorted() == Array(1..<axes.count + 1),
      "\(name): axes \(axes); they must be 1 to \(axes.count) in some order, 0 being the batch")
    (self.axes, self.name) = (axes, name)
  }

  /// The elements in the other order.
  ///
  /// - Throws: `GraphError` when x has another number of axes.
  public func trace(_ x: Symbol) throws -> Symbol { try x.transposed([0] + axes) }
}

/// What a closure traces from its input (Keras `Lambda`).
///
/// ```swift
/// Lambda("square") { try $0 * $0 }
/// ```
public struct Lambda: Layer {
  /// The scope.
  public let name: String?
  private let body: @Sendable (Symbol) throws -> Symbol

  /// A layer that traces `body`, which may call other layers.
  public init(_ name: String = "lambda", _ body: @escaping @Sendable (Symbol) throws -> Symbol) {
    (self.name, self.body) = (name, body)
  }

  /// What the closure makes of x.
  ///
  /// - Throws: What the closure throws.
  public func trace(_ x: Symbol) throws -> Symbol { try body(x) }
}

/// The outputs of several layers for one input, joined along an axis (Keras `Concatenate`, ONNX `Concat`).
///
///     y = [layer₁(x), …, layerₙ(x)]
///
/// Shapes differ along the axis only. `Identity()` stands for x itself.
public struct Concatenate: Layer, NestedLayer {
  /// The scope.
  public let name: String?
  /// The layers, each applied to x.
  public let branches: [any Layer]
  /// The axis; negative ones count from the end.
  public let axis: Int
  let nesting: Int

  /// The layers in the braces, joined along `axis`, by default that of the channels.
  ///
  /// - Precondition: there is at least one.
  public init(
    axis: Int = 1, name: String? = "concatenate", @Sequential.Builder _ branches: () -> Sequential
  ) {
    (self.axis, self.name, self.branches) = (axis, name, branches().layers)
    nesting = LayerNesting.around(self.branches)
    programmerError(unless: !self.branches.isEmpty, "\(name ?? "concatenate"): no layers to join")
  }

  /// The outputs.
  ///
  /// - Throws: `GraphError` when their shapes differ elsewhere.
  public func trace(_ x: Symbol) throws -> Symbol {
    let outputs = try branches.map { try $0(x) }
    return try outputs[0].concatenated(with: Array(outputs.dropFirst()), axis: axis)
  }
}

/// The sum of the outputs of several layers for one input (Keras `Add`, ONNX `Sum`).
///
///     y = layer₁(x) + … + layerₙ(x)
public struct Add: Layer, NestedLayer {
  /// The scope.
  public let name: String?
  /// The layers, each applied to x.
  public let branches: [any Layer]
  let nesting: Int

  /// The layers in the braces.
  ///
  /// - Precondition: there is at least one.
  public init(name: String? = "add", @Sequential.Builder _ branches: () -> Sequential) {
    (self.name, self.branches) = (name, branches().layers)
    nesting = LayerNesting.around(self.branches)
    programmerError(unless: !self.branches.isEmpty, "\(name ?? "add"): no layers to add")
  }

  /// The sum.
  ///
  /// - Throws: `GraphError` when shapes differ; they are not broadcast.
  public func trace(_ x: Symbol) throws -> Symbol {
    try branches.combined(x, "Add") { try $0 + $1 }
  }
}

/// The product of the outputs of several layers for one input (Keras `Multiply`).
///
///     y = layer₁(x) · … · layerₙ(x)
public struct Multiply: Layer, NestedLayer {
  /// The scope.
  public let name: String?
  /// The layers, each applied to x.
  public let branches: [any Layer]
  let nesting: Int

  /// The layers in the braces.
  ///
  /// - Precondition: there is at least one.
  public init(name: String? = "multiply", @Sequential.Builder _ branches: () -> Sequential) {
    (self.name, self.branches) = (name, branches().layers)
    nesting = LayerNesting.around(self.branches)
    programmerError(unless: !self.branches.isEmpty, "\(name ?? "multiply"): no layers to multiply")
  }

  /// The product.
  ///
  /// - Throws: `GraphError` when shapes differ; they are not broadcast.
  public func trace(_ x: Symbol) throws -> Symbol {
    try branches.combined(x, "Multiply") { try $0 * $1 }
  }
}

/// The input itself: the branch of ``Concatenate``, ``Add`` or ``Multiply`` that computes nothing (PyTorch `Identity`).
public struct Identity: Layer {
  /// The scope.
  public let name: String?
  /// The layer.
  public init(name: String = "identity") { self.name = name }
  /// x.
  public func trace(_ x: Symbol) throws -> Symbol { x }
}

extension [any Layer] {
  /// The outputs for x, of one shape, combined.
  fileprivate func combined(
    _ x: Symbol, _ operation: String, _ combine: (Symbol, Symbol) throws -> Symbol
  ) throws -> Symbol {
    let outputs = try map { try $0(x) }
    for output in outputs where output.shape != outputs[0].shape {
      throw GraphError(
        path: x.builder.path, operation: operation,
        expected: "outputs of one shape, \(outputs[0].shape) as of the first layer",
        got: "\(output.shape)")
    }
    return try outputs.dropFirst().reduce(outputs[0], combine)
  }
}
