import CrestData
import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor

/// A batch as a program is given it.
///
/// A model for one batch size gets the last example again and again, and these copies aren't counted.
struct FilledBatch {
  let index: Int
  /// The inputs, in the model's order.
  let inputs: [Tensor]
  let targets: Tensor
  /// The examples that count.
  let count: Int
  /// The rows that the program is given.
  let size: Int

  /// Whether there are copies.
  var isFilled: Bool { size > count }

  /// The same examples in another form.
  func replacing(inputs: [Tensor]) -> FilledBatch {
    FilledBatch(index: index, inputs: inputs, targets: targets, count: count, size: size)
  }

  /// Looks through the targets, and through the other numbers of a set that isn't in memory.
  ///
  /// - Parameters:
  ///   - learner: Who measures the batch.
  ///   - dataset: The set.
  ///   - inputOrder: The place of each input in the set.
  ///   - numbers: Whether the other numbers are looked through.
  ///   - isTraining: Whether the set is part of a training.
  ///   - example: The example of the set in a row of the batch.
  /// - Throws: ``LearnerError/unusualNumbers(_:)``, and what the loss says of targets.
  func check(
    _ learner: Learner, of dataset: any Dataset, by inputOrder: [Int]?, numbers: Bool,
    isTraining: Bool, example: (Int) -> Int
  ) throws(LearnerError) {
    try learner.loss.check(targets, batch: index, of: dataset)
    guard numbers else { return }
    try learner.checkNumbers(
      inputs, by: inputOrder, targets, of: dataset, isTraining: isTraining, example: example)
  }

  /// Gives the rows to the program.
  func feed(_ program: Program) throws(ProgramError) {
    try program.setInputs(isFilled ? inputs.map(filled) : inputs)
    try program.setTarget(filled(targets))
  }

  // What a hook left with another number of rows stays as it is, for the program to refuse.
  private func filled(_ rows: Tensor) -> Tensor {
    isFilled && rows.shape.first == count ? rows.filledUp(to: size) : rows
  }

  /// Adds the loss that `program` has computed, and the metrics.
  ///
  /// - Returns: The loss of the examples that count.
  /// - Throws: ``LearnerError/leftover(batchSize:name:count:)`` when it can't be told from that of the copies.
  func add(
    to tally: inout PassTally?, _ program: Program, _ kind: Loss, of dataset: any Dataset
  ) throws(LearnerError) -> Float {
    guard isFilled else {
      tally?.add(program, targets: targets, count: count, of: kind)
      return program.loss
    }
    guard let loss = tally?.add(program, targets: targets, first: count, of: kind) else {
      throw LearnerError.leftover(batchSize: size, name: dataset.name, count: dataset.count)
    }
    return Float(loss)
  }

  /// Runs it with every operation by itself, and tells where a number that is not finite comes up first.
  func firstNonFinite(
    _ learner: Learner, isTraining: Bool, random: RandomKey
  ) throws -> Program.NonFinite? {
    let program = try learner.programs.program(
      learner.request(isTraining: isTraining, count: size, reads: [], isDiagnosing: true))
    try feed(program)
    let snapshot = learner.model.store.snapshot()
    defer { learner.model.store.restore(snapshot) }
    try program.run(.forward, random: random)
    try program.run(.loss, random: random)
    if isTraining { try program.run(.backward, random: random) }
    return program.firstNonFinite()
  }
}

extension Learner {
  /// The batch as a program is given it.
  func filled(
    _ inputs: [Tensor], _ targets: Tensor, index: Int, count: Int, isTraining: Bool
  ) throws -> FilledBatch {
    FilledBatch(
      index: index, inputs: inputs, targets: targets, count: count,
      size: isTraining ? count : try filledSize(count))
  }

  /// The size of the batch that `count` examples are measured in.
  private func filledSize(_ count: Int) throws -> Int {
    guard let size = model.template.fixedBatchSize, count < size else { return count }
    if let mixing = try model.rowMixing() {
      throw ModelError.fixedBatch(size: size, got: count, reason: mixing)
    }
    return size
  }

  /// The program for a batch, which keeps the losses of single examples if some don't count.
  func program(
    for batch: FilledBatch, isTraining: Bool, reads: Set<Capture>, of programs: Program.Cache
  ) throws -> Program {
    try programs.program(
      request(
        isTraining: isTraining, count: batch.size,
        reads: batch.isFilled ? reads.union([.losses]) : reads))
  }
}
