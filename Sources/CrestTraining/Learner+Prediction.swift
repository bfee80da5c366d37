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
  ///   - augmentations: The views of each image whose predictions are averaged; nil for the image itself.
  ///   - requiringFinite: Whether a loss that is infinite or not a number, or a prediction that is
  ///     not a number, is an error that names the example or layer where it began; otherwise it is
  ///     in the result.
  /// - Returns: Loss and metrics over all of them.
  /// - Throws: ``LearnerError`` when the set doesn't fit the model, or on interruption; ``NonFiniteLoss`` when asked
  ///   to; what the data or the compiler threw.
  public func evaluate(
    on dataset: (any Dataset)? = nil, augmentations: TestTimeAugmentation? = nil,
    requiringFinite: Bool = false
  ) throws -> FitResult.Pass {
    try evaluate(
      on: dataset, augmentations: augmentations, requiringFinite: requiringFinite, reads: []
    ) { _, _ in }
  }

  /// Computes loss and metrics, and calls `body` after each batch.
  func evaluate(
    on dataset: (any Dataset)?, augmentations: TestTimeAugmentation?, requiringFinite: Bool,
    reads wanted: Set<Capture>, each body: (FilledBatch, Program) throws -> Void
  ) throws -> FitResult.Pass {
    let loader =
      try dataset.map { try self.loader(of: suited($0)) } ?? validLoader
    try Self.check(loader.dataset, suits: model, loss: loss)
    try check(augmentations)
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
    let reads = wanted.union(metrics.isEmpty && !requiringFinite ? [] : [.predictions])
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
      try measure(batch, with: program, augmentations)
      if requiringFinite { try checkFinite(program, batch, of: loader) }
      _ = try batch.add(to: &tally, program, loss, of: loader.dataset)
      try body(batch, program)
    }
    guard let result = tally?.result else {
      throw LearnerError.emptyData(name: loader.dataset.name)
    }
    return result
  }

  /// Computes predictions, or the mean of those of some views, and the loss of a batch.
  private func measure(
    _ batch: FilledBatch, with program: Program, _ augmentations: TestTimeAugmentation?
  ) throws {
    func predict(_ batch: FilledBatch) throws {
      try batch.feed(program)
      try program.run(.forward, random: fixedRandomKey)
    }
    if let augmentations {
      guard program.lossReadsPredictionsAlone else {
        throw LearnerError.augmentation(
          name: augmentations.name,
          reason:
            "the loss \(loss.name) includes the network's last activation, so that it isn't computed from "
            + "predictions alone")
      }
      let mean = try augmentations.average(of: batch.inputs[0]) { view in
        try predict(batch.replacing(inputs: [view]))
        return program.outputs()[0]
      }
      program.replacePredictions(by: mean)
    } else {
      try predict(batch)
    }
    try program.run(.loss, random: fixedRandomKey)
  }

  /// Refuses views that the model's inputs or predictions don't have.
  package func check(_ augmentations: TestTimeAugmentation?) throws(LearnerError) {
    guard let augmentations,
      let reason = augmentations.objection(
        toInputs: model.inputs.map { ($0.elementType, $0.shape) }, prediction: model.outputShape)
    else { return }
    throw .augmentation(name: augmentations.name, reason: reason)
  }

  /// The predictions for a batch, or the mean of those for its views.
  private func predict(
    _ inputs: [Tensor], _ augmentations: TestTimeAugmentation?
  ) throws -> Tensor {
    guard let augmentations else { return try model.predict(inputs) }
    return try augmentations.average(of: inputs[0]) { try model.predict($0) }
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
  /// - Parameters:
  ///   - dataset: The examples.
  ///   - augmentations: The views of each image whose predictions are averaged; nil for the image itself.
  /// - Returns: [N, …] of the model's output: logits unless the model ends in an activation.
  /// - Throws: As ``evaluate(on:augmentations:requiringFinite:)``, but for numbers that aren't finite.
  public func predict(
    on dataset: any Dataset, augmentations: TestTimeAugmentation? = nil
  ) throws -> Tensor {
    try check(augmentations)
    let dataset = try Self.converted(dataset, for: model)
    try Self.check(dataset, suits: model)
    let order = try Self.inputOrder(of: model, for: dataset)
    let loader = try loader(of: dataset)
    var parts: [Tensor] = []
    let batches = loader.batches(epoch: 0)
    while let batch = try batches.next() {
      try checkInterruption()
      parts.append(try predict(Self.ordered(batch.inputs, by: order), augmentations))
    }
    return Tensor(joining: parts, along: 0)
  }

  /// Predicts for examples as they are stored, with the preprocessing of the training data.
  ///
  /// - Parameters:
  ///   - examples: [N, …] of the model's input, `float32` or `uint8`, before the data set's preprocessing:
  ///     pixels from 0 to 255, say.
  ///   - augmentations: The views of each image whose predictions are averaged; nil for the image itself.
  /// - Returns: [N, …] of the model's output: logits unless the model ends in an activation.
  /// - Throws: ``LearnerError/examples(expected:got:)`` when they aren't what the model takes.
  public func predict(
    _ examples: Tensor, augmentations: TestTimeAugmentation? = nil
  ) throws -> Tensor {
    try check(augmentations)
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
      parts.append(try predict([prepared.slice(rows, along: 0)], augmentations))
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
