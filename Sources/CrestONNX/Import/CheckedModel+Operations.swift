import CrestGraph

extension CheckedModel {
  /// Refuses operations that can't be imported, all at once.
  func checkOperations() throws(ONNXError) {
    let unsupported = nodes.filter { OperatorTable.find($0, opsets: opsets) == nil }
    guard unsupported.isEmpty else {
      throw .unsupported(
        file: file,
        unsupported.map { node in
          UnsupportedOperation(
            operation: node.operation, domain: node.domain,
            opset: opsets[node.domain == "ai.onnx" ? "" : node.domain], node: node.label,
            reason: reason(for: node))
        })
    }
  }

  private func reason(for node: NodeProto) -> String? {
    if proto.functions.contains(where: { $0.name == node.operation && $0.domain == node.domain }) {
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

  /// What matters for training, apart from single arrays.
  func notes(
    graph: Graph, declaredBatch: Int?, isFrozen: Bool?
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
