package import CrestGraph
package import CrestTensor

/// A model from an ONNX file for inputs that are all there: of any shape, with or without a batch.
///
/// A model may take as inputs what a graph must know before it runs, such as the sizes of a reshape.
/// These inputs become constants, so that the graph holds for these values of theirs.
package struct ONNXSpecialization: GraphTemplate {
  package let sample: Graph
  package var fixedBatchSize: Int? { nil }
  package var leavesFinalActivationToLoss: Bool { false }

  /// Reads, checks and traces a model.
  ///
  /// - Parameters:
  ///   - proto: The model.
  ///   - inputs: A value for each input, by name.
  /// - Throws: ``ONNXError``.
  package init(_ proto: ModelProto, inputs: [String: Tensor]) throws(ONNXError) {
    let model = try CheckedModel(proto)
    try model.checkOperations()
    var values: [Tensor] = []
    for input in model.inputs {
      guard let value = inputs[input.name] else {
        throw .invalid(
          file: model.file,
          ModelProblem(
            place: "input \"\(input.name)\"",
            expected: "a tensor of one of the types \(ElementTypeNames.all)", got: input.type.name))
      }
      values.append(value)
    }
    let reader = TensorReader(proto)
    let plan = try ParameterPlan(model, reader, ParameterSelection())
    sample = try ONNXTrace(model: model, plan: plan, reader: reader, head: nil)
      .graph(settledBy: values)
  }

  /// The graph, which holds for inputs of its own types only.
  package func graph(for inputTypes: [ValueType]) throws -> Graph {
    precondition(
      inputTypes == sample.inputs.map { sample.type(of: $0.value) },
      "\(inputTypes) for a graph of other types")
    return sample
  }
}
