package import CrestGraph
package import CrestTensor

/// An operation with attributes and inputs to try it on: what the reference, the gradients and the
/// kernels of every instruction set are tested with.
package struct OperationCase: Sendable, CustomStringConvertible {
  /// Which gradients the case asks for.
  package enum Differentiation: Sendable, Equatable {
    /// Those of all float outputs.
    case all
    /// Those of these outputs; the others have none.
    case outputs([Int])
    /// The operation refuses to be differentiated.
    case refused
  }

  /// The name of the operation that is tried.
  package let operation: String
  /// What is special about the case; empty for the plain one.
  package let variant: String
  /// What it is tried on.
  package let inputs: [CaseInput]
  /// By how much a `float32` kernel may differ, relative to the largest magnitude of an output.
  package let tolerance: Double
  /// Which gradients it is asked for.
  package let differentiation: Differentiation
  /// The mode in which a replayed graph means what the reference of the traced one says.
  package let mode: Graph.ExecutionMode
  /// Traces the operation.
  package let trace: @Sendable (GraphBuilder, [Symbol]) throws -> [Symbol]

  private init(
    named operation: String, _ variant: String, _ inputs: [CaseInput], tolerance: Double,
    differentiation: Differentiation, mode: Graph.ExecutionMode,
    trace: @escaping @Sendable (GraphBuilder, [Symbol]) throws -> [Symbol]
  ) {
    self.operation = operation
    self.variant = variant
    self.inputs = inputs
    self.tolerance = tolerance
    self.differentiation = differentiation
    self.mode = mode
    self.trace = trace
  }

  /// A case of an operation that a function traces.
  init(
    _ operation: any GraphOperation.Type, _ variant: String = "", _ inputs: [CaseInput],
    tolerance: Double = 1e-5, differentiation: Differentiation = .all,
    mode: Graph.ExecutionMode = .inference,
    trace: @escaping @Sendable (GraphBuilder, [Symbol]) throws -> [Symbol]
  ) {
    self.init(
      named: String(describing: operation), variant, inputs, tolerance: tolerance,
      differentiation: differentiation, mode: mode, trace: trace)
  }

  /// A case of an operation value.
  init(
    _ operation: some GraphOperation, _ variant: String = "", _ inputs: [CaseInput],
    tolerance: Double = 1e-5, differentiation: Differentiation = .all,
    mode: Graph.ExecutionMode = .inference
  ) {
    self.init(
      named: operation.name, variant, inputs, tolerance: tolerance,
      differentiation: differentiation, mode: mode
    ) { builder, inputs in try builder.apply(operation, inputs) }
  }

  /// As in `Conv (2-D, two groups)`.
  package var description: String { variant.isEmpty ? operation : "\(operation) (\(variant))" }

  /// All cases.
  package static let all: [OperationCase] =
    elementwise + whole + reductions + movement + choices + products + convolutions
    + transposedConvolutions + pools + normalizations + losses

  /// The relative tolerance of an operation that rounds once.
  static let roundedOnce = 0x1p-23
}

extension OperationCase {
  /// A case traced into a graph, with values for its inputs.
  package struct Traced {
    /// The graph; its outputs are `output0`, `output1`, … and `gradient0`, … by input.
    package let graph: Graph
    /// Values of the inputs: the case's, then the weights of the outputs.
    package let inputs: [ReferenceArray]
    /// The graph before gradients were traced: cheaper to run when only the loss matters.
    package let forwardGraph: Graph
    /// The sum of all outputs, each times a random weight; nil when it has no gradient.
    package let loss: Graph.ValueID?
    /// The gradient of ``loss`` by each input; nil where there is none.
    package let gradients: [Graph.ValueID?]
    /// The key of dropout.
    package let random: RandomKey
  }

  /// Traces the case and the gradients of a randomly weighted sum of its outputs.
  package func tracedWithGradients(
    elementType: ElementType, seed: UInt64 = 1
  ) throws -> Traced {
    let builder = GraphBuilder()
    var values = inputs.enumerated().map { number, input in
      input.sample(elementType, Philox(seed: seed, stream: UInt32(number)))
    }
    var symbols = values.enumerated().map { number, value in
      builder.input("input\(number)", value.type)
    }
    let outputs = try trace(builder, symbols)
    for (number, output) in outputs.enumerated() { builder.output("output\(number)", output) }
    let random = RandomKey(seed: seed, step: 3)
    let chosen: [Int] =
      switch differentiation {
      case .refused: []
      case .outputs(let numbers): numbers
      case .all: outputs.indices.filter { outputs[$0].elementType.isFloat }
      }
    builder.stage = .loss
    var loss: Symbol?
    for number in chosen {
      let weight = CaseInput(outputs[number].shape, .uniform(-1...1)).sample(
        outputs[number].elementType, Philox(seed: seed, stream: UInt32(100 + number)))
      // An input, not a constant: of a linear operation's gradient nothing else would be left to run.
      let symbol = builder.input("weight\(number)", weight.type)
      values.append(weight)
      symbols.append(symbol)
      let part = try (outputs[number] * symbol).sum()
      loss = try loss.map { try $0 + part } ?? part
    }
    guard let loss else {
      return Traced(
        graph: builder.result, inputs: values, forwardGraph: builder.result, loss: nil,
        gradients: values.map { _ in nil },
        random: random)
    }
    let forwardGraph = builder.result
    let differentiated = symbols.indices.filter { symbols[$0].elementType.isFloat }
    let gradients = try builder.gradients(
      of: loss, withRespectTo: differentiated.map { symbols[$0] })
    var byInput = [Graph.ValueID?](repeating: nil, count: values.count)
    for (number, gradient) in zip(differentiated, gradients) {
      guard let gradient else { continue }
      byInput[number] = gradient.id
      builder.output("gradient\(number)", gradient)
    }
    return Traced(
      graph: builder.result, inputs: values, forwardGraph: forwardGraph, loss: loss.id,
      gradients: byInput, random: random)
  }

  /// What is wrong with a kernel's result; nil when it agrees with the reference.
  ///
  /// Integers, NaN and infinities must be equal; other floats may differ by the tolerance times the
  /// largest finite magnitude of the reference, or of what it was computed from, `floor`, when terms
  /// may have cancelled.
  package func compare(
    _ result: Tensor, with reference: ReferenceArray, floor: Double = 0
  ) -> String? {
    guard result.shape == reference.shape, result.elementType == reference.type.elementType else {
      return "\(result) for a reference \(reference.type)"
    }
    guard case .reals(let expected) = reference.elements else {
      let same = result.integers == reference.integers
      return same ? nil : "\(result.integers ?? []) for \(reference.integers)"
    }
    let scale = max(floor, expected.filter(\.isFinite).map(\.magnitude).max() ?? 0)
    for (element, (got, wanted)) in zip(result.doubles, expected).enumerated() {
      let agrees =
        got.isNaN && wanted.isNaN || got == wanted
        || (got - wanted).magnitude <= tolerance * scale
      guard agrees else {
        return "element \(element) of \(result.shape) is \(got), not \(wanted) "
          + "within \(tolerance) of the largest magnitude \(scale)"
      }
    }
    return nil
  }
}
