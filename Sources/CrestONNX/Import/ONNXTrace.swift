import CrestGraph
import CrestTensor

/// Traces the nodes of a checked model.
struct ONNXTrace: Sendable {
  let model: CheckedModel
  let plan: ParameterPlan
  let reader: TensorReader
  /// The new last layer; nil for the file's own.
  let head: HeadReplacement?
  /// Where the file has the examples of a batch, which graphs of types have along axis 0; nil for graphs that
  /// have all axes as the file does.
  var layout: BatchLayout?

  /// A value with more elements can't be meant: 64 GiB of float32.
  static let elementLimit = 1 << 34
  /// How many elements are computed while a model is traced, over all its nodes: shapes take few.
  static let foldingLimit = 1 << 18
  /// How many bytes nodes may make up from sizes, as positions, masks and classes: a mask of 4096 tokens.
  static let constantByteLimit = 1 << 24
  /// How many nodes the graph may have: layers that are unrolled have many for one of the file.
  static let nodeLimit = 1 << 18

  /// The graph for inputs of concrete types.
  func graph(_ inputTypes: [ValueType]) throws(ONNXError) -> Graph {
    try reported { try traced(inputTypes.map { .type($0) }) }
  }

  /// The graph for inputs of concrete values: those that shapes or settings follow from become
  /// constants, the others stay inputs.
  ///
  /// - Returns: The graph, and the names of those that became constants.
  func graph(settledBy inputs: [Tensor]) throws(ONNXError) -> (graph: Graph, settled: Set<String>) {
    try reported {
      var settled: Set<String> = []
      while true {
        do {
          let graph = try traced(
            zip(model.inputs, inputs).map { input, value in
              settled.contains(input.name)
                ? .value(value) : .type(ValueType(value.shape, value.elementType))
            })
          return (graph, settled)
        } catch let problem as ImportProblem {
          guard let unknown = problem.unknownValue else { throw problem }
          let missing = model.inputs(behind: unknown).subtracting(settled)
          guard !missing.isEmpty else { throw problem }
          settled.formUnion(missing)
        }
      }
    }
  }

  /// The graph for inputs of concrete types, but for some that are constants, by name.
  func graph(
    _ inputTypes: [ValueType], settled: [String: Tensor]
  ) throws(ONNXError) -> Graph {
    try reported {
      var types = inputTypes[...]
      return try traced(
        model.inputs.map { input in
          settled[input.name].map { .value($0) } ?? .type(types.removeFirst())
        })
    }
  }

  /// What tracing throws, as an error that names the file.
  private func reported<Result>(_ trace: () throws -> Result) throws(ONNXError) -> Result {
    do {
      return try trace()
    } catch let error as ONNXError {
      throw error
    } catch let error as ImportProblem {
      throw .invalid(file: model.file, error.problem)
    } catch let error as GraphError {
      throw .invalid(
        file: model.file,
        ONNXError.ModelProblem(
          place: error.path.isEmpty ? "graph" : error.path, expected: error.expected,
          got: error.got, advice: error.advice))
    } catch {
      programmerError("tracing threw \(error)")
    }
  }

  /// Whether the model takes batches of a size, and its first output follows.
  func follows(batch: Int, _ inputs: InputTypes) throws(ONNXError) -> Bool {
    do {
      let graph = try graph(inputs.types(batch: batch))
      return graph.type(of: graph.outputs[0].value).shape.first == batch
    } catch {
      // What a model says of shapes it isn't made for is no fault of the file.
      if case .invalid = error { return false }
      throw error
    }
  }

  /// What is known of an input while the nodes are traced.
  private enum Given {
    case type(ValueType)
    case value(Tensor)
  }

  private func traced(_ inputs: [Given]) throws -> Graph {
    let builder = GraphBuilder(
      folding: FoldingBudget(elementCount: Self.foldingLimit),
      constantByteLimit: Self.constantByteLimit)
    var values: [String: Symbol] = [:]
    for (number, (input, given)) in zip(model.inputs, inputs).enumerated() {
      values[input.name] =
        switch given {
        case .type(let type):
          try builder.input(input.name, type).movingAxis(0, to: layout?.inputAxes[number] ?? 0)
        case .value(let tensor): builder.constant(tensor)
        }
    }
    let variables = try plan.variables.map { try Self.declare($0, in: builder) }
    for (name, number) in plan.variablesByName { values[name] = variables[number] }
    for copy in plan.copies.values.sorted(by: { $0.name < $1.name }) {
      values[copy.name] = try values[copy.original].map { try copy.symbol(of: $0) }
    }
    func value(_ name: String, at edge: InputEdge?) throws -> Symbol? {
      if name.isEmpty { return nil }
      if let edge, let number = plan.variablesByEdge[edge] { return variables[number] }
      if let value = values[name] { return value }
      guard let proto = plan.constants[name] else { return nil }
      let constant = builder.constant(try reader.tensor(proto))
      values[name] = constant
      return constant
    }
    for (place, node) in model.nodes.enumerated() {
      // A constant that is trained has its value already.
      if node.operation == "Constant", let name = node.outputs.first, values[name] != nil {
        continue
      }
      let inputs = try node.inputs.enumerated().map { number, name in
        try value(name, at: InputEdge(node: place, input: number))
      }
      let outputs = try trace(node, inputs, builder)
      for (name, output) in zip(node.outputs, outputs) where !name.isEmpty {
        values[name] = output
      }
    }
    for (number, output) in model.outputs.enumerated() {
      guard let symbol = try value(output.name, at: nil) else {
        programmerError("the checked output \(output.name) has no value")
      }
      builder.output(
        output.name,
        number == 0 ? try symbol.withExamplesFirst(from: layout?.outputAxis ?? 0) : symbol)
    }
    return builder.result
  }

  private static func declare(
    _ variable: ParameterPlan.Variable, in builder: GraphBuilder
  ) throws -> Symbol {
    let value = variable.value
    guard let role = variable.role else {
      return try builder.statistic(variable.name, value.shape) { _ in value }
    }
    return try builder.parameter(variable.name, variable.shape, role: role) { random in
      variable.replacement?.draw(random) ?? value
    }
  }

  private func trace(
    _ node: NodeProto, _ inputs: [Symbol?], _ builder: GraphBuilder
  ) throws -> [Symbol] {
    guard let operation = OperatorTable.find(node, opsets: model.opsets) else {
      programmerError("\(node.operation) passed the check of operations")
    }
    let context = NodeImport(
      node, opset: model.opsets[""] ?? 0, builder: builder, tensors: reader, inputs: inputs)
    guard operation.inputs.contains(node.inputs.count) else {
      throw context.problem(
        expected: operation.inputs.counted("input"), got: "\(node.inputs.count)")
    }
    guard operation.outputs.contains(node.outputs.count) else {
      throw context.problem(
        expected: operation.outputs.counted("output"), got: "\(node.outputs.count)")
    }
    let outputs = try builder.placed(path: context.place, stage: .forward) {
      try operation.trace(context)
    }
    try context.checkAttributes()
    for place in outputs.count..<max(outputs.count, node.outputs.count) {
      try context.refuseOutput(place, "optional")
    }
    guard builder.nodeCount <= Self.nodeLimit else {
      throw context.problem(
        expected: "a graph of at most \(Self.nodeLimit) operations when unrolled",
        got: "more",
        advice: "shorten the sequences, or the file is made to exhaust memory")
    }
    for output in outputs where output.shape.elementCount > Self.elementLimit {
      throw context.problem(
        expected: "at most \(Self.elementLimit) elements", got: "\(output.type)",
        advice: "the file is damaged or made to exhaust memory")
    }
    if let output = outputs.first, builder.constantTensor(output) == nil {
      builder.layer(node.label, output)
    }
    return outputs
  }
}

extension ClosedRange<Int> {
  /// As in `2 inputs`, `1 to 3 inputs`, `at least 1 input`.
  fileprivate func counted(_ unit: String) -> String {
    let plural = upperBound == 1 ? unit : unit + "s"
    if lowerBound == upperBound { return "\(lowerBound) \(plural)" }
    return upperBound == .max
      ? "at least \(lowerBound) \(unit)" : "\(lowerBound) to \(upperBound) \(plural)"
  }
}
