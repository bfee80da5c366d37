public import CrestData
import CrestGraph
import CrestLayers
import CrestRuntime
public import CrestTensor

extension Learner {
  /// Computes loss and metrics over a set of examples, in inference mode.
  ///
  /// Examples are preprocessed like the validation examples, whatever the set's own preprocessing.
  ///
  /// No callback runs, and the learner doesn't change. In a fit, call it from hooks around passes,
  /// not from those of a batch, whose memory it uses.
  ///
  /// - Parameters:
  ///   - dataset: The examples; those of validation when nil.
  ///   - requiringFinite: Whether a loss that is infinite or not a number, or a prediction that is
  ///     not a number, is an error that names the example or layer where it began; otherwise it is
  ///     in the result.
  /// - Returns: Loss and metrics over all of them.
  /// - Throws: ``LearnerError`` when the set doesn't fit the model, or on interruption; ``NonFiniteLoss`` when asked
  ///   to; what the data or the compiler threw.
  public func evaluate(
    on dataset: (any Dataset)? = nil, requiringFinite: Bool = false
  ) throws -> PassResult {
    let loader =
      try dataset.map { try self.loader(of: suited($0)) } ?? validLoader
    try Self.check(loader.dataset, suits: model, loss: loss)
    var looksAtBatches = false
    if requiringFinite {
      if dataset == nil {
        try checkNumbers(isTraining: false)
        looksAtBatches = needsNumberCheck(.valid)
      } else {
        looksAtBatches = try !checkNumbers(of: loader.dataset, isTraining: false)
      }
    }
    let order = try Self.inputOrder(of: model, for: loader.dataset)
    var tally = PassTally(metrics, classAxis: metricAxis, now: now)
    let reads: Set<Capture> = metrics.isEmpty && !requiringFinite ? [] : [.predictions]
    let batches = loader.batches(epoch: 0)
    while let batch = try batches.next() {
      try interruption.check()
      // A model for one batch size gets the last example again and again, and these aren't counted.
      let size = try filledSize(batch.count)
      let program = try programs.program(
        request(
          isTraining: false, count: size, reads: size > batch.count ? reads.union([.losses]) : reads
        ))
      if batch.index == 0 { try checkMetrics(predictions: program.predictionType) }
      try loss.check(batch.targets, batch: batch.index, of: loader.dataset)
      if looksAtBatches {
        let first = batch.index * loader.batchSize
        try checkNumbers(
          Self.ordered(batch.inputs, by: order), by: order, batch.targets, of: loader.dataset,
          isTraining: false
        ) { first + $0 }
      }
      try program.setInputs(Self.ordered(batch.inputs, by: order).map { $0.filledUp(to: size) })
      try program.setTarget(batch.targets.filledUp(to: size))
      try program.run(.forward, random: fixedRandomKey)
      try program.run(.loss, random: fixedRandomKey)
      if requiringFinite { try checkFinite(program, batch, size, of: loader, inputOrder: order) }
      guard size > batch.count else {
        tally.add(program, targets: batch.targets, count: batch.count)
        continue
      }
      guard tally.add(program, targets: batch.targets, first: batch.count) != nil else {
        throw LearnerError.leftover(
          batchSize: size, name: loader.dataset.name, count: loader.dataset.count)
      }
    }
    guard let result = tally.result else {
      throw LearnerError.emptyData(name: loader.dataset.name)
    }
    return result
  }

  /// The size of the batch that `count` examples are measured in.
  func filledSize(_ count: Int) throws -> Int {
    guard let size = model.template.fixedBatchSize, count < size else { return count }
    if let mixing = try model.rowMixing() {
      throw ModelError.fixedBatch(size: size, got: count, reason: mixing)
    }
    return size
  }

  private func checkFinite(
    _ program: Program, _ batch: Batch, _ size: Int, of loader: DataLoader, inputOrder: [Int]?
  ) throws {
    let hasNaN = program.withRead(.predictions, Program.holdsNaN)
    let loss = program.loss
    guard hasNaN || !loss.isFinite else { return }
    let origin = try firstNonFinite(
      inputs: Self.ordered(batch.inputs, by: inputOrder).map { $0.filledUp(to: size) },
      targets: batch.targets.filledUp(to: size), count: size, isTraining: false,
      random: fixedRandomKey)
    throw NonFiniteLoss(
      loss: loss, purpose: .validation, step: nil, epoch: nil, batch: batch.index, origin: origin,
      loader, order: nil)
  }

  /// Runs a batch with every operation run separately, and returns where a non-finite number first
  /// appears.
  ///
  /// Nil when all are finite. The statistics that this changes are restored.
  func firstNonFinite(
    inputs: [Tensor], targets: Tensor, count: Int, isTraining: Bool, random: RandomKey
  ) throws -> Program.NonFinite? {
    let program = try programs.program(
      request(isTraining: isTraining, count: count, reads: [], isDiagnosing: true))
    try program.setInputs(inputs)
    try program.setTarget(targets)
    let snapshot = model.store.snapshot()
    defer { model.store.restore(snapshot) }
    try program.run(.forward, random: random)
    try program.run(.loss, random: random)
    if isTraining { try program.run(.backward, random: random) }
    return program.firstNonFinite()
  }

  /// Predicts for all examples of a set, in its order, preprocessed like the validation examples.
  ///
  /// - Returns: [N, …] of the model's output: logits unless the model ends in an activation.
  /// - Throws: As ``evaluate(on:requiringFinite:)``, but for numbers that aren't finite.
  public func predict(on dataset: any Dataset) throws -> Tensor {
    let dataset = try Self.converted(dataset, for: model)
    try Self.check(dataset, suits: model)
    let order = try Self.inputOrder(of: model, for: dataset)
    let loader = try loader(of: dataset)
    var parts: [Tensor] = []
    let batches = loader.batches(epoch: 0)
    while let batch = try batches.next() {
      try interruption.check()
      parts.append(try model.predict(Self.ordered(batch.inputs, by: order)))
    }
    return Tensor(joining: parts, along: 0)
  }

  /// Predicts for examples as they are stored, with the preprocessing of the training data.
  ///
  /// - Parameter examples: [N, …] of the model's input, `float32` or `uint8`, before the data set's
  ///   preprocessing: pixels from 0 to 255, say.
  /// - Returns: [N, …] of the model's output: logits unless the model ends in an activation.
  /// - Throws: ``LearnerError/examples(expected:got:)`` when they aren't what the model takes.
  public func predict(_ examples: Tensor) throws -> Tensor {
    guard model.inputs.count == 1, let input = model.inputs.first else {
      throw LearnerError.examples(
        expected: "a data set with the \(model.inputs.count) inputs of the model",
        got: examples.typeDescription)
    }
    guard examples.shape.rank > 0, examples.shape[0] > 0,
      Shape(Array(examples.shape.dropFirst())) == input.shape,
      [.float32, .uint8].contains(examples.elementType)
    else {
      throw LearnerError.examples(
        expected: "float32 or uint8 [N" + input.shape.map { ", \($0)" }.joined()
          + "] with N above 0", got: examples.typeDescription)
    }
    let prepared: Tensor
    do throws(PreprocessingError) {
      prepared = try data.train.preprocessing.applied(to: examples)
    } catch {
      throw LearnerError.examples(expected: "those of the model", got: "\(error)")
    }
    let count = examples.shape[0]
    var parts: [Tensor] = []
    for start in stride(from: 0, to: count, by: trainLoader.batchSize) {
      try interruption.check()
      let rows = start..<min(start + trainLoader.batchSize, count)
      parts.append(try model.predict(prepared.slice(rows, along: 0)))
    }
    return Tensor(joining: parts, along: 0)
  }

  /// A set with inputs and targets as those of the learner's own data were taken.
  private func suited(_ dataset: any Dataset) throws -> any Dataset {
    let converted = try Self.converted(dataset, for: model)
    guard case .values(let shape) = data.train.target, shape == model.outputShape else {
      return converted
    }
    return try Self.withProbabilities(DataSplit(measuringOn: converted), for: loss, of: model).valid
  }

  private func loader(of dataset: any Dataset) throws -> DataLoader {
    try DataLoader(
      dataset.prepared(by: data.train.preprocessing), batchSize: validLoader.batchSize, seed: seed,
      shuffle: false,
      prefetch: validLoader.prefetch)
  }
}
