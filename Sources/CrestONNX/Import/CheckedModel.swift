import CrestTensor

/// A model whose graph is in order: names defined once and before they are used, no cycle, versions
/// that are known.
struct CheckedModel: Sendable {
  let proto: ModelProto
  /// The version of each operator set, by domain; ONNX's own is empty.
  let opsets: [String: Int64]
  let initializers: [String: TensorProto]
  /// What is given at each run: the graph's inputs without those that have a value in the file.
  let inputs: [ValueInfoProto]
  /// The nodes, each after those it reads from.
  let nodes: [NodeProto]

  /// The versions whose meaning is known: changes of later ones could not be told from their number.
  static let irVersions: ClosedRange<Int64> = 3...14
  static let opsetVersions: ClosedRange<Int64> = 1...28

  /// The file's name in messages.
  var file: String { proto.source.name }
  /// The graph's outputs.
  var outputs: [ValueInfoProto] { proto.graph.outputs }

  /// Checks a model.
  ///
  /// - Throws: ``ONNXError/invalid(file:_:)``.
  init(_ proto: ModelProto) throws(ONNXError) {
    self.proto = proto
    let file = proto.source.name
    do throws(ModelFault) {
      try Self.checkNames(proto.graph)
      opsets = try Self.versions(proto)
      initializers = try Self.initializers(proto.graph)
      inputs = try Self.inputs(proto.graph, initializers)
      let makers = try Self.makers(proto.graph, inputs, initializers)
      nodes = try Self.sorted(proto.graph.nodes, makers, opsets)
      try Self.checkOutputs(proto.graph, makers)
    } catch {
      throw .invalid(file: file, error.problem)
    }
  }

  /// A problem on its way to the place that knows the file.
  private struct ModelFault: Error {
    let problem: ONNXError.ModelProblem

    init(_ place: String, expected: String, got: String, advice: String? = nil) {
      problem = ONNXError.ModelProblem(place: place, expected: expected, got: got, advice: advice)
    }
  }

  /// Refuses names that would do harm in messages and logs: that steer a terminal, or never end.
  private static func checkNames(_ graph: GraphProto) throws(ModelFault) {
    func check(_ name: String, _ place: @autoclosure () -> String) throws(ModelFault) {
      // Most names are ASCII, whose bytes are looked at faster than scalars.
      if name.utf8.count <= nameByteLimit, name.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) {
        return
      }
      guard name.utf8.count > nameByteLimit || name.unicodeScalars.contains(where: \.isControl)
      else { return }
      let start = name.unicodeScalars.prefix(60).map { $0.escaped(asASCII: true) }.joined()
      throw ModelFault(
        place(),
        expected: "names of at most \(nameByteLimit) bytes without control characters",
        got: "\"\(start)\"" + (name.unicodeScalars.count > 60 ? "…" : ""),
        advice: "the file is damaged or malicious")
    }
    for tensor in graph.initializers { try check(tensor.name, "initializer") }
    for value in graph.inputs { try check(value.name, "input") }
    for value in graph.outputs { try check(value.name, "output") }
    for (number, node) in graph.nodes.enumerated() {
      try check(node.name, "node[\(number)]")
      try check(node.operation, "node[\(number)]")
      try check(node.domain, "node[\(number)]")
      for name in node.inputs { try check(name, "node[\(number)]") }
      for name in node.outputs { try check(name, "node[\(number)]") }
    }
  }

  private static let nameByteLimit = 1 << 12

  private static func versions(
    _ proto: ModelProto
  ) throws(ModelFault) -> [String: Int64] {
    guard irVersions.contains(proto.irVersion) else {
      throw ModelFault(
        "ir_version",
        expected: "a version from \(irVersions.lowerBound) to "
          + "\(irVersions.upperBound)", got: "\(proto.irVersion)",
        advice: "export the model again, or convert it with onnx.version_converter")
    }
    var versions: [String: Int64] = [:]
    for set in proto.opsets {
      let domain = set.domain == "ai.onnx" ? "" : set.domain
      guard versions.updateValue(set.version, forKey: domain) == nil else {
        throw ModelFault(
          "opset_import", expected: "each domain once", got: "\"\(set.domain)\" twice")
      }
    }
    guard let version = versions[""] else {
      throw ModelFault(
        "opset_import", expected: "a version of ONNX's own operators", got: "none",
        advice: "export the model again")
    }
    guard opsetVersions.contains(version) else {
      throw ModelFault(
        "opset_import",
        expected: "opset \(opsetVersions.lowerBound) to "
          + "\(opsetVersions.upperBound)", got: "opset \(version)",
        advice: "export the model with opset 17, or convert it with onnx.version_converter")
    }
    return versions
  }

  private static func initializers(
    _ graph: GraphProto
  ) throws(ModelFault) -> [String: TensorProto] {
    if let sparse = graph.sparseInitializers.first {
      throw ModelFault(
        "sparse_initializer \"\(sparse.name)\"", expected: "dense tensors", got: "a sparse one",
        advice: "store it densely")
    }
    var found: [String: TensorProto] = [:]
    for tensor in graph.initializers {
      guard !tensor.name.isEmpty else {
        throw ModelFault("initializer", expected: "a name", got: "none")
      }
      guard found.updateValue(tensor, forKey: tensor.name) == nil else {
        throw ModelFault(
          "initializer \"\(tensor.name)\"", expected: "a name used once", got: "it twice")
      }
    }
    return found
  }

  /// The inputs without a value of their own, whose declared types agree with the values of the rest.
  private static func inputs(
    _ graph: GraphProto, _ initializers: [String: TensorProto]
  ) throws(ModelFault) -> [ValueInfoProto] {
    var names: Set<String> = []
    var given: [ValueInfoProto] = []
    for input in graph.inputs {
      guard names.insert(input.name).inserted else {
        throw ModelFault("input \"\(input.name)\"", expected: "a name used once", got: "it twice")
      }
      guard let tensor = initializers[input.name] else {
        given.append(input)
        continue
      }
      guard case .tensor(let type, let shape) = input.type else { continue }
      let agrees = shape.map { shape in
        shape.count == tensor.shape.rank
          && zip(shape, tensor.shape).allSatisfy { declared, size in
            if case .size(let number) = declared { number == size } else { true }
          }
      }
      guard type == tensor.dataType, agrees ?? true else {
        throw ModelFault(
          "input \"\(input.name)\"",
          expected: "the type of its initializer, "
            + "\(tensor.dataType.name) \(tensor.shape)", got: "another declaration")
      }
    }
    return given
  }

  /// What makes each value: a node's place, or nil for inputs and initializers.
  private static func makers(
    _ graph: GraphProto, _ inputs: [ValueInfoProto], _ initializers: [String: TensorProto]
  ) throws(ModelFault) -> [String: Int?] {
    var makers: [String: Int?] = [:]
    makers.reserveCapacity(graph.nodes.count + initializers.count + inputs.count)
    for input in inputs { makers[input.name] = .some(nil) }
    for name in initializers.keys { makers[name] = .some(nil) }
    for (place, node) in graph.nodes.enumerated() {
      for output in node.outputs where !output.isEmpty {
        guard makers.updateValue(place, forKey: output) == nil else {
          throw ModelFault(
            "node \"\(node.label)\" (\(node.operation))",
            expected: "outputs with unique names",
            got: "\"\(output)\", which is defined already")
        }
      }
    }
    return makers
  }

  /// The nodes in an order in which each follows what it reads; the file's where that is one.
  private static func sorted(
    _ nodes: [NodeProto], _ makers: [String: Int?], _ opsets: [String: Int64]
  ) throws(ModelFault) -> [NodeProto] {
    enum State { case new, entered, done }
    var states = [State](repeating: .new, count: nodes.count)
    var order: [Int] = []
    order.reserveCapacity(nodes.count)
    // An explicit stack, since a file may chain any number of nodes; with how many inputs of each are
    // seen to, since a node may have any number of them.
    var stack: [(place: Int, seen: Int)] = []
    for start in nodes.indices where states[start] == .new {
      states[start] = .entered
      stack.append((start, 0))
      while let (place, seen) = stack.last {
        let node = nodes[place]
        guard seen < node.inputs.count else {
          states[place] = .done
          order.append(place)
          stack.removeLast()
          continue
        }
        stack[stack.count - 1].seen += 1
        let input = node.inputs[seen]
        guard !input.isEmpty else { continue }
        guard let maker = makers[input] else {
          throw ModelFault(
            "node \"\(node.label)\" (\(node.operation))",
            expected: "inputs that an input, initializer or node defines",
            got: "\"\(input)\", which nothing defines")
        }
        guard let maker, states[maker] != .done else { continue }
        guard states[maker] == .new else {
          throw ModelFault(
            "node \"\(node.label)\" (\(node.operation))",
            expected: "a graph without cycles", got: "an input that depends on its own output")
        }
        states[maker] = .entered
        stack.append((maker, 0))
      }
    }
    return order.elementsEqual(nodes.indices) ? nodes : order.map { nodes[$0] }
  }

  /// The inputs of the graph whose values a value follows from; what is computed from a shape alone
  /// follows from none.
  func inputs(behind value: String) -> Set<String> {
    var behind: Set = [value]
    for node in nodes.reversed() where !node.readsSizesOnly {
      if node.outputs.contains(where: behind.contains) { behind.formUnion(node.inputs) }
    }
    return behind.intersection(inputs.map(\.name))
  }

  private static func checkOutputs(
    _ graph: GraphProto, _ makers: [String: Int?]
  ) throws(ModelFault) {
    guard !graph.outputs.isEmpty else {
      throw ModelFault("graph", expected: "at least one output", got: "none")
    }
    for output in graph.outputs where makers[output.name] == nil {
      throw ModelFault(
        "output \"\(output.name)\"", expected: "a value that the graph defines", got: "none")
    }
  }
}

extension NodeProto {
  /// The node's name, or that of its first output.
  var label: String { name.isEmpty ? outputs.first ?? operation : name }

  /// Where messages and graphs say it is, as in `node "/conv1" (Conv, opset 17)`.
  func place(opset: Int64) -> String { "node \"\(label)\" (\(operation), opset \(opset))" }
}

extension NodeProto {
  /// Whether it reads the sizes of its input, and none of its elements.
  var readsSizesOnly: Bool { operation == "Shape" || operation == "Size" }
}
