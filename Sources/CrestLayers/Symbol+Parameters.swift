public import CrestGraph
public import CrestTensor

extension Symbol {
  /// Declares a parameter of the layer being traced, in this value's graph.
  ///
  /// - Parameters:
  ///   - name: Its name within the layer's scope, as in `weight`.
  ///   - shape: Its shape.
  ///   - role: Its purpose.
  ///   - initializer: How its initial value is drawn.
  /// - Returns: The parameter's value in a step.
  /// - Throws: `GraphError` if the layer already has one of that name, or given values have another
  ///   shape or element type.
  public func parameter(
    _ name: String, _ shape: Shape, role: Graph.ParameterRole, _ initializer: Initializer
  ) throws -> Symbol {
    try check(initializer, name, shape)
    let full = builder.path.isEmpty ? name : "\(builder.path).\(name)"
    let plan = InitializationPlan.current
    return try builder.parameter(name, shape, role: role) { random in
      initializer.draw(shape, random, meetsRectifier: plan?.meetsRectifier(full) ?? false)
    }
  }

  /// Declares a parameter whose sizes follow from those of a layer and its input.
  ///
  /// - Throws: `GraphError` when its elements can't be counted, and as ``parameter(_:_:role:_:)`` does.
  func parameter(
    _ name: String, sizes: [Int], role: Graph.ParameterRole, _ initializer: Initializer
  ) throws -> Symbol {
    guard let shape = Shape(checking: sizes) else {
      throw GraphError(
        path: builder.path, operation: name,
        expected: "a shape whose element count fits in 64 bits",
        got: "\(sizes)", advice: "use fewer units or channels, or a smaller input")
    }
    return try parameter(name, shape, role: role, initializer)
  }

  /// Declares a running statistic of the layer being traced, in this value's graph.
  ///
  /// - Throws: `GraphError` as ``parameter(_:_:role:_:)`` does.
  public func statistic(_ name: String, _ shape: Shape, _ initializer: Initializer) throws -> Symbol
  {
    try check(initializer, name, shape)
    return try builder.statistic(name, shape) { initializer.draw(shape, $0) }
  }

  private func check(_ initializer: Initializer, _ name: String, _ shape: Shape) throws {
    guard let tensor = initializer.rule.givenValues else { return }
    guard tensor.shape == shape, tensor.elementType == .float32 else {
      throw GraphError(
        path: builder.path, operation: "initial value of \(name)", expected: "float32 \(shape)",
        got: tensor.typeDescription)
    }
  }

  /// Refuses a value that isn't a batch of images.
  func requireImages(_ operation: String) throws {
    guard shape.rank == 4 else {
      throw GraphError(
        path: builder.path, operation: operation, expected: "images [N, C, H, W]",
        got: "\(shape)", advice: "give the model's input as [channels, height, width]")
    }
  }
}

extension Initializer.Rule {
  /// The values that it was given.
  fileprivate var givenValues: Tensor? {
    switch self {
    case .values(let tensor): tensor
    case .dirac(let base): base.givenValues
    case .automatic, .drawn: nil
    }
  }
}
