import CrestGraph
import CrestTensor
import CrestTestSupport
import Testing

@Suite struct GradientTests {
  /// A randomly weighted sum of a case's outputs as a function of one element of one input.
  private struct WeightedSum {
    let traced: OperationCase.Traced
    let loss: Graph.ValueID
    let input: Int
    let element: Int

    func callAsFunction(movedBy step: Double) throws -> Double {
      var inputs = traced.inputs
      var reals = inputs[input].reals
      reals[element] += step
      inputs[input] = ReferenceArray(reals, inputs[input].type)
      let results = try Interpreter(traced.forwardGraph).run(
        inputs: inputs, variables: [], random: traced.random)
      return results[loss.index].reals[0]
    }

    /// The derivative by central differences of fourth order, whose error is of the order step⁴.
    var slope: Double {
      get throws {
        let step = 1e-3
        let near = try self(movedBy: step) - self(movedBy: -step)
        let far = try self(movedBy: 2 * step) - self(movedBy: -2 * step)
        return (8 * near - far) / (12 * step)
      }
    }
  }

  @Test(
    arguments: OperationCase.all.filter {
      $0.differentiation != .refused && $0.differentiation != .outputs([])
    })
  func `gradients agree with central differences`(testCase: OperationCase) throws {
    let seed: UInt64 = 20
    let traced = try testCase.tracedWithGradients(elementType: .float64, seed: seed)
    guard let loss = traced.loss else { return }
    let results = try Interpreter(traced.graph).run(
      inputs: traced.inputs, variables: [], random: traced.random)
    for (input, value) in traced.inputs.enumerated() where value.type.elementType.isFloat {
      let count = value.shape.elementCount
      let gradients =
        traced.gradients[input].map { results[$0.index].reals }
        ?? [Double](repeating: 0, count: count)
      // All elements of small inputs, and a few dozen from everywhere in large ones.
      let elements = Array(stride(from: 0, to: count, by: max(count / 40, 1)))
      let slopes = try elements.map { element in
        try WeightedSum(traced: traced, loss: loss, input: input, element: element).slope
      }
      let scale = max(slopes.filter(\.isFinite).map(\.magnitude).max() ?? 0, 1e-3)
      for (element, slope) in zip(elements, slopes) {
        // The mean of nothing has no slope, and its gradient is none either.
        let agrees =
          gradients[element].isNaN && slope.isNaN
          || (gradients[element] - slope).magnitude <= 1e-6 * scale
        #expect(
          agrees,
          "element \(element) of input \(input): \(gradients[element]) for \(slope), seed \(seed)")
      }
    }
  }

  @Test(arguments: OperationCase.all.filter { $0.differentiation == .refused })
  func `an operation without a gradient says so`(testCase: OperationCase) throws {
    let builder = GraphBuilder()
    let inputs = testCase.inputs.enumerated().map { number, input in
      let sample = input.sample(.float64, Philox(seed: 1, stream: UInt32(number)))
      return builder.input("input\(number)", sample.type)
    }
    let loss = try testCase.trace(builder, inputs)[0].sum()
    let error = #expect(throws: GraphError.self) {
      _ = try builder.gradients(of: loss, withRespectTo: [inputs[0]])
    }
    #expect(error?.operation == testCase.operation)
  }
}
