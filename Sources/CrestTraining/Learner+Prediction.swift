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
  /// No callback runs, and the learner doesn't change. It can be called from any hook of a fit: an interruption then
  /// ends the fit, and not the measuring. From the hooks of a batch, it takes memory of its own.
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
  ) throws -> FitResult.Pass {
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
    var tally: PassTally? = PassTally(metrics, classAxis: metricAxis, now: now)
    let reads: Set<Capture> = metrics.isEmpty && !requiringFinite ? [] : [.predictions]
    let programs = measuringPrograms
    let batches = loader.batches(epoch: 0)
    while let next = try batches.next() {
      try checkInterruption()
      let batch = try filled(
        Self.ordered(next.inputs, by: order), next.targets, index: next.index, count: next.count,
        isTraining: false)
      let program = try program(for: batch, isTraining: false, reads: reads, of: programs)
      if batch.index == 0 { try checkMetrics(predictions: program.predictionType) }
      try batch.check(
        self, of: loader.dataset, by: order, numbers: looksAtBatches, isTraining: false
      ) { next.index * loader.batchSize + $0 }
      try batch.feed(program)
      try program.run(.forward, random: fixedRandomKey)
      try program.run(.loss, random: fixedRandomKey)
      if requiringFinite { try checkFinite(program, batch, of: loader) }
      _ = try batch.add(to: &tally, program, of: loader.dataset)
    }
    guard let result = tally?.result else {
      throw LearnerError.emptyData(name: loader.dataset.name)
    }
    return result
  }

  /// Ends what measures when that was asked for; in a hook, the fit does, before its next batch and when it is saved.
  func checkInterruption() throws(LearnerError) {
    if loop?.runningCallback == nil { try interruption.check() }
  }

  /// The programs that measure now: of their own while a batch of a fit is at work.
  var measuringPrograms: Program.Cache {
    guard loop?.isInBatch == true else { return programs }
    let cache = programsBesideBatch ?? Self.programs(loss, classAxis, of: model)
    programsBesideBatch = cache
    return cache
  }

  private func checkFinite(
    _ program: Program, _ batch: FilledBatch, of loader: DataLoader
  ) throws {
    let hasNaN = program.withRead(.predictions, Program.holdsNaN)
    let loss = program.loss
    guard hasNaN || !loss.isFinite else { return }
    let origin = try batch.firstNonFinite(self, isTraining: false, random: fixedRandomKey)
    throw NonFiniteLoss(
      loss: loss, purpose: .validation, step: nil, epoch: nil, batch: batch.index, origin: origin,
      loader, order: nil)
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
      try checkInterruption()
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
      try checkInterruption()
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
