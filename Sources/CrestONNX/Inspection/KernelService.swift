import CrestGraph
import CrestLayers
import CrestRuntime

/// Who computes each node of a model from a file, in a training step and in prediction.
struct KernelService {
  /// Why there is no backward pass; nil when there is one.
  let trainingProblem: String?
  /// The places of the file's nodes that something is computed for.
  private let computed: [Graph.Stage: Set<String>]
  /// Those that the reference computes something for.
  private let byReference: [Graph.Stage: Set<String>]

  /// Compiles the model for both.
  ///
  /// - Throws: What the compiler throws when the model can't even predict.
  init(_ model: Model) throws {
    let types = model.inputs.map { $0.batchType(model.template.fixedBatchSize ?? 2) }
    let inference = try model.cache(loss: nil).program(
      Program.Request(inputTypes: types, targetType: nil, mode: .inference))
    var slow = inference.referenceNodes
    var problem: String?
    let builder = GraphBuilder()
    try builder.replay(model.template.graph(for: types), inputTypes: types, mode: .training)
    do {
      let output = builder.symbol(builder.result.outputs[0].value)
      // Which loss is trained with is not the model's.
      _ = try builder.gradients(
        of: output.mean(), withRespectTo: Self.parameters(builder))
      let mean = Loss("mean") { prediction, _ in prediction }
      slow += try model.cache(loss: mean).program(
        Program.Request(
          inputTypes: types, targetType: inference.predictionType, mode: .training)
      ).referenceNodes
      if model.store.parameters.isEmpty { problem = "it has no parameters" }
    } catch let error as GraphError {
      problem = "\(error)"
    }
    trainingProblem = problem
    computed = builder.result.nodes.reduce(into: [:]) {
      $0[$1.stage, default: []].insert($1.path)
    }
    byReference = slow.reduce(into: [:]) { $0[$1.stage, default: []].insert($1.path) }
  }

  private static func parameters(_ builder: GraphBuilder) -> [Symbol] {
    let graph = builder.result
    return graph.values.indices.compactMap { index in
      guard case .variable(let number) = graph.values[index].origin,
        graph.variables[number].role != nil
      else { return nil }
      return builder.symbol(graph.id(ofValue: index))
    }
  }

  /// Who computes nodes in a stage; nil when nothing is left to compute for them.
  func service(of places: [String], _ stage: Graph.Stage) -> ONNXInspection.Service? {
    let needed = places.filter { computed[stage]?.contains($0) ?? false }
    guard !needed.isEmpty else { return nil }
    let slow = needed.count { byReference[stage]?.contains($0) ?? false }
    return slow == 0 ? .kernel : slow == needed.count ? .reference : .both
  }
}
