package import CrestTensor

/// Each element of the output from the elements at the same place of the inputs, after NumPy
/// broadcasting (ONNX multidirectional).
package struct Elementwise: GraphOperation {
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

  package func demands(_ inputs: [ValueType], _ outputs: [ValueType]) -> Demands {
    .elements
  }

  /// Each example by itself, where the inputs have theirs along the same axis.
  package func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    try elementwiseFlow(context)
  }

  /// Applies the function to every element; integers wrap around to their type.
  package func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let shape = inputs.broadcastShape
    let type = inputs[0].type.elementType
    let spread = inputs.map { $0.broadcast(to: shape) }
    if type.isFloat {
      let arguments = spread.map(\.reals)
      let results = function.values(count: shape.elementCount) { place in
        arguments.map { $0[place] }
      }
      return [ReferenceArray(results, ValueType(shape, type))]
    }
    let arguments = spread.map(\.integers)
    let results = function.integers(count: shape.elementCount) { place in
      arguments.map { $0[place] }
    }
    return [ReferenceArray(Tensor(wrapping: results, to: type, shape: shape))]
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
  package func evaluate(_ x: [Double]) -> Double { values(count: 1) { _ in x }[0] }

  /// Its value of integers, or of booleans as 0 and 1.
  package func evaluate(integers x: [Int64]) -> Int64 { integers(count: 1) { _ in x }[0] }

  fileprivate func values(count: Int, of arguments: (Int) -> [Double]) -> [Double] {
    guard let real = row.real else { programmerError("\(self) is not defined on floats") }
    return (0..<count).map { real(arguments($0)) }
  }

  fileprivate func integers(count: Int, of arguments: (Int) -> [Int64]) -> [Int64] {
    guard let whole = row.whole else { programmerError("\(self) is not defined on integers") }
    return (0..<count).map { whole(arguments($0)) }
  }
}
