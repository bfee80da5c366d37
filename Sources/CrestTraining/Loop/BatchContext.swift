import CrestData
public import CrestGraph
import CrestLayers
public import CrestOptimizers
public import CrestRuntime
public import CrestTensor

/// What hooks see of a batch; one object serves all batches of a pass.
public final class BatchContext: PhaseContext {
  /// The pass it belongs to.
  public let pass: PassContext
  /// The fit the batch belongs to.
  public let fit: FitContext
  /// The index in the pass, from 0.
  public private(set) var index = 0
  /// The number of examples.
  public private(set) var count = 0
  /// The optimiser step of the fit that the batch leads to, from 0; in validation the steps taken so far.
  public private(set) var step = 0
  /// The key of the batch's dropout masks.
  public private(set) var randomKey = RandomKey(seed: 0, step: 0)
  /// The model's inputs, in order.
  ///
  /// A `beforeBatch` hook may replace the values, not the types.
  public var inputs: [Tensor] = []
  /// The targets.
  ///
  /// A `beforeBatch` hook may replace the values, not the type.
  public var targets = BatchContext.nothing
  /// The loss of the batch, which is minimised; NaN before it is computed.
  public internal(set) var loss = Float.nan
  /// What the sum of losses was divided by, where examples have weights; nil where all count alike.
  ///
  /// Where nothing counts it is 0, and so are the loss and its gradients.
  public internal(set) var lossWeight: Double?
  private var program: Program?
  /// The rows that the model is given, those that a batch is filled up by included.
  private var rowCount = 0
  private var isRunning = false
  /// Whether a callback has called ``goBack(to:_:)`` in this batch: what was gathered from the weights before, such as
  /// sums of gradients, is then void.
  public private(set) var hasGoneBack = false
  private let inputOrder: [Int]?

  private static let nothing = Tensor(zeros: [0])

  init(_ pass: PassContext, inputOrder: [Int]?) {
    self.pass = pass
    fit = pass.epoch.fit
    self.inputOrder = inputOrder
    super.init(pass.learner)
  }

  /// The index of its epoch in the fit, from 0.
  public var epoch: Int { pass.epoch.index }

  /// Whether the batch is for training rather than validation.
  public var isTraining: Bool { pass.purpose == .training }

  /// The effective hyperparameters.
  public var hyperparameters: Hyperparameters { learner.hyperparameters }

  /// What an event of a plugin tells of a batch: one call instead of eight, since there are many events.
  package struct Numbers {
    package let index, step, count: Int
    package let loss: Float
    package let smoothedLoss: Double
    package let hyperparameters: Hyperparameters
  }

  /// The numbers at this hook.
  package var numbers: Numbers {
    Numbers(
      index: index, step: step, count: count, loss: loss,
      smoothedLoss: fit.state.smoothedLoss.value,
      hyperparameters: learner.hyperparameters)
  }

  /// What callbacks have reported of the batch, by name.
  public private(set) var reports: [String: Double] = [:]

  /// Reports a number of the batch, which ``Callback/stepReports`` declares; a later one of the same name replaces it.
  ///
  /// - Precondition: a callback of the fit has `name` among its step reports.
  public func report(_ value: Double, as name: String) {
    programmerError(
      unless: fit.stepReportNames.contains(name),
      "\(name) was reported of a batch, which no callback has among its step reports")
    reports[name] = value
  }

  /// Computes the gradients of the batch at the parameters as they are now, with the random numbers that the batch has,
  /// and calls `body` while the store has them.
  ///
  /// It is called in `afterStep` hooks. Afterwards gradients and running statistics are as before. The pass runs in a
  /// program of its own, so that what the batch has computed stays readable.
  ///
  /// - Precondition: a training batch is running.
  /// - Throws: What `body` or the compiler throws.
  public func withGradientsRecomputed<Result>(_ body: () throws -> Result) throws -> Result {
    programmerError(
      unless: isRunning && isTraining, "gradients were recomputed outside of a training batch")
    let store = learner.model.store
    let gradients = store.withBuffer(.gradients) { Array($0) }
    let statistics = store.withBuffer(.statistics) { Array($0) }
    defer {
      store.withBuffer(.gradients) { _ = $0.update(fromContentsOf: gradients) }
      store.withBuffer(.statistics) { _ = $0.update(fromContentsOf: statistics) }
    }
    try computeGradients()
    return try body()
  }

  /// Replaces the gradients of the batch by those at the parameters as they are now, with the random numbers that the
  /// batch has.
  ///
  /// It is called in `afterBackward` hooks, before what adds up or clips gradients. Running statistics are as before, and
  /// what the batch has computed stays readable.
  ///
  /// - Precondition: a training batch is running.
  /// - Throws: What the compiler throws.
  public func recomputeGradients() throws {
    programmerError(
      unless: isRunning && isTraining, "gradients were replaced outside of a training batch")
    let store = learner.model.store
    let statistics = store.withBuffer(.statistics) { Array($0) }
    defer { store.withBuffer(.statistics) { _ = $0.update(fromContentsOf: statistics) } }
    try computeGradients()
  }

  private func computeGradients() throws {
    let filled = try filled()
    let program = try learner.program(
      for: filled, isTraining: true, reads: learner.loop?.reads ?? [],
      of: learner.measuringPrograms)
    try filled.feed(program)
    for stage in [Graph.Stage.forward, .loss, .backward] {
      try program.run(stage, random: randomKey)
    }
  }

  /// A copy of what the model computed.
  ///
  /// - Precondition: a callback of the fit has it among its ``Callback/reads``, and the stage it comes
  ///   from has run.
  public func read(_ capture: Capture) -> Tensor {
    guard let program else {
      programmerError("\(capture) was asked for before the batch was given to the model")
    }
    let value = program.read(capture)
    guard rowCount > count, value.shape.first == rowCount else { return value }
    return value.slice(0..<count, along: 0)
  }

  /// Calls `body` with the type and the elements, in row-major order, of what the model computed; they
  /// must not escape.
  ///
  /// - Precondition: as of ``read(_:)``.
  public func withRead<Result, Failure: Error>(
    _ capture: Capture, _ body: (ValueType, UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let program else {
      programmerError("\(capture) was asked for before the batch was given to the model")
    }
    return try program.withRead(capture) { (type, bytes) throws(Failure) -> Result in
      guard rowCount > count, type.shape.first == rowCount else { return try body(type, bytes) }
      let ownType = ValueType(
        Shape([count] + type.shape.dimensions.dropFirst()), type.elementType)
      return try body(
        ownType, UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count / rowCount * count)))
    }
  }

  /// Whether a prediction is not a number.
  ///
  /// - Precondition: a callback of the fit has the predictions among its ``Callback/reads``, and they are computed.
  public var hasNaNPrediction: Bool { withRead(.predictions, Program.holdsNaN) }

  /// What isn't finite of the parameters and the optimiser's moments, each with its first such number: in an
  /// `afterStep` hook, after the step.
  public var nonFiniteUpdates: [Program.NonFinite] {
    learner.model.store.nonFiniteUpdates(of: learner.trained.count)
  }

  /// Runs the batch once more with the same random numbers, every operation separately, and returns
  /// where a non-finite number first appears; nil when all are finite.
  ///
  /// The statistics that this changes are restored.
  ///
  /// - Throws: `GraphError` or `ProgramError` when the program can't be compiled.
  public func firstNonFinite() throws -> Program.NonFinite? {
    programmerError(unless: isRunning, "numbers were looked for after their batch had ended")
    return try filled().firstNonFinite(learner, isTraining: isTraining, random: randomKey)
  }

  /// Takes training back to an earlier state of parameters, running statistics and moments, from an `afterLoss` or
  /// `afterStep` hook; the learner gets a note.
  ///
  /// Data, schedules and random numbers go on as they are. A loss that isn't finite doesn't count, and
  /// ``FitContext/smoothedLoss`` begins anew. In validation, the pass begins again. From an `afterLoss` hook, throw a
  /// ``Cancel`` of the batch afterwards, which has nothing more to compute with.
  ///
  /// - Precondition: the batch is running, and `state` is of this learner.
  public func goBack(to state: Learner.TrainingState, _ backOff: Learner.BackOff) {
    programmerError(unless: isRunning, "training went back after its batch had ended")
    learner.restore(state)
    learner.loop?.takeBack(loss, isTraining: isTraining)
    // As of a validation that is resumed.
    if !isTraining { pass.epoch.learningRate = learner.hyperparameters.learningRate }
    learner.add(.backedOff(backOff))
    hasGoneBack = true
  }

  /// Replaces the previous batch.
  func begin(_ batch: Batch, randomKey: RandomKey) {
    index = batch.index
    count = batch.count
    step = fit.stepsTaken
    loss = .nan
    lossWeight = nil
    hasGoneBack = false
    if !reports.isEmpty { reports = [:] }
    inputs = Learner.ordered(batch.inputs, by: inputOrder)
    targets = batch.targets
    self.randomKey = randomKey
    isRunning = true
  }

  /// The batch as the hooks left it.
  func filled() throws -> FilledBatch {
    try learner.filled(inputs, targets, index: index, count: count, isTraining: isTraining)
  }

  /// Checks the targets, and the other numbers unless that was done before.
  func check(_ batch: FilledBatch, numbers: Bool) throws(LearnerError) {
    let loader = isTraining ? learner.trainLoader : learner.validLoader
    try batch.check(
      learner, of: loader.dataset, by: inputOrder, numbers: numbers, isTraining: true
    ) { row in
      let place = index * loader.batchSize + row
      return isTraining ? loader.order(epoch: pass.order)[place] : place
    }
  }

  /// Gives the batch to the model.
  func feed(_ program: Program, _ batch: FilledBatch) throws(ProgramError) {
    self.program = program
    rowCount = batch.size
    try batch.feed(program)
  }

  /// Releases the batch, so that the loader can reuse its memory.
  func release() {
    isRunning = false
    inputs = []
    targets = Self.nothing
    program = nil
  }
}
