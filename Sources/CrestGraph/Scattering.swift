/// How an update joins the element that is there (ONNX `reduction` of `ScatterND` and
/// `ScatterElements`, opset 18).
public enum ScatterReduction: String, Sendable, Hashable, CaseIterable {
  /// It takes its place; of several, the last one does.
  case none
  /// It is added.
  case add
  /// It multiplies it.
  case mul
  /// The larger stays.
  case max
  /// The smaller stays.
  case min

  private var function: ElementwiseFunction? {
    switch self {
    case .none: nil
    case .add: .add
    case .mul: .multiply
    case .max: .maximum
    case .min: .minimum
    }
  }

  /// `data` with each of `updates` joined at its place; integers wrap to their type.
  func joining(
    _ data: ReferenceArray, _ updates: ReferenceArray, at places: [Int]
  ) -> ReferenceArray {
    func joined<Number>(
      _ elements: [Number], _ updates: [Number], _ join: (([Number]) -> Number)?
    ) -> [Number] {
      var elements = elements
      for (place, update) in zip(places, updates) {
        elements[place] = join.map { $0([elements[place], update]) } ?? update
      }
      return elements
    }
    guard case .integers(let integers) = data.elements else {
      return ReferenceArray(
        joined(data.reals, updates.reals, function?.real), data.type)
    }
    let results = joined(integers, updates.integers, function?.whole)
    return ReferenceArray(ReferenceArray(integers: results, data.type).tensor)
  }
}

/// An operation of (data, indices, updates) that gives the data with updates joined where the indices
/// say.
protocol Scatter: GraphOperation {
  /// How updates join.
  var reduction: ScatterReduction { get }

  /// Where each update goes in data of a shape.
  func places(in data: ValueType, _ indices: ReferenceArray) throws(GraphError.IndexOutOfRange)
    -> [Int]

  /// What lies in `data` where updates go, in the updates' shape.
  func taken(from data: Symbol, at indices: Symbol) throws -> Symbol
}

extension Scatter {
  /// The data with the updates joined.
  package func evaluate(
    _ inputs: [ReferenceArray], random: RandomKey
  ) throws(GraphError.IndexOutOfRange) -> [ReferenceArray] {
    [reduction.joining(inputs[0], inputs[2], at: try places(in: inputs[0].type, inputs[1]))]
  }

  /// To the data dy without what was replaced, to the updates dy where they went.
  ///
  /// Of several updates of one place each gets all of it, as in PyTorch. Products and extremes have no
  /// gradient.
  package func gradients(_ context: GradientContext) throws -> [Symbol?] {
    let (data, indices, updates) = (context.inputs[0], context.inputs[1], context.inputs[2])
    guard reduction == .none || reduction == .add else {
      throw GraphError(
        path: context.path, operation: name, expected: "the reduction none or add",
        got: "\(reduction), which has no gradient",
        advice: "don't let the loss depend on parameters through it")
    }
    let dy = context.outputGradient
    let kept: Symbol? =
      if !context.isNeeded[0] {
        nil
      } else if reduction == .add {
        dy
      } else {
        try data.builder.apply(
          self, [dy, indices, updates.scalar(0).expanded(to: updates.shape)])[0]
      }
    return [kept, nil, try context.isNeeded[2] ? taken(from: dy, at: indices) : nil]
  }

  /// Refuses data and updates of different types, and booleans that would be added.
  func check(_ data: ValueType, updates: ValueType) throws(OperationError) {
    try OperationError.checkSameElementType([data, updates])
    if reduction != .none { try OperationError.checkNumber(data) }
  }
}
