public import CrestTensor

/// A function of scalars that an elementwise operation applies to every element.
///
/// The compiler fuses operations that have one into passes over cache-sized blocks, so a new
/// elementwise operation is a case here, a file with its gradient, and a kernel instruction.
public enum ElementwiseFunction: String, Sendable, Hashable, CaseIterable {
  /// a + b.
  case add
  /// a - b.
  case subtract
  /// a · b.
  case multiply
  /// a / b.
  case divide
  /// aᵇ, as C's `pow`.
  case power
  /// The larger; NaN when either is.
  case maximum
  /// The smaller; NaN when either is.
  case minimum
  /// -a.
  case negate
  /// eᵃ.
  case exponential
  /// The natural logarithm.
  case logarithm
  /// √a.
  case squareRoot
  /// 1 / a.
  case reciprocal
  /// |a|.
  case absolute
  /// -1, 0 or 1 by a's sign; NaN for NaN.
  case sign
  /// max(a, 0); NaN for NaN.
  case relu
  /// 1 / (1 + e⁻ᵃ).
  case sigmoid
  /// The hyperbolic tangent.
  case tanh
  /// log(1 + eᵃ), without overflow.
  case softplus
  /// a where b > 0, else 0: the gradient of `relu`.
  case reluMask
  /// 1 where a = b, else 0, in the type of both.
  case equal
  /// 1 where a < b, else 0, in the type of both.
  case less
  /// 1 where a > b, else 0, in the type of both.
  case greater
  /// a where c ≠ 0, else b.
  case select

  /// The number of scalars it takes.
  public var arity: Int {
    switch self {
    case .negate, .exponential, .logarithm, .squareRoot, .reciprocal, .absolute, .sign, .relu,
      .sigmoid, .tanh, .softplus:
      1
    case .add, .subtract, .multiply, .divide, .power, .maximum, .minimum, .reluMask, .equal, .less,
      .greater:
      2
    case .select: 3
    }
  }

  /// Whether it is defined on elements of a type: all on floats, some on integers and booleans too.
  public func takes(_ type: ElementType) -> Bool {
    switch self {
    case .exponential, .logarithm, .squareRoot, .reciprocal, .sigmoid, .tanh, .softplus,
      .reluMask:
      type.isFloat
    case .add, .subtract, .multiply, .divide, .power, .maximum, .minimum, .negate, .absolute,
      .sign, .relu, .less, .greater:
      type != .bool
    case .equal, .select: true
    }
  }
}

/// An operation that computes each element of its output from the elements at the same place of
/// its inputs, after NumPy broadcasting (ONNX multidirectional).
public protocol ElementwiseOperation: Operation {
  /// The function of scalars.
  var function: ElementwiseFunction { get }
}

extension ElementwiseOperation {
  /// The shape all inputs broadcast to, in their common type.
  public func outputTypes(for inputs: [ValueType]) throws(OperationError) -> [ValueType] {
    try OperationError.check(inputs, count: function.arity...function.arity)
    try OperationError.checkSameElementType(inputs)
    guard function.takes(inputs[0].elementType) else {
      throw OperationError(
        expected: function.takes(.int64) ? "a float or integer input" : "a float input",
        got: "\(inputs[0])", advice: "cast it first")
    }
    return [
      ValueType(try OperationError.checkBroadcast(inputs), inputs[0].elementType)
    ]
  }

  /// Each example by itself, where the inputs have theirs along the same axis.
  public func rows(_ context: RowContext) throws(RowMixing) -> RowFlow {
    try elementwiseFlow(context)
  }

  /// Applies the function to every element; integers wrap around to their type.
  public func evaluate(_ inputs: [ReferenceArray], random: RandomKey) -> [ReferenceArray] {
    let shape = inputs.broadcastShape
    let type = ValueType(shape, inputs[0].type.elementType)
    let places = 0..<shape.elementCount
    let spread = inputs.map { $0.broadcast(to: shape) }
    guard type.elementType.isFloat else {
      let arguments = spread.map(\.integers)
      let results = places.map { place in
        function.evaluate(integers: arguments.map { $0[place] })
      }
      return [
        ReferenceArray(Tensor(wrapping: results, to: type.elementType, shape: shape))
      ]
    }
    let arguments = spread.map(\.reals)
    let results = places.map { place in function.evaluate(arguments.map { $0[place] }) }
    return [ReferenceArray(results, type)]
  }
}

extension OperationError {
  /// Refuses shapes that don't broadcast to one; returns that one.
  static func checkBroadcast(_ inputs: [ValueType]) throws(OperationError) -> Shape {
    var shape = inputs[0].shape
    for input in inputs.dropFirst() {
      guard let wider = shape.broadcast(with: input.shape) else {
        throw OperationError(
          expected: "shapes that broadcast to one",
          got: inputs.map(\.shape.description).joined(separator: " and "))
      }
      shape = wider
    }
    return shape
  }
}

extension [ReferenceArray] {
  /// The shape that arrays which the shape rule let pass broadcast to.
  var broadcastShape: Shape {
    dropFirst().reduce(self[0].shape) { shape, input in
      shape.broadcast(with: input.shape) ?? shape
    }
  }
}

extension ReferenceArray {
  /// The array repeated to `shape` by NumPy's rule.
  func broadcast(to shape: Shape) -> ReferenceArray {
    guard self.shape != shape else { return self }
    let strides = self.shape.strides(broadcastTo: shape)
    return gathered(ValueType(shape, type.elementType)) { element in
      offset(shape.index(ofElement: element), strides)
    }
  }
}

extension GradientContext {
  /// The gradients of the leading inputs from dy, each traced when asked and summed over what was
  /// broadcast.
  func broadcastGradients(_ parts: ((Symbol) throws -> Symbol)...) throws -> [Symbol?] {
    try parts.enumerated().map { input, part in
      try isNeeded[input] ? part(outputGradient).summed(to: inputs[input].shape) : nil
    }
  }
}

extension Symbol {
  /// This gradient of a broadcast value summed back to the shape the value had before.
  func summed(to shape: Shape) throws -> Symbol {
    guard self.shape != shape else { return self }
    let padding = self.shape.rank - shape.rank
    let axes = (0..<self.shape.rank).filter { axis in
      axis < padding || shape[axis - padding] == 1 && self.shape[axis] != 1
    }
    return try sum(axes: axes, keepingDimensions: true).reshaped(exactlyTo: shape)
  }
}
