import CrestData
import CrestOptimizers
import CrestRuntime
import CrestTensor
public import CrestTraining

/// Shows a fit on a terminal: a live line with the time left, the smoothed loss and the learning
/// rate, then a row of results per epoch.
///
/// Where a line can't be overwritten, as in a file or a pipe, only the rows are written.
///
/// fastai's `ProgressCallback`.
public final class ProgressBar: Callback {
  private let output: Output
  private let naming: (String) -> String
  private let details: () -> [String]
  private let interval: Double
  private let seconds: () -> Double
  private var table = EpochTable(metrics: [], epochCount: 0)
  private var start = 0.0
  private var lastDrawn = -Double.infinity
  private var batchesDoneBefore: Int?
  private var batchesInAll = 0
  private var hasHeader = false

  /// A bar that draws at most ten times a second.
  ///
  /// - Parameters:
  ///   - output: Where it draws.
  ///   - naming: The displayed name of a callback, by its `Callback.name`.
  ///   - details: What else the live line shows, as in `{ ["optimal rate \(estimate.latest?.displayed ?? .nan)"] }`.
  public convenience init(
    _ output: Output = .standardError, naming: @escaping (String) -> String = { $0 },
    details: @escaping () -> [String] = { [] }
  ) {
    let clock = ContinuousClock()
    let start = clock.now
    self.init(output, naming: naming, details: details, interval: 0.1) {
      (clock.now - start) / .seconds(1)
    }
  }

  /// A bar that draws at most once in `interval` seconds of a clock.
  package init(
    _ output: Output, naming: @escaping (String) -> String = { $0 },
    details: @escaping () -> [String] = { [] }, interval: Double,
    seconds: @escaping () -> Double
  ) {
    self.output = output
    self.naming = naming
    self.details = details
    self.interval = interval
    self.seconds = seconds
  }

  /// Draws after batches, writes a row after each epoch, and says why a fit ended early.
  public var hooks: [Hook] {
    [.beforeFit(begin), .afterBatch(draw), .afterEpoch(writeRow), .afterFit(end)]
  }
  /// After what changes results.
  public var order: Int { CallbackOrder.progress }

  private func begin(_ fit: FitContext) {
    let learner = fit.learner
    table = EpochTable(
      metrics: learner.metricNames + fit.reportNames, epochCount: fit.epochCount)
    start = seconds()
    lastDrawn = -.infinity
    batchesDoneBefore = nil
    hasHeader = false
    batchesInAll = fit.epochCount * (fit.batchesPerEpoch + learner.validLoader.batchCount)
    for slowdown in fit.slowdowns {
      clearLine()
      output.note(slowdown + "\n")
    }
  }

  private func draw(_ batch: BatchContext) {
    guard batch.outcome.isInOrder else { return }
    let done = batchesDone(in: batch)
    // A resumed fit has not taken the time of the batches before.
    let before = batchesDoneBefore ?? done - 1
    batchesDoneBefore = before
    let now = seconds()
    let isLast = batch.index + 1 == batch.pass.batchCount
    guard output.isTerminal, isLast || now - lastDrawn >= interval else { return }
    lastDrawn = now
    let left = (now - start) / Double(done - before) * Double(batchesInAll - done)
    let purpose = batch.isTraining ? "" : " validation"
    let line = ProgressLine(
      title: "epoch \(batch.epoch + 1)/\(batch.fit.epochCount)\(purpose)",
      done: batch.index + 1, total: batch.pass.batchCount,
      details: [
        "\(ProgressLine.time(max(left, 0))) left",
        "loss \(PlotNumber.decimal(batch.fit.smoothedLoss, places: 4))",
        "rate \(PlotNumber.scientific(batch.hyperparameters.learningRate))",
      ] + details())
    let width = output.width()
    programmerError(unless: width >= 0, "a terminal of \(width) columns")
    // The last column stays free: some terminals wrap when it is written to.
    output.write("\r" + line.text(width: width - 1, isUnicode: output.isUnicode) + clearRest)
  }

  /// The batches of the fit up to the end of `batch`.
  private func batchesDone(in batch: BatchContext) -> Int {
    let perEpoch = batch.fit.batchesPerEpoch
    let validation = batch.learner.validLoader.batchCount
    return batch.epoch * (perEpoch + validation) + (batch.isTraining ? 0 : perEpoch)
      + batch.index + 1
  }

  private func writeRow(_ epoch: EpochContext) {
    guard epoch.outcome.isInOrder else { return }
    if !hasHeader { writeLine(table.header) }
    hasHeader = true
    writeLine(table.row(epoch))
  }

  private func end(_ fit: FitContext) {
    switch fit.outcome {
    case .cancelled(let cancellation):
      writeLine("ended by \(naming(cancellation.callback)): \(cancellation.reason)")
    case .interrupted: writeLine("interrupted")
    case .failed: clearLine()
    case .running, .finished: break
    }
  }

  private let clearRest = "\u{1B}[K"

  private func clearLine() {
    if output.isTerminal { output.write("\r" + clearRest) }
  }

  private func writeLine(_ text: String) {
    clearLine()
    output.write(text + "\n")
  }
}
