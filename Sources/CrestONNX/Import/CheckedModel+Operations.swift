import CrestTensor

extension CheckedModel {
  /// Refuses operations that can't be imported, all at once.
  func checkOperations() throws(ONNXError) {
    let unsupported = unsupportedOperations
    guard unsupported.isEmpty else { throw .unsupported(file: file, unsupported) }
  }

  /// The nodes whose operations can't be imported.
  var unsupportedOperations: [UnsupportedOperation] {
    let functions = Set(proto.functions.map { Name(domain: $0.domain, operation: $0.name) })
    let places = nodes.indices.filter { OperatorTable.find(nodes[$0], opsets: opsets) == nil }
    return places.map { place in
      let node = nodes[place]
      return UnsupportedOperation(
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

  /// Whether all running statistics can be those of a new network after one batch, and stand where
  /// training goes on: what an export of a new network in training mode leaves, which runs it once.
  ///
  /// Not when they all stand where training begins.
  ///
  /// A mean is then 0.1 · that of the batch, and a variance 0.9 + 0.1 · that of the batch, for the usual
  /// momentum. The bounds are those of activations of a network that hasn't learned anything.
  private func hasTracedStatistics(_ plan: ParameterPlan) -> Bool {
    let places = nodes.indices.filter { nodes[$0].operation == "BatchNormalization" }
    let hasMoved = plan.variables.contains { variable in
      guard let start = variable.start else { return false }
      return !variable.value.withElements(as: Float.self) { $0.allSatisfy { $0 == start } }
    }
    return hasMoved
      && places.allSatisfy { place in
        let node = nodes[place]
        guard node.number("training_mode", default: 0) == 1 else { return false }
        let momentum = node.number("momentum", default: 0.9)
        let (mostMean, mostVariance) = (5 * (1 - momentum), momentum + 10 * (1 - momentum))
        func all(_ input: Int, _ range: ClosedRange<Float>) -> Bool {
          guard node.inputs.count == 5,
            let variable = plan.variable(
              node.inputs[input], at: InputEdge(node: place, input: input))
          else { return false }
          return variable.value.withElements(as: Float.self) { $0.allSatisfy(range.contains) }
        }
        let isSensible = (0...1).contains(momentum)
        return isSensible && all(3, -mostMean...mostMean)
          && all(4, momentum.nextDown...mostVariance)
      }
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
    let isForTraining = nodes.contains { node in
      node.attributes.contains { attribute in
        if case .int(1) = attribute.value { attribute.name == "training_mode" } else { false }
      }
    }
    if hasTracedStatistics(plan) { notes.append(.tracedStatistics) }
    if counts["Dropout"] == nil, !isForTraining { notes.append(.noDropout) }
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
