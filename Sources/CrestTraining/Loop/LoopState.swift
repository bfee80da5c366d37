import CrestOptimizers
import CrestState

/// Where a fit is: what comes next.
struct LoopPosition: Codable, Equatable {
  /// The epoch, from 0; the number of epochs after the last.
  var epoch: Int
  /// The pass it is in; nil before an epoch.
  var pass: PassContext.Purpose?
  /// The batch of the pass that comes next.
  var batch = 0
}

/// An epoch that saw an example, and the weights that its validation measured.
struct LastEpoch: Codable {
  let results: FitResult.Epoch
  /// Of the weights; nil when none were measured.
  let fingerprint: String?

  /// What `epoch` gave; nil when it saw no example.
  init?(_ epoch: EpochContext) {
    guard epoch.train != nil || epoch.validation != nil else { return nil }
    results = FitResult.Epoch(epoch)
    fingerprint = epoch.measuredFingerprint
  }
}

/// All that a running fit remembers, but for what others hold: the learner's hyperparameters, and the sums and metrics
/// of the running pass.
///
/// Saving a fit is encoding ``saved``, and resuming it is one assignment.
struct LoopState: Codable {
  let epochCount: Int
  var stepsTaken = 0
  /// What comes next.
  var position = LoopPosition(epoch: 0)
  var smoothedLoss = SmoothedLoss()
  /// What a callback has cancelled, until all phases that it ends are closed.
  var ending: PhaseContext.Cancellation?
  /// What training gave in the epoch that runs or was the last.
  var train: FitResult.Pass?
  /// What callbacks have reported in the epoch that runs or was the last.
  var reports: [String: Double] = [:]
  /// What the last epoch gave that saw an example.
  var last: LastEpoch?

  /// A fit that has not begun.
  init(epochCount: Int) { self.epochCount = epochCount }

  /// What a checkpoint needs: between epochs only the results of the last one, and within an epoch only its own.
  var saved: LoopState {
    var state = self
    if position.pass != .validation { state.train = nil }
    if position.pass == nil { state.reports = [:] } else { state.last = nil }
    return state
  }

  /// The optimiser steps of some batches.
  static func steps(in batches: Int, by batchesPerStep: Int) -> Int {
    batches == 0 ? 0 : (batches - 1) / batchesPerStep + 1
  }

  /// Checks what no type does.
  func check(
    batchCount: (PassContext.Purpose) -> Int, batchesPerStep: Int, epochsBegun: Int,
    hasSums: Bool, at path: StateValue.Path
  ) throws(StateError) {
    func require(
      _ condition: Bool, _ field: String, _ expected: String, _ got: some CustomStringConvertible
    ) throws(StateError) {
      guard condition else {
        throw .mistyped(path.appending(field), expected: expected, got: got.description)
      }
    }
    try require(epochCount >= 1, "epochCount", "at least 1 epoch", epochCount)
    let epoch = position.epoch
    let isInPass = position.pass != nil
    try require(
      0 <= epoch && epoch <= epochCount - (isInPass ? 1 : 0), "position",
      "an epoch of \(epochCount)", epoch)
    let batches = position.pass.map(batchCount) ?? 0
    try require(
      0 <= position.batch && position.batch <= batches, "position",
      "a batch of \(batches)", position.batch)
    // More steps than batches would lead beyond the end of a schedule.
    let stepsPerEpoch = Self.steps(in: batchCount(.training), by: batchesPerStep)
    let stepsBefore =
      switch position.pass {
      case .training where batches == position.batch: stepsPerEpoch
      case .training: position.batch / batchesPerStep
      case .validation: stepsPerEpoch
      case nil: 0
      }
    let (stepsOfEpochs, isTooMany) = epoch.multipliedReportingOverflow(by: stepsPerEpoch)
    let (most, isBeyond) = stepsOfEpochs.addingReportingOverflow(stepsBefore)
    try require(!isTooMany && !isBeyond, "position", "an epoch that can be reached", epoch)
    try require(
      (0...most).contains(stepsTaken), "stepsTaken", "0 to \(most) steps", stepsTaken)
    try require(
      position.pass != .training || epochsBegun >= 1, "position", "an epoch that has begun",
      "none")
    try require(
      hasSums == isInPass, "tally", isInPass ? "sums of the pass" : "nothing",
      hasSums ? "sums" : "nothing")
    if let last {
      try require(
        last.results.epoch < epoch, "last", "an epoch before the one to come", last.results.epoch)
    }
    if let ending {
      let isAround = ending.phase < (isInPass ? .batch : .epoch)
      try require(isAround, "ending", "a phase that is running", "\(ending.phase)")
    }
  }
}

extension Phase {
  /// Whether `left` lies around `right`.
  fileprivate static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
}
