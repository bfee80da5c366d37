public import CrestGraph
public import CrestTensor

/// A model from an ONNX file, which gives a graph for each batch size.
///
/// ONNX models compute shapes from shapes, so the nodes are traced again for concrete inputs, and
/// what depends on shapes and constants only is computed on the way.
public struct ONNXTemplate: GraphTemplate {
  /// The graph for the batch size that the file states, or for 2.
  public let sample: Graph
  /// The batch size, when the file's shapes hold for one only.
  public let fixedBatchSize: Int?
  /// Yes: a file for inference often ends in probabilities.
  public var leavesFinalActivationToLoss: Bool { true }
  /// A hash of the file's bytes, without external data files.
  public var sourceFingerprint: String? {
    trace.model.proto.source.withBytes { bytes in
      var hash = Fingerprint()
      hash.add(bytes)
      return hash.text
    }
  }
  /// The name of the file, as in messages.
  public var fileName: String { trace.model.file }
  /// How the file behaves differently when run as it is; see `ONNXFile.trainingMode`.
  public let trainingMode: TrainingReadiness.Note?
  /// What matters for training.
  public private(set) var readiness: TrainingReadiness
  /// The entries of the file's metadata; for a repeated key, the first.
  public var metadata: [String: String] {
    Dictionary(
      trace.model.proto.metadata.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first }
    )
  }
  /// What the file says under ``ONNXFile/Metadata/preprocessingKey``.
  public let preprocessing: Preprocessing?
  /// What the file says under ``ONNXFile/Metadata/classNamesKey``; nil with a new head, whose classes are others.
  public let classNames: [String]?
  /// What the file says under ``ONNXFile/Metadata/classAxisKey``.
  public let classAxis: Int?
  let trace: ONNXTrace
  /// Whether the last layer was replaced.
  var hasNewHead: Bool { trace.head != nil }

  /// Reads, checks and traces a model; see ``init(_:inputShapes:selection:headClasses:batchAxes:)``.
  ///
  /// - Throws: ``ONNXError``.
  public init(
    path: String, inputShapes: [String: Shape] = [:],
    selection: ParameterSelection = ParameterSelection(), headClasses: Int? = nil,
    batchAxes: [String: Int] = [:]
  ) throws(ONNXError) {
    try self.init(
      ONNXFile(path: path), inputShapes: inputShapes, selection: selection,
      headClasses: headClasses, batchAxes: batchAxes)
  }

  package init(
    _ proto: ModelProto, inputShapes: [String: Shape] = [:],
    selection: ParameterSelection = ParameterSelection(), headClasses: Int? = nil
  ) throws(ONNXError) {
    try self.init(
      ONNXFile(proto), inputShapes: inputShapes, selection: selection, headClasses: headClasses)
  }

  /// Traces a model.
  ///
  /// - Parameters:
  ///   - file: The model's file.
  ///   - inputShapes: The shape of one example for inputs, by name, where the file leaves sizes open.
  ///   - selection: Which arrays are trained.
  ///   - headClasses: The outputs of a new last layer, with new weights: He normal before a ReLU,
  ///     otherwise Xavier uniform, biases 0, drawn from the model's seed. An export has it in place
  ///     of the file's, under the same names. The file's own when nil.
  ///   - batchAxes: The axis of inputs, by name, along which the file has the examples of a batch; 0 for
  ///     others. The model's own inputs and outputs have the examples along axis 0 all the same: the graph
  ///     moves the axes of inputs, and of the first output wherever it has the examples.
  /// - Throws: ``ONNXError``.
  /// - Precondition: `headClasses` is at least 1.
  public init(
    _ file: ONNXFile, inputShapes: [String: Shape] = [:],
    selection: ParameterSelection = ParameterSelection(), headClasses: Int? = nil,
    batchAxes: [String: Int] = [:]
  ) throws(ONNXError) {
    let model = file.model
    trainingMode = file.trainingMode
    try model.checkOperations()
    let reader = TensorReader(model.proto)
    let externals = model.proto.externalTensors
    try reader.checkSideFiles(of: externals)
    var head: HeadReplacement?
    if let headClasses {
      programmerError(unless: headClasses >= 1, "a head of \(headClasses) classes")
      head = try HeadReplacement(model, classes: headClasses)
    }
    let plan = try ParameterPlan(model, reader, selection, head: head)
    let inputs = try InputTypes(model, shapes: inputShapes, axes: batchAxes)
    var trace = ONNXTrace(
      model: model, plan: plan, reader: reader, head: head,
      layout: BatchLayout(inputAxes: inputs.axes))
    let batch = inputs.declaredBatch ?? 2
    var nominal = try trace.graph(inputs.types(batch: batch))
    try head?.check(nominal.type(of: nominal.outputs[0].value).shape, of: model)
    if let axis = nominal.axisOfExamples(batch), axis != 0 {
      trace.layout?.outputAxis = axis
      nominal = try trace.graph(inputs.types(batch: batch))
    }
    self.trace = trace
    try reader.hold(externals)
    let metadata = try ONNXFile.Metadata(model)
    preprocessing = metadata.preprocessing
    classNames = head == nil ? metadata.classNames : nil
    classAxis = metadata.classAxis
    sample = nominal
    let output = nominal.type(of: nominal.outputs[0].value)
    guard output.shape.first == batch else {
      throw .invalid(
        file: model.file,
        ONNXError.ModelProblem(
          place: "output \"\(model.outputs[0].name)\"",
          expected: "the batch of \(batch) along axis 0", got: "\(output)",
          advice: "export the model with the batch along axis 0 throughout"))
    }
    let isFrozen = try inputs.declaredBatch.map { declared throws(ONNXError) in
      try !trace.follows(batch: declared + 1, inputs)
    }
    fixedBatchSize = isFrozen ?? false ? inputs.declaredBatch : nil
    readiness = TrainingReadiness(
      notes: model.notes(plan: plan, declaredBatch: inputs.declaredBatch, isFrozen: isFrozen)
        + plan.notes)
    // A batch that can't be traced is for the model to refuse.
    if let mixing = try? rowMixing(of: inputs.examples) {
      readiness = TrainingReadiness(notes: readiness.notes + [.rowsTogether(mixing)])
    }
  }

  /// The graph for inputs of concrete types.
  ///
  /// - Throws: ``ONNXError`` when the model doesn't take them.
  public func graph(for inputTypes: [ValueType]) throws -> Graph {
    if inputTypes == sample.inputs.map({ sample.type(of: $0.value) }) { return sample }
    if let fixedBatchSize, let type = inputTypes.first(where: { $0.shape.first != fixedBatchSize })
    {
      throw ONNXError.invalid(
        file: trace.model.file,
        ONNXError.ModelProblem(
          place: "inputs", expected: "batches of \(fixedBatchSize), for which the model is made",
          got: "\(type)",
          advice: "use that batch size and a number of examples that it divides, or export the "
            + "model with a dynamic batch"))
    }
    return try trace.graph(inputTypes)
  }
}

extension Graph {
  /// Along which axis the first output has the examples of a batch, which lie along axis 0 of each input, if
  /// that is proved; nil otherwise.
  fileprivate func axisOfExamples(_ batch: Int) -> Int? {
    // In a batch of one every axis of size 1 may be that of the examples.
    guard batch >= 2,
      let analysis = try? rowAnalysis(
        inputs.map { type(of: $0.value) }, axes: inputs.map { _ in 0 }, count: batch),
      case .along(let axis, inner: 1) = analysis.outputs[0],
      analysis.shape(ofOutput: 0)[axis] == batch
    else { return nil }
    return axis
  }
}
