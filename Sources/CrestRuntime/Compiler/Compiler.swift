import CrestGraph
import CrestTensor

/// A graph specialised for a request: forward, loss and backward in one, simplified and fused.
struct CompiledGraph {
  let graph: Graph
  /// The model's outputs, the first being the predictions.
  let predictions: [Graph.ValueID]
  /// The loss to minimise; nil without a target.
  let loss: Graph.ValueID?
  /// What its sum is divided by, and the weights that this is the sum of; nil where nothing has a weight.
  let lossWeight: (sum: Graph.ValueID, each: Graph.ValueID?)?
  /// What reads asked for.
  let reads: [Capture: Graph.ValueID]
  /// The gradient of each variable that isn't frozen; nil where the loss doesn't depend on it.
  let gradients: [(variable: Int, value: Graph.ValueID?)]

  init(
    _ template: any GraphTemplate, _ request: Program.Request, loss: Program.LossTermsTrace?,
    convolutions: Engine.ConvolutionAlgorithms
  ) throws {
    let builder = GraphBuilder()
    try builder.replay(
      template.graph(for: request.inputTypes), inputTypes: request.inputTypes, mode: request.mode,
      frozen: request.frozen)
    let predictionCount = builder.result.outputs.count
    programmerError(unless: predictionCount > 0, "the graph has no output")
    let prediction = builder.symbol(builder.result.outputs[0].value)

    // Everything that must survive the passes is an output under a name of its own.
    var names: [Capture: String] = [:]
    func keep(_ capture: Capture, _ symbol: Symbol) {
      names[capture] = "read.\(names.count)"
      builder.output("read.\(names.count - 1)", symbol)
    }
    for case .activation(let path) in request.reads {
      keep(.activation(path), builder.symbol(try Self.activation(path, builder.result)))
    }
    if request.reads.contains(.predictions) { keep(.predictions, prediction) }

    var gradientVariables: [Int] = []
    if let targetType = request.targetType, let loss {
      builder.stage = .loss
      let target = builder.input("target", targetType)
      let terms = try loss(prediction, target)
      let losses = terms.losses
      guard losses.elementType == .float32 else {
        throw GraphError(
          path: "", operation: "loss", expected: "losses of float32", got: "\(losses.type)",
          advice: "cast what the loss returns")
      }
      let (total, weight) = try terms.total()
      if request.reads.contains(.losses) {
        keep(.losses, losses)
        if let weights = terms.weights { builder.output("loss.weights", weights) }
      }
      builder.output("loss", total)
      if let weight { builder.output("loss.weight", weight) }
      if request.mode == .training {
        let parameters = Self.parameters(builder, without: request.frozen)
        let gradients = try builder.gradients(
          of: total, withRespectTo: parameters.map(\.symbol))
        for ((variable, _), gradient) in zip(parameters, gradients) {
          gradientVariables.append(variable)
          if let gradient { builder.output("gradient.\(variable)", gradient) }
        }
      }
    }

    let single = try builder.result.withImageRanks().simplified().foldingConstants().simplified()
      .withNormalizationsAsAffine(joining: !request.isDiagnosing).foldingConstants().simplified()
      .withAffineInChains(joining: !request.isDiagnosing)
      .fusingElementwise(joining: !request.isDiagnosing)
    try single.checkValues()
    graph = single.fusingConvolutions(convolutions, joining: !request.isDiagnosing)
    let ports = Dictionary(
      graph.outputs.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    predictions = graph.outputs.prefix(predictionCount).map(\.value)
    self.loss = ports["loss"]
    lossWeight = ports["loss.weight"].map { ($0, ports["loss.weights"]) }
    reads = names.compactMapValues { ports[$0] }
    gradients = gradientVariables.map { ($0, ports["gradient.\($0)"]) }
  }

  /// The parameters of a traced graph that train, with their places among the variables.
  private static func parameters(
    _ builder: GraphBuilder, without frozen: Set<String>
  ) -> [(variable: Int, symbol: Symbol)] {
    let graph = builder.result
    return graph.values.indices.compactMap { index -> (variable: Int, symbol: Symbol)? in
      guard case .variable(let number) = graph.values[index].origin,
        graph.variables[number].role != nil, !frozen.contains(graph.variables[number].name)
      else { return nil }
      return (number, builder.symbol(graph.id(ofValue: index)))
    }
  }

  /// What the layer at `path` gave.
  private static func activation(_ path: String, _ graph: Graph) throws -> Graph.ValueID {
    guard let layer = graph.layers.last(where: { $0.name == path }) else {
      throw ProgramError.unknownLayer(path, known: graph.layers.map(\.name))
    }
    return layer.value
  }
}
