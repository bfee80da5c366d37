import CrestGraph
import CrestRuntime
import CrestTensor
import CrestTestSupport
import Testing

/// Programs against the interpreter, over the table of operation cases.
@Suite struct KernelsAgainstReferenceTests {
  @Test(arguments: OperationCase.all, InstructionSet.available)
  func `kernels agree with the reference, forward and backward`(
    testCase: OperationCase, instructionSet: InstructionSet
  ) throws {
    let traced = try testCase.tracedWithGradients(elementType: .float32)
    let engine = try Engine(threadCount: 2, instructionSet: instructionSet)
    let program = try Program(
      traced.graph,
      ProgramRequest(
        inputTypes: traced.inputs.map(\.type), targetType: nil, mode: .inference),
      store: ParameterStore(traced.graph, seed: 0), engine: engine, loss: nil)
    try program.setInputs(traced.inputs.map(\.tensor))
    for stage in Stage.allCases { program.run(stage, random: traced.random) }

    let expected = Interpreter(traced.graph).run(
      inputs: traced.inputs.map { ReferenceArray($0.tensor) }, variables: [],
      random: traced.random)
    for (port, result) in zip(traced.graph.outputs, program.outputs()) {
      let reference = expected[port.value.index]
      #expect(result.shape == reference.shape)
      let comparison = testCase.compare(result, with: reference)
      #expect(comparison == nil, "\(port.name): \(comparison ?? "") (seed \(traced.random.seed))")
    }
  }
}
