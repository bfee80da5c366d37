import CrestTensor

extension ONNXFile {
  /// How the file behaves differently when run as it is, by ONNX Runtime, than in Crest's
  /// predictions and evaluation, which are for inference; nil if it doesn't.
  ///
  /// BatchNormalization with `training_mode` 1 (before opset 14: with further outputs) normalises by the batch's
  /// statistics there, and Dropout with a `training_mode` input of true drops values.
  public var trainingMode: TrainingReadiness.Note? {
    let opset = model.opsets[""] ?? 0
    let normalizations = model.nodes.count { node in
      guard node.operation == "BatchNormalization" else { return false }
      guard opset >= 14 else { return node.outputs.count > 1 }
      return node.attributes.contains { attribute in
        if case .int(1) = attribute.value { attribute.name == "training_mode" } else { false }
      }
    }
    let dropouts = model.nodes.count { node in
      node.operation == "Dropout" && node.inputs.count > 2 && isTrue(node.inputs[2])
    }
    return normalizations + dropouts == 0
      ? nil : .trainingMode(normalizations: normalizations, dropouts: dropouts)
  }

  /// Whether the file says that a value is true.
  private func isTrue(_ name: String) -> Bool {
    var proto = model.initializers[name]
    if let maker = model.nodes.first(where: { $0.operation == "Constant" && $0.outputs == [name] }),
      case .tensor(let tensor)? = maker.attributes.first(where: { $0.name == "value" })?.value
    {
      proto = tensor
    }
    // What can't be read is refused with its reason where the file is traced.
    guard let proto, let value = try? TensorReader(model.proto).tensor(proto),
      value.elementType == .bool, value.elementCount == 1
    else { return false }
    return value.array(as: Bool.self)[0]
  }
}
