import CCrestKernels
public import CrestGraph
public import CrestTensor

/// A graph compiled for concrete shapes: stages of kernel calls on planned memory.
///
/// The stages run in order (forward, loss, backward); between them, callbacks may look at what the
/// request declared. Parameters and statistics are read from, and gradients and statistics written
/// to, the store the program was compiled with. Running a stage allocates nothing, unless a node
/// runs on the reference (``referenceNodes``). Not thread-safe.
public final class Program {
  /// What the program was compiled for.
  public let request: Request
  /// The type of the model's first output.
  public let predictionType: ValueType
  /// Nodes without a kernel, which run on the slow reference.
  public let referenceNodes: [ReferenceNode]
  /// The size of the memory that holds everything between inputs and loss, in bytes.
  public var arenaByteCount: Int { buffers.arenaByteCount }

  /// Where a part of a batch is copied to.
  struct Input {
    let name: String
    let type: ValueType
    let buffer: BufferID
    /// Where it chooses by index, what it may choose from.
    let choices: Demands.IndexRange?
  }

  let compiled: CompiledGraph
  private let engine: Engine
  let store: ParameterStore
  private let buffers: ProgramMemory
  private let places: [Graph.ValueID: BufferID]
  let inputs: [Input]
  let target: Input?
  private let stages: [[() -> Void]]
  private let kernels: [[KernelUse]]
  let nodeBuffers: [[BufferID]]
  let memory: Memory

  /// Compiles `template` for `request`.
  ///
  /// - Throws: `GraphError` or the template's own error when a layer doesn't take the shapes,
  ///   ``ProgramError`` when a read names no layer.
  public convenience init(
    _ template: any GraphTemplate, _ request: Request, store: ParameterStore, engine: Engine,
    loss: LossTrace?
  ) throws {
    try self.init(
      template, request, store: store, engine: engine,
      terms: loss.map(LossTerms.trace))
  }

  /// Compiles `template` for `request`, with losses that may have weights.
  package init(
    _ template: any GraphTemplate, _ request: Request, store: ParameterStore, engine: Engine,
    terms loss: LossTermsTrace?
  ) throws {
    let inputCount = template.sample.inputs.count
    guard request.inputTypes.count == inputCount else {
      throw ProgramError.inputCount(
        expected: inputCount, got: request.inputTypes.count)
    }
    let compiled = try CompiledGraph(
      template, request, loss: loss, convolutions: engine.convolutions)
    var plan = ProgramPlan(compiled, store: store, engine: engine)
    let layout = plan.finish(sharing: !request.isDiagnosing)
    let graph = compiled.graph
    self.request = request
    self.compiled = compiled
    self.store = store
    self.engine = engine
    predictionType = graph.type(of: compiled.predictions[0])
    referenceNodes = plan.lowering.referenceNodes
    places = plan.places
    buffers = try ProgramMemory(plan.lowering, layout, store)
    let memory = buffers.memory
    self.memory = memory

    let steps = plan.lowering.steps
    stages = Graph.Stage.allCases.map { stage in
      steps.filter { $0.stage == stage }.map { step in
        let call = KernelCall(step, memory, engine)
        return { step.run(call) }
      }
    }
    kernels = Graph.Stage.allCases.map { stage in
      steps.filter { $0.stage == stage }.map { step in
        KernelUse(name: step.name, path: step.node.map { graph.nodes[$0].path } ?? "", stage: stage)
      }
    }
    var nodeBuffers = [[BufferID]](repeating: [], count: graph.nodes.count)
    for step in steps { if let node = step.node { nodeBuffers[node] += step.writes } }
    self.nodeBuffers = nodeBuffers
    let (ranges, places) = (graph.indexRanges, plan.places)
    let given = graph.inputs.map { port in
      guard let buffer = places[port.value] else {
        programmerError("input \(port.name) has no place")
      }
      return Input(
        name: port.name, type: graph.type(of: port.value), buffer: buffer,
        choices: ranges[port.value])
    }
    inputs = Array(given.prefix(inputCount))
    target = given.dropFirst(inputCount).first
  }

  /// What it computes: forward, loss and backward, as compiled.
  package var compiledGraph: Graph { compiled.graph }

  /// Whether the program computes a loss.
  public var hasLoss: Bool { compiled.loss != nil }

  /// Copies the inputs of a batch in.
  ///
  /// - Throws: ``ProgramError`` when one isn't of the type the program was compiled for.
  public func setInputs(_ tensors: [Tensor]) throws(ProgramError) {
    guard tensors.count == inputs.count else {
      throw ProgramError.inputCount(expected: inputs.count, got: tensors.count)
    }
    for (input, tensor) in zip(inputs, tensors) {
      if let choices = input.choices,
        let (place, value) = Self.firstIndex(in: tensor, outside: choices)
      {
        throw ProgramError.index(value, name: input.name, place: place, size: choices.count)
      }
      try copy(tensor, to: input)
    }
  }

  /// The first index that there is nothing for, and its place.
  private static func firstIndex(
    in indices: Tensor, outside range: Demands.IndexRange
  ) -> (place: Int, value: Int64)? {
    func first(_ values: some Collection<Int64>) -> (place: Int, value: Int64)? {
      values.enumerated().first { !range.allows($1) }.map { ($0.offset, $0.element) }
    }
    // Without a copy where there need be none: this is done with each batch.
    guard indices.elementType != .int64 else {
      return indices.withElements(as: Int64.self) { first($0) }
    }
    return indices.integers.flatMap { first($0) }
  }

  /// Copies the target of a batch in.
  ///
  /// - Throws: ``ProgramError`` when it isn't of the compiled type, or a label has no output.
  /// - Precondition: the program has a loss.
  public func setTarget(_ tensor: Tensor) throws(ProgramError) {
    guard let target else { programmerError("a program without a loss takes no target") }
    if let classes = target.choices, tensor.elementType == .int64,
      let (place, label) = Self.firstIndex(in: tensor, outside: classes)
    {
      throw ProgramError.label(label, index: place, classCount: classes.count)
    }
    try copy(tensor, to: target)
  }

  private func copy(
    _ tensor: Tensor, to place: Input
  ) throws(ProgramError) {
    let type = ValueType(tensor.shape, tensor.elementType)
    guard type == place.type else {
      throw ProgramError.type(name: place.name, expected: place.type, got: type)
    }
    tensor.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      memory[place.buffer].copyMemory(from: base, byteCount: bytes.count)
    }
  }

  /// Runs one stage; the stages before it must have run on the same batch.
  ///
  /// - Parameters:
  ///   - stage: Forward, loss or backward.
  ///   - key: The key of the step's dropout masks.
  /// - Throws: ``ProgramError/computedIndex(operation:path:_:)`` when an index that the graph
  ///   computes is out of range; the stage's results must not be used then.
  public func run(_ stage: Graph.Stage, random key: RandomKey) throws(ProgramError) {
    memory.state.key = key
    memory.state.fault = nil
    let steps = stages[stage.rawValue]
    engine.exclusively {
      for step in steps {
        step()
        if memory.state.fault != nil { break }
      }
    }
    guard let (node, error) = memory.state.fault else { return }
    let place = node.map { compiled.graph.nodes[$0] }
    throw .computedIndex(
      operation: place?.operation.name ?? "", path: place?.path ?? "", error)
  }

  /// The loss of the batch, which is minimised, once the loss stage has run.
  ///
  /// - Precondition: the program has a loss.
  public var loss: Float {
    guard let loss = compiled.loss, let buffer = places[loss] else {
      programmerError("the program computes no loss")
    }
    return memory.floats(buffer)[0]
  }

  /// The sum of weights that the losses were divided by, once the loss stage has run; nil where they have none.
  package var lossWeight: Float? {
    guard let value = compiled.lossWeight?.sum, let buffer = places[value] else { return nil }
    return memory.floats(buffer)[0]
  }

  /// The weights of the losses, where they have any and the request declared the losses.
  package var lossWeights: Tensor? {
    guard let value = compiled.lossWeight?.each, let buffer = places[value] else { return nil }
    return tensor(compiled.graph.type(of: value), buffer)
  }

  /// A copy of what the request declared.
  ///
  /// - Precondition: it was declared.
  public func read(_ capture: Capture) -> Tensor {
    withRead(capture) { type, bytes in
      Tensor(bytes: bytes, shape: type.shape, elementType: type.elementType)
    }
  }

  /// Calls `body` with the type and the elements, in row-major order, of a value the request declared;
  /// they must not escape.
  ///
  /// - Precondition: it was declared.
  public func withRead<Result, Failure: Error>(
    _ capture: Capture, _ body: (ValueType, UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    programmerError(
      unless: capture != .losses || hasLoss, "\(capture) is not computed: the program has no loss")
    guard let value = compiled.reads[capture], let buffer = places[value] else {
      let reads = request.reads.map { "\($0)" }.sorted().joined(separator: ", ")
      programmerError("\(capture) is not among the reads [\(reads)]")
    }
    let type = compiled.graph.type(of: value)
    return try body(
      type,
      UnsafeRawBufferPointer(
        start: memory[buffer], count: type.shape.elementCount * type.elementType.byteCount))
  }

  /// A copy of each output of the model.
  public func outputs() -> [Tensor] {
    compiled.predictions.map { value in
      guard let buffer = places[value] else { programmerError("\(value) has no place") }
      return tensor(compiled.graph.type(of: value), buffer)
    }
  }

  /// Calls `body` with the first output, which must not escape.
  ///
  /// - Precondition: it is `float32`.
  public func withPredictions<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Float>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    programmerError(
      unless: predictionType.elementType == .float32, "the predictions are \(predictionType)")
    guard let buffer = places[compiled.predictions[0]] else {
      programmerError("the predictions have no place")
    }
    return try body(
      UnsafeBufferPointer(
        start: memory.floats(buffer), count: predictionType.shape.elementCount))
  }

  /// Whether the loss follows from the first output alone, so that another may stand in for it before the stage runs.
  ///
  /// Not so where the loss includes the network's last activation, whose input it reads.
  package var lossReadsPredictionsAlone: Bool {
    let graph = compiled.graph
    return graph.nodes.allSatisfy { node in
      node.stage != .loss
        || node.inputs.allSatisfy { input in
          guard let maker = graph.producer(of: input), maker.stage == .forward else { return true }
          return input == compiled.predictions[0]
        }
    }
  }

  /// Puts others in place of the first output, before the loss is computed.
  ///
  /// - Precondition: they are of its type, and ``lossReadsPredictionsAlone``.
  package func replacePredictions(by tensor: Tensor) {
    programmerError(
      unless: ValueType(tensor.shape, tensor.elementType) == predictionType
        && lossReadsPredictionsAlone,
      "predictions of \(predictionType) were to become \(tensor.typeDescription)")
    guard let buffer = places[compiled.predictions[0]] else {
      programmerError("the predictions have no place")
    }
    tensor.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      memory[buffer].copyMemory(from: base, byteCount: bytes.count)
    }
  }

  private func tensor(_ type: ValueType, _ buffer: BufferID) -> Tensor {
    Tensor(
      bytes: UnsafeRawBufferPointer(
        start: memory[buffer], count: type.shape.elementCount * type.elementType.byteCount),
      shape: type.shape, elementType: type.elementType)
  }

  /// The names of the kernel calls of a stage, in order: the compiled graph.
  public func steps(of stage: Graph.Stage) -> [String] { kernels[stage.rawValue].map(\.name) }

  /// The kernel calls of a step of training in order, with the layers they come from.
  ///
  /// A convolution's name says which kernel was chosen for its shape, as in `Conv winograd 4×4`.
  public var kernelUses: [KernelUse] { kernels.flatMap(\.self) }

  /// How long each kernel call takes, in seconds: the least of some runs, after one that isn't counted.
  ///
  /// The stages run on whatever the inputs hold, in order, so results are as of a step of training.
  ///
  /// - Precondition: `repetitions` is positive.
  public func profile(
    repetitions: Int, random key: RandomKey
  ) -> [(kernel: KernelUse, seconds: Double)] {
    programmerError(unless: repetitions > 0, "a profile of \(repetitions) repetitions")
    memory.state.key = key
    let steps = stages.flatMap(\.self)
    var least = [Duration](repeating: .seconds(1 << 30), count: steps.count)
    engine.exclusively {
      for repetition in 0...repetitions {
        for (number, step) in steps.enumerated() {
          let start = ContinuousClock.now
          step()
          let duration = ContinuousClock.now - start
          if repetition > 0 { least[number] = min(least[number], duration) }
        }
      }
    }
    return zip(kernelUses, least).map { ($0, $1 / .seconds(1)) }
  }
}

extension Program {
  /// A kernel call of a program.
  public struct KernelUse: Sendable, Hashable {
    /// What runs, as in `Conv winograd 4×4`.
    public let name: String
    /// The layer it comes from; empty for what belongs to none.
    public let path: String
    /// The part of a step it belongs to.
    public let stage: Graph.Stage
  }
}
