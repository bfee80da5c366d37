import CrestGraph
import CrestRuntime
import CrestTensor
import CrestTestSupport
import Testing

/// Programs against the interpreter, over the table of operation cases.
@Suite struct KernelsAgainstReferenceTests {
  @Test(arguments: Engine.InstructionSet.available)
  func `kernels agree with the reference, forward and backward`(
    instructionSet: Engine.InstructionSet
  ) throws {
    let engine = try Engine(threadCount: 2, instructionSet: instructionSet)
    for testCase in OperationCase.all {
      for seed in [1, 2] as [UInt64] {
        let traced = try testCase.tracedWithGradients(elementType: .float32, seed: seed)
        let program = try Program(testCase, traced, engine)
        try program.setInputs(traced.inputs.map(\.tensor))
        for stage in Graph.Stage.allCases { try program.run(stage, random: traced.random) }

        // The kernels start from what float32 holds, so the reference does too.
        let expected = try Interpreter(traced.graph).run(
          inputs: traced.inputs.map { ReferenceArray($0.tensor) }, variables: [],
          random: traced.random)
        let floor =
          traced.inputs.flatMap { $0.tensor.doubles }.filter(\.isFinite).map(\.magnitude).max() ?? 0
        for (port, result) in zip(traced.graph.outputs, program.outputs()) {
          let difference = testCase.compare(
            result, with: expected[port.value.index], floor: floor)
          #expect(
            difference == nil, "\(testCase), \(port.name), seed \(seed): \(difference ?? "")")
        }
      }
    }
  }

  /// Which operations kernels serve, forward and backward: committed, so that a change is seen.
  @Test func `the committed list of operations with kernels is up to date`() throws {
    let engine = try Engine(threadCount: 1)
    var rows: [String: (forward: [String], backward: [String], cases: Int, differentiable: Bool)] =
      [:]
    for testCase in OperationCase.all {
      let traced = try testCase.tracedWithGradients(elementType: .float32)
      let nodes = try Program(testCase, traced, engine).referenceNodes
      var row = rows[testCase.operation] ?? ([], [], 0, false)
      let variant = testCase.variant.isEmpty ? "plain" : testCase.variant
      if nodes.contains(where: { $0.stage == .forward }) { row.forward.append(variant) }
      if nodes.contains(where: { $0.stage == .backward }) { row.backward.append(variant) }
      let own = traced.gradients.prefix(testCase.inputs.count)
      row.differentiable = row.differentiable || own.contains { $0 != nil }
      row.cases += 1
      rows[testCase.operation] = row
    }
    func served(_ byReference: [String], of count: Int) -> String {
      if byReference.isEmpty { return "kernel" }
      if byReference.count == count { return "reference" }
      return "kernel; reference for: " + byReference.joined(separator: "; ")
    }
    let lines = rows.keys.sorted().map { name -> String in
      let row = rows[name] ?? ([], [], 0, false)
      let backward = row.differentiable ? served(row.backward, of: row.cases) : "no gradient"
      return "| \(name) | \(served(row.forward, of: row.cases)) | \(backward) |"
    }
    // Whatever runs on the reference stands in the table of what may, with a reason, and nothing else stands there.
    let found = rows.flatMap { name, row in
      Set(row.forward + row.backward).map { "\(name) (\($0))" }
    }
    let allowed = ReferenceOnly.rows.flatMap { row in
      OperationCase.all.filter {
        $0.operation == row.operation && row.types?.contains($0.variant) != false
      }.map { "\(row.operation) (\($0.variant.isEmpty ? "plain" : $0.variant))" }
    }
    #expect(Set(found) == Set(allowed))
    let reasons = ReferenceOnly.rows.map { row in
      "| \(row.operation) | \(row.types?.joined(separator: ", ") ?? "all") | \(row.reason) |"
    }
    try Snapshot("docs/operations.md", heading: heading).expect(lines + [reasonHeading] + reasons)
  }

  private let heading = """
    # Operations

    Which operations run on kernels in float32, forward and backward. "Reference" means the slow \
    interpretation in double precision, which programs report. This table is made by the tests \
    (`CREST_APPROVE=1 swift test -c release --filter KernelsAgainstReferenceTests` rewrites it).

    | operation | forward | backward |
    |---|---|---|
    """

  private let reasonHeading = """

    ## On the reference

    Operations of `float64`, `float16` and `bfloat16` run on the reference, but for those that move, choose or cast \
    elements: training computes in `float32`. So do `TopK`, `ScatterElements` and `ScatterND` of \
    integers, arrays of more than eight axes where a kernel takes no more, convolutions over three \
    axes or more whose window is deeper than 64, and these, for the reason given:

    | operation | of | because |
    |---|---|---|
    """
}

extension Program {
  /// A program of a traced case.
  fileprivate convenience init(
    _ testCase: OperationCase, _ traced: OperationCase.Traced, _ engine: Engine
  ) throws {
    try self.init(
      traced.graph,
      Request(
        inputTypes: traced.inputs.map(\.type), targetType: nil, mode: testCase.mode),
      store: ParameterStore(traced.graph, seed: 0), engine: engine, loss: nil)
  }
}
