import CrestTensor

/// Each element of the output from the elements at the same place of the inputs, after NumPy
/// broadcasting (ONNX multidirectional).
package struct Elementwise: BoundedOperation {
  /// The function of scalars.
  package let function: ElementwiseFunction

  package init(_ function: ElementwiseFunction) { self.function = function }

  package var name: String { function.row.name }

  /// The shape all inputs broadcast to, in their common type.
  package func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    let arity = function.arity
    try OperationError.check(inputs, count: arity...arity)
    if function.row.types == .booleans {
      guard inputs.allSatisfy({ $0.elementType == .bool }) else {
        throw OperationError(
          expected: arity == 1 ? "a boolean input" : "boolean inputs",
          got: inputs.map(\.description).joined(separator: ", "),
          advice: "compare or cast them first")
      }
    }
    try OperationError.checkSameElementType(inputs)
    guard function.takes(inputs[0].elementType) else {
      throw OperationError(
        expected: function.takes(.int64) ? "a float or integer input" : "a float input",
        got: "\(inputs[0])", advice: "cast it first")
    }
    return [ValueType(try OperationError.checkBroadcast(inputs), inputs[0].elementType)]
  }

  package var keepsScale: Bool { function == .add }

  package func decomposed(_ inputs: [Symbol]) throws -> [Symbol]? {
    guard case .composed(let compose) = function.row.onnx else { return nil }
    return [try compose(inputs)]
  }

  /// The input that it leaves as it is; else of inputs before they are repeated, as kernels repeat by themselves.
  package func simplified(_ inputs: [Symbol]) throws -> [Symbol]? {
    let type = try outputTypes(for: inputs.map(\.type))
    if let same = unchanged(inputs, type[0]) { return [same] }
    let narrow = inputs.map { input in
      guard let before = input.producer, before.operation.arrangement == .repeated else {
        return input
      }
      return input.builder.symbol(before.inputs[0])
    }
    guard narrow.map(\.id) != inputs.map(\.id),
      try outputTypes(for: narrow.map(\.type)) == type
    else { return nil }
    return try inputs[0].builder.apply(self, narrow)
  }

  /// The input whose elements are the result: x + -0, x - 0, x · 1, x / 1 and x¹.
  private func unchanged(_ inputs: [Symbol], _ type: ValueType) -> Symbol? {
    let neutral: Double
    switch function {
    // Adding +0 turns -0 into +0, but adding -0 changes nothing.
    case .add: neutral = -0.0
    case .subtract: neutral = 0
    case .multiply, .divide, .power: neutral = 1
    default: return nil
    }
    func isNeutral(_ symbol: Symbol) -> Bool {
      symbol.builder.result.scalar(symbol.id)?.bitPattern == neutral.bitPattern
    }
    if isNeutral(inputs[1]), inputs[0].type == type { return inputs[0] }
    if function == .add || function == .multiply, isNeutral(inputs[0]), inputs[1].type == type {
      return inputs[1]
    }
    return nil
  }

  /// Each example independently, where the inputs have theirs along the same axis.
  package func rows(_ context: RowContext) throws(Graph.RowMixing) -> RowFlow {
    try elementwiseFlow(context)
  }

  /// Applies the function to every element; integers wrap around to their type.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    [
      inputs[0].type.elementType.isFloat
        ? inputs.elementwise(reals: function.real) : inputs.elementwise(integers: function.whole)
    ]
  }

  /// The row's, each summed over what was broadcast.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let row = function.row
    guard !row.isFlat else { return context.inputs.map { _ in nil } }
    return try zip(row.gradients, context.inputs.indices).map { gradient, input in
      guard context.isNeeded[input], let gradient else { return nil }
      return try gradient(context.outputGradient, context.inputs, context.outputs[0])
        .summed(to: context.inputs[input].shape)
    }
  }
}

extension Graph.Node {
  /// The function that it applies to every element; nil of another operation.
  package var function: ElementwiseFunction? { (operation as? Elementwise)?.function }
}

extension Elementwise: CustomStringConvertible {
  /// As fingerprints of graphs have it, which checkpoints hold.
  package var description: String { "\(name)()" }
}

extension ElementwiseFunction {
  /// Its value of floats, in `Double`.
  ///
  /// - Precondition: it is defined on them.
  package var real: @Sendable ([Double]) -> Double {
    guard let real = row.real else { programmerError("\(self) is not defined on floats") }
    return real
  }

  /// Its value of integers, or of booleans as 0 and 1.
  ///
  /// - Precondition: it is defined on them.
  package var whole: @Sendable ([Int64]) -> Int64 {
    guard let whole = row.whole else { programmerError("\(self) is not defined on integers") }
    return whole
  }
}
