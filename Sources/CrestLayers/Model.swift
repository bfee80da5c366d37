public import CrestGraph
import CrestPlatform
public import CrestRuntime
public import CrestTensor

/// A traced network with its parameters: what is trained and what predicts.
///
/// Its computation is a template, traced for a nominal batch of 2 and again for each batch size in
/// use. Only one task at a time may use a model.
///
/// ```swift
/// let model = try Model(input: [1, 28, 28]) {
///   Conv2D(32, kernel: 3, padding: .same)
///   ReLU()
///   GlobalAveragePool()
///   Dense(10)
/// }
/// ```
public final class Model {
  /// One input of the model, for one example.
  public struct Input: Sendable, Hashable {
    /// The name.
    public let name: String
    /// The shape of one example, without the batch.
    public let shape: Shape
    /// The type of every element.
    public let elementType: ElementType

    /// An input, by default of `float32`.
    public init(name: String = "input", shape: Shape, elementType: ElementType = .float32) {
      self.name = name
      self.shape = shape
      self.elementType = elementType
    }

    /// The type of a batch of `count` examples.
    public func batchType(_ count: Int) -> ValueType {
      ValueType(Shape([count] + shape.dimensions), elementType)
    }
  }

  /// The source of the graph for a batch.
  public let template: any GraphTemplate
  /// The graph for a nominal batch, along axis 0 of every input and output.
  public var graph: Graph { template.sample }
  /// Parameters, gradients and running statistics.
  public let store: ParameterStore
  /// The threads and kernels its programs run on.
  public let engine: Engine
  /// The inputs, in the graph's order.
  public let inputs: [Input]
  /// The shape of one example's prediction, the first output.
  public let outputShape: Shape
  /// The preprocessing with which the parameters were learned, from the model's file or from the
  /// learner that trained it; nil if unknown.
  ///
  /// Training, evaluation and prediction apply it to new data, and an export keeps it. Set it for a
  /// model from another program that needs it.
  public var preprocessing: Preprocessing?
  /// The names of the learned classes, in the order of the outputs; nil if unknown.
  public var classNames: [String]?
  /// The class axis of a batch of predictions, from the model's file or from the learner that
  /// trained it; nil if unknown, as with one row of scores per example.
  ///
  /// A loss of classes uses it unless told of another axis, and an export keeps it.
  public var classAxis: Int?
  /// The seed with which the parameters were drawn.
  public let seed: UInt64
  private let predictor: Predictor

  /// A model of a graph or graph template.
  ///
  /// - Parameters:
  ///   - template: A graph with the batch along axis 0 of its inputs and outputs.
  ///   - seed: The seed of the initial values.
  ///   - engine: The engine for its programs; nil makes one with all cores.
  /// - Throws: ``ModelError`` if the graph has no output, another batch size can't be traced or its
  ///   parameters don't fit in memory, `EngineError` when an engine can't be made.
  public init(
    template: some GraphTemplate, seed: UInt64 = 0, engine: Engine? = nil
  ) throws {
    let graph = template.sample
    guard let output = graph.outputs.first else { throw ModelError.noOutput }
    inputs = graph.inputs.map { port in
      let type = graph.type(of: port.value)
      return Input(
        name: port.name, shape: Shape(Array(type.shape.dropFirst())), elementType: type.elementType)
    }
    outputShape = Shape(Array(graph.type(of: output.value).shape.dropFirst()))
    if template.fixedBatchSize == nil { try Self.checkBatch(template, inputs, outputShape) }
    try ModelError.checkMemory(of: graph)
    self.template = template
    preprocessing = template.preprocessing
    classNames = template.classNames
    classAxis = template.classAxis
    self.seed = seed
    self.engine = try engine ?? Engine()
    store = ParameterStore(graph, seed: seed)
    predictor = Predictor(template, store: store, engine: self.engine, seed: seed)
  }

  /// Why a batch's examples aren't proved to be computed independently; nil if they are.
  ///
  /// Training and evaluation in batches require examples that are computed independently: otherwise
  /// the network would learn their order, and results would depend on the batch size.
  ///
  /// - Throws: `GraphError`, or whatever the template throws.
  public func rowMixing() throws -> Graph.RowMixing? {
    if let known = knownRowMixing { return known }
    let mixing = try template.rowMixing(of: inputs.map { ValueType($0.shape, $0.elementType) })
    knownRowMixing = .some(mixing)
    return mixing
  }
  private var knownRowMixing: Graph.RowMixing??

  /// A model of a layer for one input of `float32`.
  ///
  /// - Parameters:
  ///   - layer: The layer.
  ///   - input: The shape of one example, as in `[channels, height, width]`.
  ///   - seed: The seed of the initial values.
  ///   - engine: The engine for its programs; nil makes one with all cores.
  /// - Throws: `GraphError` naming the layer that doesn't fit the input, ``ModelError`` if the
  ///   batch isn't axis 0 throughout, `EngineError` when an engine can't be made.
  public convenience init(
    _ layer: some Layer, input: Shape, seed: UInt64 = 0, engine: Engine? = nil
  ) throws {
    try self.init(
      inputs: [Input(shape: input)], seed: seed, engine: engine
    ) { try layer($0[0]) }
  }

  /// A model of the layers in the braces, one after the other, for one input of `float32`.
  ///
  /// - Throws: As ``init(_:input:seed:engine:)``.
  public convenience init(
    input: Shape, seed: UInt64 = 0, engine: Engine? = nil,
    @Sequential.Builder _ layers: () -> Sequential
  ) throws {
    try self.init(layers(), input: input, seed: seed, engine: engine)
  }

  /// A model of any number of inputs.
  ///
  /// - Parameters:
  ///   - inputs: The inputs, of different names.
  ///   - seed: The seed of the initial values.
  ///   - engine: The engine for its programs; nil makes one with all cores.
  ///   - trace: Traces the prediction from the inputs.
  /// - Throws: As ``init(_:input:seed:engine:)``, and what `trace` throws.
  public convenience init(
    inputs: [Input], seed: UInt64 = 0, engine: Engine? = nil,
    trace: ([Symbol]) throws -> Symbol
  ) throws {
    programmerError(
      unless: Set(inputs.map(\.name)).count == inputs.count,
      "inputs of one name: \(inputs.map(\.name))")
    let plan = InitializationPlan()
    let graph = try InitializationPlan.$current.withValue(plan) {
      let builder = GraphBuilder()
      let symbols = inputs.map { builder.input($0.name, $0.batchType(Self.nominalBatch)) }
      builder.output("output", try trace(symbols))
      return builder.result
    }
    plan.study(graph)
    try self.init(template: graph, seed: seed, engine: engine)
  }

  private static let nominalBatch = 2

  /// Traces the graph for one more batch size, so that a layer with a fixed batch size is found now
  /// and not at the first short batch.
  private static func checkBatch(
    _ template: some GraphTemplate, _ inputs: [Input], _ output: Shape
  ) throws {
    let count = nominalBatch + 1
    let got: String
    do {
      let builder = GraphBuilder()
      let types = inputs.map { $0.batchType(count) }
      try builder.replay(template.graph(for: types), inputTypes: types, mode: .inference)
      let traced = builder.result
      let shape = traced.type(of: traced.outputs[0].value).shape
      guard shape != Shape([count] + output.dimensions) else { return }
      got = "an output \(shape) for \(count) examples"
    } catch let error as GraphError {
      got = "for \(count) examples: \(error)"
    }
    throw ModelError.batchWiredIn(got: got)
  }

  /// A cache of programs that compute `loss` on this model, for training or evaluation.
  ///
  /// Each call makes a new, empty one: keep it. Without a loss, its programs only predict.
  public func cache(loss: Loss?) -> Program.Cache {
    let trace = loss.map { loss in
      loss.terms(beforeActivation: template.leavesFinalActivationToLoss)
    }
    return Program.Cache(template: template, store: store, engine: engine, terms: trace)
  }

  /// The class axis of the predictions for a loss.
  ///
  /// - Parameters:
  ///   - loss: The loss.
  ///   - target: The type of one example's target.
  ///   - summingAxes: The axes along which all target probabilities sum to 1; nil if not computed.
  /// - Returns: The axis; nil if the loss has no classes.
  /// - Throws: ``LossError`` when the targets don't suit the predictions.
  public func classAxis(
    of loss: Loss, target: ValueType, summingAxes: Set<Int>? = nil
  ) throws(LossError) -> Loss.ClassAxis? {
    guard case .classes(let chosen) = loss.targets else { return nil }
    return try Loss.ClassAxis(
      predictions: Shape([Self.nominalBatch] + outputShape.dimensions),
      targets: ValueType(
        Shape([Self.nominalBatch] + target.shape.dimensions), target.elementType),
      chosen: chosen, modelAxis: classAxis, summingAxes: summingAxes, softmaxAxis: end.softmaxAxis,
      loss: loss.name)
  }

  /// The end of the network.
  private var end: NetworkEnd { NetworkEnd(of: graph.outputs[0].value, in: graph) }

  /// Whether the network ends in the activation that `loss` includes, so that the loss uses its
  /// input: predictions are then probabilities, otherwise logits.
  public func predictsProbabilities(of loss: Loss, classAxis: Loss.ClassAxis?) -> Bool {
    guard template.leavesFinalActivationToLoss,
      let activation = loss.activation(classAxis: classAxis?.axis)
    else { return false }
    return end.final(activation) != nil
  }

  /// The predictions that `loss` would mistake for logits; nil if there are none.
  package func probabilitiesTakenForLogits(by loss: Loss, classAxis: Loss.ClassAxis?)
    -> MistakenLogits?
  {
    guard let activation = loss.activation(classAxis: classAxis?.axis),
      !predictsProbabilities(of: loss, classAxis: classAxis)
    else { return nil }
    return end.probabilities(takenFor: activation)
  }

  /// Predicts for a batch in inference mode.
  ///
  /// A model for one batch size takes any number of examples if it is proved that they are computed
  /// independently: batches are padded, and the padding is removed from the results.
  ///
  /// - Parameter batch: [N, …] of the input's shape and type.
  /// - Returns: [N, …] of ``outputShape``: logits unless the model ends in an activation.
  /// - Throws: ``ModelError/batch(input:expected:got:)`` when the batch doesn't fit,
  ///   ``ModelError/fixedBatch(size:got:reason:)``.
  public func predict(_ batch: Tensor) throws -> Tensor { try predict([batch]) }

  /// Predicts for a batch in inference mode, given for each input in order.
  ///
  /// - Throws: ``ModelError/batch(input:expected:got:)`` when a batch doesn't fit,
  ///   ``ModelError/inputCount(expected:got:)`` when there are too few or too many.
  public func predict(_ batches: [Tensor]) throws -> Tensor {
    guard batches.count == inputs.count else {
      throw ModelError.inputCount(expected: inputs.count, got: batches.count)
    }
    let count = batches.first?.shape.first ?? 0
    for (input, batch) in zip(inputs, batches) {
      guard count > 0, ValueType(batch.shape, batch.elementType) == input.batchType(count) else {
        throw ModelError.batch(
          input: input.name,
          expected: "\(input.elementType) [N"
            + input.shape.map { ", \($0)" }.joined() + "] with the same N above 0 for each input",
          got: "\(batch)")
      }
    }
    return try predictor.predict(batches)
  }
}

/// A model that can't be made or fed as asked.
public enum ModelError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A name that no built-in model has.
  case unknownName(String)
  /// A name that no built-in model for texts has.
  case unknownTextModel(String)
  /// A built-in model for texts that doesn't predict classes, or nothing else.
  case otherTextModel(String, isForClasses: Bool)
  /// A built-in model that doesn't take examples of this shape.
  case inputDoesNotFit(model: String, input: Shape, reason: GraphError)
  /// A number of classes that isn't positive.
  case classCount(Int)
  /// An example without elements.
  case emptyInput(Shape)
  /// A graph that computes nothing.
  case noOutput
  /// A graph whose outputs don't follow the batch size.
  case batchWiredIn(got: String)
  /// A batch of another type than the model's input.
  case batch(input: String, expected: String, got: String)
  /// More parameters than the process has memory for with their gradients.
  case parametersTooLarge(byteCount: Int, memory: Int)
  /// A number of batches other than that of the model's inputs.
  case inputCount(expected: Int, got: Int)
  /// A preprocessing, which is for a single input, for a model with several inputs.
  case preprocessingOfSeveral(inputs: Int)
  /// A number of rows other than the model is made for, which can't be cut or padded.
  case fixedBatch(size: Int, got: Int, reason: Graph.RowMixing)
  /// Inputs that can't be cut into batches and take more memory than the process may take.
  case wholeTooLarge(byteCount: Int, memory: Int, reason: Graph.RowMixing)

  /// Refuses a graph whose variables take more memory than there is, before any is taken.
  static func checkMemory(of graph: Graph) throws(ModelError) {
    let byteCount = ParameterStore.byteCount(of: graph)
    let memory = AvailableMemory.byteCount()
    guard byteCount <= memory else {
      throw .parametersTooLarge(byteCount: byteCount, memory: memory)
    }
  }

  /// What, expected, got and what to do.
  public var description: String {
    switch self {
    case .unknownName(let name):
      "model: expected one of \(BuiltInModel.names.joined(separator: ", ")), got \"\(name)\""
    case .unknownTextModel(let name):
      "model for texts: expected one of \(TextModel.names.joined(separator: ", ")), got \"\(name)\""
    case .otherTextModel(let name, let isForClasses):
      "model \(name) predicts \(isForClasses ? "the next token" : "a class of a text"), but the data have "
        + (isForClasses ? "a class for each text" : "the next tokens as targets")
        + "; choose one of "
        + TextModel.all.filter { isForClasses ? $0.predictsClasses : $0.predictsTokens }
        .map(\.name).joined(separator: ", ")
    case .inputDoesNotFit(let model, let input, let reason):
      "model \(model) can't take examples of shape \(input): \(reason); small-cnn takes images of "
        + "any size, mlp examples of any shape"
    case .classCount(let count):
      "model: expected at least 1 class, got \(count)"
    case .emptyInput(let shape):
      "model: expected examples with at least one element, got shape \(shape)"
    case .noOutput:
      "model: expected a graph with an output, got none"
    case .batchWiredIn(let got):
      "model: expected a graph whose outputs follow the batch size along axis 0, got \(got); "
        + "write -1 for the batch where a layer reshapes"
    case .batch(let input, let expected, let got):
      "\(input): expected \(expected), got \(got)"
    case .parametersTooLarge(let byteCount, let memory):
      "model: parameters and gradients take \(byteCount) bytes, expected at most the \(memory) that "
        + "this process may take; use fewer units or channels, or a smaller input, or raise its limit"
    case .inputCount(let expected, let got):
      "inputs: expected \(expected), got \(got); give one tensor for each input of the model"
    case .preprocessingOfSeveral(let inputs):
      "model: its preprocessing is for one input, but it has \(inputs); use values as they are, and preprocess "
        + "them before"
    case .fixedBatch(let size, let got, let reason):
      "the model is made for batches of \(size), got \(got) examples, which can't be cut or padded: it "
        + "isn't proved that they are computed independently: \(reason); give \(size), or export the model "
        + "with a dynamic batch"
    case .wholeTooLarge(let byteCount, let memory, let reason):
      "the inputs are predicted as a whole, because it isn't proved that rows are computed independently: "
        + "\(reason); their values take \(byteCount) bytes, expected at most the \(memory) that this "
        + "process may take; give fewer rows"
    }
  }
}
