import CrestData
import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor

extension Learner {
  /// Estimates the running statistics of all batch norms anew, for the parameters as they are now.
  ///
  ///     s = Σ nᵢ sᵢ / Σ nᵢ
  ///
  /// sᵢ is what batch i of nᵢ training examples has in training mode, with the dropout of training. So each statistic
  /// is what training would make of it in the limit of many such batches at these parameters, without the memory of
  /// earlier parameters: what validation needs while the learning rate is high, after weights were averaged, or if the
  /// momentum is too slow for the run (``Note/slowBatchNorm(kept:halfCycle:)``).
  ///
  /// Nothing else of the learner changes: not the order of the data, random numbers, parameters or moments, nor
  /// statistics that are frozen or are not batch norm's. Two calls in a row give the same bits. Callbacks don't see
  /// these batches. Numbers that aren't finite are written as training would write them.
  ///
  /// PyTorch's `torch.optim.swa_utils.update_bn`.
  ///
  /// - Parameters:
  ///   - batches: The most batches to take; an epoch has no more, each of other examples in random order.
  ///   - augmented: Whether the examples are transformed as in training; otherwise they are as in prediction.
  /// - Returns: The number of statistics that were estimated, two for each batch norm; 0 if the model has none that
  ///   train.
  /// - Throws: ``LearnerError/interrupted`` outside of a fit; what the data or the compiler threw. The statistics are then
  ///   as before.
  /// - Precondition: `batches` is positive, and no other learner's fit of the model is running.
  @discardableResult
  public func recomputeBatchNormStatistics(
    batches: Int = 100, augmented: Bool = false
  ) throws -> Int {
    programmerError(unless: batches > 0, "batch-norm statistics of \(batches) batches")
    programmerError(
      unless: loop != nil || !model.store.isTraining,
      "batch-norm statistics were estimated during another learner's fit of the same model")
    let statistics = trainedBatchNormStatistics
    guard !statistics.isEmpty else { return 0 }
    var estimate = BatchNormEstimate(statistics, of: model.store)
    do {
      try measure(&estimate, batches: batches, augmented: augmented)
    } catch {
      estimate.putBack(in: model.store)
      throw error
    }
    estimate.write(to: model.store)
    return statistics.count
  }

  /// Whether the model has a batch norm whose running statistics training changes.
  public var hasTrainedBatchNorm: Bool { !trainedBatchNormStatistics.isEmpty }

  /// Notes running statistics that keep too much of themselves to follow a cycle.
  func noteSlowBatchNorm(halfCycle steps: Int) {
    guard let kept = trainedBatchNormStatistics.map(\.kept).max(),
      BatchNormMomentum(halfCycle: steps).isExceeded(by: kept)
    else { return }
    let note = Note.slowBatchNorm(kept: kept, halfCycle: steps)
    if !notes.contains(note) { add(note) }
  }

  /// The running statistics of batch norms that a training step changes.
  var trainedBatchNormStatistics: [BatchNormStatistic] {
    model.graph.batchNormStatistics.filter { $0.kept < 1 && !trained.frozen.contains($0.name) }
  }

  private func measure(
    _ estimate: inout BatchNormEstimate, batches: Int, augmented: Bool
  ) throws {
    let loader = try statisticsLoader(augmented: augmented)
    let order = try Self.inputOrder(of: model, for: loader.dataset)
    let programs = measuringPrograms
    let iterator = loader.batches(epoch: 0)
    for _ in 0..<batches {
      guard let batch = try iterator.next() else { break }
      try checkInterruption()
      // A model of one batch size can't be given what is left over.
      if let size = model.template.fixedBatchSize, batch.count < size, batch.index > 0 { break }
      var request = request(isTraining: true, count: batch.count, reads: [])
      request.targetType = nil
      let program = try programs.program(request)
      try program.setInputs(Self.ordered(batch.inputs, by: order))
      estimate.clear(model.store)
      try program.run(
        .forward, random: RandomKey(seed: seed, step: UInt32(truncatingIfNeeded: batch.index)))
      estimate.add(model.store, exampleCount: batch.count)
    }
  }

  /// The training examples in an order of their own, whatever that of training.
  private func statisticsLoader(augmented: Bool) throws(DataError) -> DataLoader {
    try DataLoader(
      trainLoader.dataset, batchSize: trainLoader.batchSize,
      smallestBatch: trainLoader.smallestBatch, seed: seed, shuffle: true,
      transforms: augmented ? trainLoader.transforms : [],
      mixing: augmented ? trainLoader.mixing : [], prefetch: trainLoader.prefetch)
  }
}

/// Sums of what batches have of running statistics.
private struct BatchNormEstimate {
  private let statistics: [(range: Range<Int>, kept: Double)]
  /// All running statistics as they were.
  private let before: [Float]
  private var sums: [[Double]]
  private var exampleCount = 0

  init(_ statistics: [BatchNormStatistic], of store: ParameterStore) {
    self.statistics = statistics.map { statistic in
      guard let entry = store.entry(named: statistic.name) else {
        programmerError("the store has no statistic \(statistic.name)")
      }
      return (entry.range, statistic.kept)
    }
    before = store.withBuffer(.statistics) { Array($0) }
    sums = self.statistics.map { [Double](repeating: 0, count: $0.range.count) }
  }

  func putBack(in store: ParameterStore) {
    store.withBuffer(.statistics) { floats in
      for (index, value) in before.enumerated() { floats[index] = value }
    }
  }

  /// Prepares for a batch: from 0, a step gives the batch's part alone.
  func clear(_ store: ParameterStore) {
    putBack(in: store)
    store.withBuffer(.statistics) { floats in
      for (range, _) in statistics { for index in range { floats[index] = 0 } }
    }
  }

  /// Adds what a step has made of 0.
  mutating func add(_ store: ParameterStore, exampleCount count: Int) {
    exampleCount += count
    store.withBuffer(.statistics) { floats in
      for (place, (range, kept)) in statistics.enumerated() {
        let weight = Double(count) / (1 - kept)
        for (index, value) in floats[range].enumerated() {
          sums[place][index] += weight * Double(value)
        }
      }
    }
  }

  func write(to store: ParameterStore) {
    putBack(in: store)
    store.withBuffer(.statistics) { floats in
      for (place, (range, _)) in statistics.enumerated() {
        for (index, sum) in zip(range, sums[place]) {
          floats[index] = Float(sum / Double(exampleCount))
        }
      }
    }
  }
}
