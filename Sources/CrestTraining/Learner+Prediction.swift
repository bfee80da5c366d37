public import CrestData
import CrestGraph
import CrestLayers
import CrestRuntime
public import CrestTensor

extension Learner {
  /// Measures loss and metrics over a set of examples, with running statistics and no dropout.
  ///
  /// No callback runs, and nothing of the learner changes. In a fit, call it from hooks around passes, not
  /// from those of a batch, whose memory it uses.
  ///
  /// - Parameters:
  ///   - dataset: The examples; those of validation when nil.
  ///   - requiringFinite: Whether a loss that is infinite or not a number, or a prediction that is no number, is an
  ///     error that names the example or layer where it began; otherwise it is in the result.
  /// - Returns: Loss and metrics over all of them.
  /// - Throws: ``LearnerError`` when the set doesn't fit the model, or on interruption; ``NonFiniteLoss`` when asked
  ///   to; what the data or the compiler threw.
  public func evaluate(
    on dataset: (any Dataset)? = nil, requiringFinite: Bool = false
  ) throws -> PassResult {
    let loader = try dataset.map(loader) ?? validLoader
    try Self.check(loader.dataset, suits: model, loss: loss)
    let order = try Self.inputOrder(of: model, for: loader.dataset)
    var tally = PassTally(metrics, now: now)
    let reads: Set<Read> = metrics.isEmpty && !requiringFinite ? [] : [.predictions]
    let batches = loader.batches(epoch: 0)
    while let batch = try batches.next() {
      try interruption.check()
      let program = try programs.program(
        request(isTraining: false, count: batch.count, reads: reads))
      if batch.index == 0 { try checkMetrics(predictions: program.predictionType) }
      try program.setInputs(Self.ordered(batch.inputs, by: order))
      try program.setTarget(batch.targets)
      try program.run(.forward, random: fixedRandomKey)
      try program.run(.loss, random: fixedRandomKey)
      if requiringFinite { try checkFinite(program, batch, of: loader, inputOrder: order) }
      tally.add(program, targets: batch.targets, count: batch.count)
    }
    guard let result = tally.result else {
      throw LearnerError.emptyData(name: loader.dataset.name)
    }
    return result
  }

  private func checkFinite(
    _ program: Program, _ batch: Batch, of loader: DataLoader, inputOrder: [Int]?
  ) throws {
    let hasNaN = program.withRead(.predictions, Program.holdsNaN)
    let loss = program.loss
    guard hasNaN || !loss.isFinite else { return }
    let origin = try firstNonFinite(
      inputs: Self.ordered(batch.inputs, by: inputOrder), targets: batch.targets,
      count: batch.count, isTraining: false, random: fixedRandomKey)
    throw NonFiniteLoss(
      loss: loss, purpose: .validation, step: nil, epoch: nil, batch: batch.index, origin: origin,
      loader, order: nil)
  }

  /// Runs a batch with every operation by itself, and tells where a number that is not finite comes up first.
  ///
  /// Nil when all are finite. The statistics that running it changes are put back.
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

  /// Predicts for all examples of a set, in its order.
  ///
  /// - Returns: [N, …] of the model's output: logits where the model ends with none of its own.
  /// - Throws: As ``evaluate(on:requiringFinite:)``, but for numbers that aren't finite.
  public func predict(on dataset: any Dataset) throws -> Tensor {
    try Self.check(dataset, suits: model)
    let order = try Self.inputOrder(of: model, for: dataset)
    let loader = try loader(of: dataset)
    var result = Tensor(zeros: Shape([dataset.count] + model.outputShape.dimensions))
    let batches = loader.batches(epoch: 0)
    while let batch = try batches.next() {
      try interruption.check()
      try result.writeRows(
        model.predict(Self.ordered(batch.inputs, by: order)), at: batch.index * loader.batchSize)
    }
    return result
  }

  /// Predicts for examples as they are stored, after doing to them what is done to the training data.
  ///
  /// - Parameter examples: [N, …] of the model's input, `float32` or `uint8`, before the data set's
  ///   preprocessing: pixels from 0 to 255, say.
  /// - Returns: [N, …] of the model's output: logits where the model ends with none of its own.
  /// - Throws: ``LearnerError/examples(expected:got:)`` when they aren't what the model takes.
  public func predict(_ examples: Tensor) throws -> Tensor {
    guard model.inputs.count == 1, let input = model.inputs.first else {
      throw LearnerError.examples(
        expected: "a data set with the \(model.inputs.count) inputs of the model",
        got: "\(examples)")
    }
    guard examples.shape.rank > 0, examples.shape[0] > 0,
      Shape(Array(examples.shape.dropFirst())) == input.shape,
      [.float32, .uint8].contains(examples.elementType)
    else {
      throw LearnerError.examples(
        expected: "float32 or uint8 [N" + input.shape.map { ", \($0)" }.joined()
          + "] with N above 0", got: "\(examples)")
    }
    let prepared = data.train.preprocessing.applied(to: examples)
    let count = examples.shape[0]
    var result = Tensor(zeros: Shape([count] + model.outputShape.dimensions))
    for start in stride(from: 0, to: count, by: trainLoader.batchSize) {
      try interruption.check()
      let rows = start..<min(start + trainLoader.batchSize, count)
      try result.writeRows(model.predict(prepared.rows(rows)), at: start)
    }
    return result
  }

  private func loader(of dataset: any Dataset) throws -> DataLoader {
    try DataLoader(
      dataset, batchSize: validLoader.batchSize, seed: seed, shuffle: false,
      prefetch: validLoader.prefetch)
  }
}

extension Preprocessing {
  /// What a model sees for stored examples with their channels along axis 1.
  fileprivate func applied(to examples: Tensor) -> Tensor {
    var result = Tensor(zeros: examples.shape)
    let channelCount = max(mean.count, 1)
    let place = examples.shape.dropFirst(mean.isEmpty ? 1 : 2).reduce(1, *)
    result.withMutableElements(as: Float.self) { values in
      func fill(_ stored: (Int) -> Double) {
        for index in values.indices {
          values[index] = value(stored(index), channel: index / place % channelCount)
        }
      }
      if examples.elementType == .uint8 {
        examples.withElements(as: UInt8.self) { bytes in fill { Double(bytes[$0]) } }
      } else {
        examples.withElements(as: Float.self) { floats in fill { Double(floats[$0]) } }
      }
    }
    return result
  }
}

extension Tensor {
  /// A copy of some rows.
  fileprivate func rows(_ rows: Range<Int>) -> Tensor {
    let size = byteCount / shape[0]
    return withUnsafeBytes { bytes in
      Tensor(
        bytes: UnsafeRawBufferPointer(
          rebasing: bytes[rows.lowerBound * size..<rows.upperBound * size]),
        shape: Shape([rows.count] + shape.dropFirst()), elementType: elementType)
    }
  }

  /// Replaces the rows from `start` on.
  fileprivate mutating func writeRows(_ rows: Tensor, at start: Int) {
    let size = byteCount / shape[0]
    withUnsafeMutableBytes { bytes in
      rows.withUnsafeBytes { source in
        UnsafeMutableRawBufferPointer(rebasing: bytes[start * size..<start * size + source.count])
          .copyMemory(from: source)
      }
    }
  }
}
