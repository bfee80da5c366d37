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
  // Unchecked, here and in what else `figures` reads: a run-time check costs ten times the read, and a learner
  // is used by one task at a time.

  /// The place in the pass, from 0.
  @exclusivity(unchecked) public private(set) var index = 0
  /// The number of examples.
  @exclusivity(unchecked) public private(set) var count = 0
  /// The optimiser step of the fit that the batch leads to, from 0; in validation the steps taken so far.
  @exclusivity(unchecked) public private(set) var step = 0
  /// The key of the batch's dropout masks.
  public private(set) var randomKey = RandomKey(seed: 0, step: 0)
  /// What the model gets, in the order of its inputs.
  ///
  /// A `beforeBatch` hook may replace the values, not the types.
  public var inputs: [Tensor] = []
  /// What the model should answer.
  ///
  /// A `beforeBatch` hook may replace the values, not the type.
  public var targets = BatchContext.nothing
  /// The mean loss of the batch; NaN before it is computed.
  @exclusivity(unchecked) public internal(set) var loss = Float.nan
  private var program: Program?
  private let inputOrder: [Int]?

  private static let nothing = Tensor(zeros: [0])

  init(_ pass: PassContext, inputOrder: [Int]?) {
    self.pass = pass
    self.inputOrder = inputOrder
    super.init(pass.learner)
  }

  /// The epoch the batch belongs to, as its place in the fit, from 0.
  public var epoch: Int { pass.epoch.index }

  /// The fit the batch belongs to.
  public var fit: FitContext { pass.epoch.fit }

  /// Whether the batch is learned from, and not measured by.
  public var isTraining: Bool { pass.purpose == .training }

  /// The hyperparameters in effect.
  public var hyperparameters: Hyperparameters { learner.hyperparameters }

  /// What changes from batch to batch and from hook to hook, in one call.
  ///
  /// Never inlined: another module would check each access again.
  @inline(never)
  package func figures() -> BatchFigures {
    BatchFigures(
      epoch: pass.epoch.index, isTraining: pass.purpose == .training, index: index, count: count,
      step: step, loss: loss,
      smoothedLoss: pass.epoch.fit.smoothedLoss, hyperparameters: learner.hyperparameters,
      isRunning: outcome.isRunning, isFinished: outcome.isFinished)
  }

  /// A copy of what the model computed.
  ///
  /// - Precondition: a callback of the fit has it among its ``Callback/reads``, and the stage it comes
  ///   from has run.
  public func read(_ read: Read) -> Tensor {
    guard let program else {
      preconditionFailure("\(read) was asked for before the batch was given to the model")
    }
    return program.read(read)
  }

  /// Calls `body` with the type and the elements, in row-major order, of what the model computed; they
  /// must not escape.
  ///
  /// - Precondition: as of ``read(_:)``.
  public func withRead<Result, Failure: Error>(
    _ read: Read, _ body: (ValueType, UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let program else {
      preconditionFailure("\(read) was asked for before the batch was given to the model")
    }
    return try program.withRead(read, body)
  }

  /// Runs the batch once more with the same random numbers, every operation by itself, and tells where a
  /// number that is not finite comes up first; nil when all are finite.
  ///
  /// The statistics that running it changes are put back.
  ///
  /// - Throws: `GraphError` or `ProgramError` when the program can't be compiled.
  public func firstNonFinite() throws -> Program.NonFinite? {
    let program = try learner.programs.program(
      learner.request(isTraining: isTraining, count: count, reads: [], isDiagnosing: true))
    try program.setInputs(inputs)
    try program.setTarget(targets)
    let snapshot = learner.model.store.snapshot()
    defer { learner.model.store.restore(snapshot) }
    try program.run(.forward, random: randomKey)
    try program.run(.loss, random: randomKey)
    if isTraining { try program.run(.backward, random: randomKey) }
    return program.firstNonFinite()
  }

  /// Takes the place of the batch before.
  func begin(_ batch: Batch, randomKey: RandomKey) {
    index = batch.index
    count = batch.count
    inputs = Learner.ordered(batch.inputs, by: inputOrder)
    targets = batch.targets
    step = fit.stepsTaken
    self.randomKey = randomKey
    loss = .nan
  }

  /// Gives the batch to the model.
  func feed(_ program: Program) throws(ProgramError) {
    self.program = program
    try program.setInputs(inputs)
    try program.setTarget(targets)
  }

  /// Lets go of the batch, so that the loader can use its memory again.
  func release() {
    inputs = []
    targets = Self.nothing
    program = nil
  }
}

/// The numbers of a batch at a hook.
package struct BatchFigures {
  /// As in ``BatchContext``.
  package let epoch: Int
  /// As in ``BatchContext``.
  package let isTraining: Bool
  /// As in ``BatchContext``.
  package let index, count, step: Int
  /// As in ``BatchContext``.
  package let loss: Float
  /// As in ``FitContext``.
  package let smoothedLoss: Double
  /// Those in effect.
  package let hyperparameters: Hyperparameters
  /// Whether the phase has not ended, and whether it did all it had to do.
  package let isRunning, isFinished: Bool
}
