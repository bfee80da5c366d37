import CrestData
import CrestRuntime
public import CrestTraining

extension Learner {
  /// Measures how fast training is with batches of some sizes, and estimates which size is of use.
  ///
  /// ```swift
  /// let findings = try learner.findBatchSize()
  /// print(findings.suggestion ?? learner.trainLoader.batchSize)
  /// ```
  ///
  /// Each size trains some batches, of which the first two aren't timed. Then the learner's own batch size trains for up
  /// to `noiseSteps` batches, in which ``GradientNoiseScale`` estimates the noise scale. Afterwards everything is as
  /// before. The data's own speed counts, and so does whatever else the machine does.
  ///
  /// - Parameters:
  ///   - sizes: The sizes to try, in ascending order; those beyond the training set are left out. Nil for the powers of 2
  ///     from 8 to 1024.
  ///   - steps: The batches that are timed for each size.
  ///   - noiseSteps: The batches for the noise scale at most; 0 for none.
  ///   - learningRate: The rate that it trains with; nil for the optimiser's.
  ///   - callbacks: Callbacks that take part, as a progress bar.
  /// - Returns: Rates by size, and the noise scale.
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)``; ``CrestTraining/LearnerError/interrupted`` on
  ///   interruption; what training throws.
  /// - Precondition: no fit is running.
  public func findBatchSize(
    sizes: [Int]? = nil, steps: Int = 20, noiseSteps: Int = 200, learningRate: Double? = nil,
    callbacks: [any Callback] = []
  ) throws -> BatchSizeFindings {
    let sizes = sizes ?? (3...10).map { 1 << $0 }
    let search = BatchSizeSearch(
      steps: steps, noiseSteps: noiseSteps, learningRate: learningRate, callbacks: callbacks)
    try search.check(sizes)
    return try tryOut(holdsOut: false) { trials in
      var points: [BatchSizeFindings.Point] = []
      var tooLarge: Int?
      for size in sizes where size <= trials.data.train.count {
        do {
          points.append(
            .init(batchSize: size, examplesPerSecond: try search.rate(of: size, in: trials)))
        } catch ProgramError.tooLarge {
          tooLarge = size
          break
        }
      }
      return BatchSizeFindings(
        points: points, noiseScale: try search.noiseScale(in: trials), tooLarge: tooLarge)
    }
  }
}

/// How batch sizes are tried.
private struct BatchSizeSearch {
  let steps: Int
  let noiseSteps: Int
  let learningRate: Double?
  let callbacks: [any Callback]

  /// The batches before those that are timed: programs are compiled, and memory is touched for the first time.
  private static let warmUp = 2

  func check(_ sizes: [Int]) throws(CallbackError) {
    let name = "findBatchSize"
    try CallbackError.require(
      !sizes.isEmpty && sizes[0] >= 1 && zip(sizes, sizes.dropFirst()).allSatisfy(<), "sizes",
      sizes, "sizes from 1 up, in ascending order", of: name)
    let most = 1_000_000
    try CallbackError.require(
      (1...most).contains(steps), "steps", steps, "from 1 to \(most)", of: name)
    try CallbackError.require(
      (0...most).contains(noiseSteps), "noiseSteps", noiseSteps, "from 0 to \(most)", of: name)
  }

  /// The training examples per second with batches of a size.
  func rate(of size: Int, in trials: Trials) throws -> Double {
    let learner = try trials.learner(batchSize: size)
    let clock = ContinuousClock()
    var (start, examples, batches) = (clock.now, 0, 0)
    let watch = CallbackOf(
      .afterBatch { batch in
        guard batch.isTraining, batch.outcome.isFinished else { return }
        batches += 1
        if batches <= Self.warmUp {
          start = clock.now
        } else {
          examples += batch.count
        }
      }, name: "BatchSizeWatch", order: .max)
    try train(learner, batches: Self.warmUp + steps, [watch])
    // A set of so few batches has none that are timed.
    guard examples > 0 else { return try rateOfOneBatch(size, in: trials) }
    return Double(examples) / ((clock.now - start) / .seconds(1))
  }

  /// The rate of a size of which the set has no more than two batches: of whole epochs after the first.
  private func rateOfOneBatch(_ size: Int, in trials: Trials) throws -> Double {
    let learner = try trials.learner(batchSize: size)
    let clock = ContinuousClock()
    var (start, examples) = (clock.now, 0)
    let watch = CallbackOf(
      .afterBatch { if $0.isTraining && $0.epoch > 0 { examples += $0.count } },
      .afterTrain { if $0.epoch.index == 0 { start = clock.now } }, name: "BatchSizeWatch",
      order: .max)
    try fit(learner, epochs: 1 + steps, [watch])
    return Double(examples) / ((clock.now - start) / .seconds(1))
  }

  /// The noise scale at the learner's own batch size.
  func noiseScale(in trials: Trials) throws -> Double? {
    guard noiseSteps > 0 else { return nil }
    let noise = try GradientNoiseScale()
    try train(trials.learner(), batches: noiseSteps, [noise])
    return noise.scale
  }

  /// Trains for some batches.
  private func train(
    _ learner: Learner, batches: Int, _ callbacks: [any Callback]
  ) throws {
    let perEpoch = learner.trainLoader.batchCount
    var left = batches
    let end = CallbackOf(
      .afterBatch { batch in
        guard batch.isTraining else { return }
        left -= 1
        if left <= 0 { throw Cancel(.fit, reason: "enough batches were trained") }
      }, name: "BatchSizeLimit", order: .max)
    try fit(learner, epochs: (batches + perEpoch - 1) / perEpoch, callbacks + [end])
  }

  private func fit(_ learner: Learner, epochs: Int, _ own: [any Callback]) throws {
    let skip = CallbackOf(
      .beforeValidate { _ in throw Cancel(.validate, reason: "only training is timed") },
      name: "BatchSizeTraining")
    let outcome = try learner.fit(
      epochs: epochs, learningRate: learningRate, callbacks: callbacks + own + [skip])
    if case .interrupted = outcome { throw LearnerError.interrupted }
  }
}
