import CrestTraining

/// When the next checkpoint is due.
struct CheckpointClock {
  let interval: ModelCheckpoint.Interval
  private let clock = ContinuousClock()
  private var last: ContinuousClock.Instant

  init(_ interval: ModelCheckpoint.Interval) {
    self.interval = interval
    last = clock.now
  }

  /// Begins to count minutes.
  mutating func restart() { last = clock.now }

  /// Whether one is due after an epoch.
  func isDue(after epoch: EpochContext) -> Bool {
    guard case .epochs(let count) = interval, epoch.outcome.isInOrder else { return false }
    return (epoch.index + 1) % count == 0 || epoch.index + 1 == epoch.fit.epochCount
      || !epoch.outcome.isFinished
  }

  /// Whether one is due after a training batch.
  func isDue(after batch: BatchContext, lastStep: Int) -> Bool {
    guard batch.isTraining, batch.outcome.isInOrder else { return false }
    switch interval {
    case .epochs: return false
    case .steps(let count):
      let step = batch.learner.stepsTaken
      return step > lastStep && step % count == 0
    case .minutes(let minutes):
      // Not the other way round: a time far beyond the age of the universe is no Duration.
      return (clock.now - last) / .seconds(60) >= minutes
    }
  }
}
