import CrestTensor

extension CheckedModel {
  /// Refuses operations that can't be imported, all at once.
  func checkOperations() throws(ONNXError) {
    let unsupported = unsupportedOperations
    guard unsupported.isEmpty else { throw .unsupported(file: file, unsupported) }
  }

  /// The nodes whose operations can't be imported.
  var unsupportedOperations: [ONNXError.UnsupportedOperation] {
    let functions = Set(proto.functions.map { Name(domain: $0.domain, operation: $0.name) })
    let places = nodes.indices.filter { OperatorTable.find(nodes[$0], opsets: opsets) == nil }
    return places.map { place in
      let node = nodes[place]
      return ONNXError.UnsupportedOperation(
        operation: node.operation, domain: node.domain,
        opset: opsets[node.domain == "ai.onnx" ? "" : node.domain], node: node.label,
        reason: Self.reason(for: node, functions))
    }
  }

  private struct Name: Hashable {
    let domain: String
    let operation: String
  }

  private static func reason(for node: NodeProto, _ functions: Set<Name>) -> String? {
    if functions.contains(Name(domain: node.domain, operation: node.operation)) {
      return "a function of the model: inline it with onnx.inliner"
    }
    let hasGraph = node.attributes.contains { attribute in
      switch attribute.value {
      case .graph, .graphs: true
      default: false
      }
    }
    return hasGraph ? "control flow: export the model without it" : nil
  }

  /// What running statistics tell of the network: nil when they are a trained network's, or stand where
  /// training begins.
  ///
  /// An export of a new network in training mode runs it once: a mean is then 0.1 · that of the batch, and
  /// a variance 0.9 + 0.1 · that of the batch, for the usual momentum, in every channel; the part of 1 that
  /// is left is 0.9ᵏ where the network uses the layer k times. With scales and shifts as they begin, whatever
  /// the size of the means, the network is new. With others it is taken for new where the numbers are also
  /// those of activations of a network that hasn't learned anything.
  private func tracedStatistics(_ plan: ParameterPlan) -> TrainingReadiness.Note? {
    let places = nodes.indices.filter {
      nodes[$0].operation == "BatchNormalization" && nodes[$0].inputs.count == 5
    }
    let hasMoved = plan.variables.contains { variable in
      guard let start = variable.start else { return false }
      return !variable.value.withElements(as: Float.self) { $0.allSatisfy { $0 == start } }
    }
    guard hasMoved else { return nil }
    func variable(_ place: Int, _ input: Int) -> ParameterPlan.Variable? {
      plan.variable(nodes[place].inputs[input], at: InputEdge(node: place, input: input))
    }
    let uses = places.reduce(into: [String: Int]()) { uses, place in
      if let name = variable(place, 4)?.name { uses[name, default: 0] += 1 }
    }
    var (isNew, isSmall) = (true, true)
    for place in places {
      let node = nodes[place]
      let momentum = node.number("momentum", default: 0.9)
      guard node.number("training_mode", default: 0) == 1, (0...1).contains(momentum) else {
        return nil
      }
      func all(_ input: Int, _ condition: (Float) -> Bool) -> Bool {
        variable(place, input)?.value.withElements(as: Float.self) { $0.allSatisfy(condition) }
          ?? false
      }
      let count = variable(place, 4).flatMap { uses[$0.name] } ?? 1
      // A step rounds, and so may the momentum.
      let least = (0..<count).reduce(1) { left, _ in left * momentum } - 1e-6 * Float(count)
      guard all(4, { $0 >= least && $0.isFinite }), all(3, \.isFinite) else { return nil }
      // Residual networks begin some scales at 0.
      isNew = isNew && (all(1) { $0 == 1 } || all(1) { $0 == 0 }) && all(2) { $0 == 0 }
      isSmall =
        isSmall && all(3) { $0.magnitude <= 5 * (1 - least) }
        && all(4) { $0 <= least + 10 * (1 - least) }
    }
    return isNew || isSmall ? .tracedStatistics : .possiblyTracedStatistics
  }

  /// The name of a node or value that is called after a dropout, where there is none.
  private var nameOfDropout: String? {
    guard !nodes.contains(where: { $0.operation == "Dropout" }) else { return nil }
    return nodes.lazy.flatMap { [$0.name] + $0.outputs }
      .first { $0.lowercased().contains("dropout") }
  }

  /// What matters for training, apart from single arrays.
  func notes(
    plan: ParameterPlan, declaredBatch: Int?, isFrozen: Bool?
  ) -> [TrainingReadiness.Note] {
    var notes: [TrainingReadiness.Note] = []
    let counts = nodes.reduce(into: [:]) { $0[$1.operation, default: 0] += 1 }
    let normalizations = [
      "BatchNormalization", "InstanceNormalization", "GroupNormalization", "LayerNormalization",
    ]
    let convolutions = counts["Conv", default: 0]
    // Small networks are often made without normalisation.
    if convolutions >= 4, normalizations.allSatisfy({ counts[$0] == nil }) {
      notes.append(.foldedBatchNorm(convolutions: convolutions))
    }
    if let note = tracedStatistics(plan) { notes.append(note) }
    if let name = nameOfDropout { notes.append(.noDropout(name: name)) }
    if let last = nodes.last(where: { $0.outputs.contains(outputs[0].name) }),
      ["Softmax", "Sigmoid"].contains(last.operation)
    {
      notes.append(.finalActivation(operation: last.operation, node: last.label))
    }
    if let declaredBatch, let isFrozen {
      notes.append(isFrozen ? .frozenBatch(declaredBatch) : .declaredBatch(declaredBatch))
    }
    return notes
  }
}

extension NodeProto {
  /// The number that an attribute is.
  fileprivate func number(_ name: String, default: Float) -> Float {
    switch attributes.first(where: { $0.name == name })?.value {
    case .float(let number): number
    case .int(let number): Float(number)
    default: `default`
    }
  }
}
