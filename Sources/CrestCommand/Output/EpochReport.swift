import Crest

/// Adds up the time of a fit's epochs, and prints their results as JSON if that is asked for.
final class EpochReport: StatefulCallback {
  /// Its state, so that a resumed run reports on all of its epochs.
  struct State: Codable {
    fileprivate var epochCount = 0
    fileprivate var seconds = 0.0
    fileprivate var exampleCount = 0
    fileprivate var trainSeconds = 0.0
  }

  var state = State()
  private let json: Bool
  private let failure: WriteFailure
  private var metrics: [String] = []
  private var reportNames: [String] = []

  /// A report; epochs that can't be written are noted in `failure`.
  init(json: Bool, failure: WriteFailure) {
    self.json = json
    self.failure = failure
  }

  var hooks: [Hook] {
    [.beforeFit(begin), .afterEpoch(report)]
  }
  // After everything except what saves the run, so that it prints the final values.
  var order: Int { .max - 2 }

  private func begin(_ fit: FitContext) {
    metrics = fit.learner.metricNames
    reportNames = fit.reportNames
  }

  private func report(_ epoch: EpochContext) {
    switch epoch.outcome {
    case .finished, .cancelled: break
    case .running, .interrupted, .failed: return
    }
    state.epochCount += 1
    state.seconds += epoch.seconds
    state.exampleCount += epoch.train?.exampleCount ?? 0
    state.trainSeconds += epoch.train?.seconds ?? 0
    guard json else { return }
    let line = JSONLine(
      event: "epoch",
      members(
        FitResult.Epoch(epoch), seconds: epoch.seconds,
        examplesPerSecond: epoch.train?.examplesPerSecond))
    failure.noting { () throws(OutputError) in try StandardOutput.write(line.text) }
  }

  /// The summary of the fit: the results of the network that the model holds, the time of all
  /// epochs, and why the fit ended.
  ///
  /// - Parameters:
  ///   - result: The results, if the fit has any.
  ///   - averaged: The results with test-time augmentation, if that was asked for.
  ///   - tested: The results of the part for testing, if that was asked for.
  ///   - outcome: How it ended.
  ///   - saveFailure: Why the last checkpoint could not be saved, if it couldn't.
  /// - Throws: ``OutputError``.
  func writeResult(
    _ result: FitResult?, averaged: FitResult.Pass?, tested: FitResult.Pass?,
    of outcome: PhaseContext.Outcome, saveFailure: String?
  ) throws(OutputError) {
    let speed =
      state.trainSeconds > 0 ? Double(state.exampleCount) / state.trainSeconds : nil
    guard !json else {
      var results: [(key: String, value: JSONLine.Value)] = []
      if let result {
        results = members(result.results, seconds: state.seconds, examplesPerSecond: speed)
        results += [
          ("restored", .flag(result.origin == .restored)),
          ("measured_afterwards", .flag(result.origin == .measuredAfterwards)),
        ]
      }
      if let averaged {
        results.append(("tta_valid_loss", JSONLine.Value(averaged.loss)))
        results += averaged.metrics.map { ("tta_\($0.name)", JSONLine.Value($0.value)) }
        results.append(("tta_seconds", .number(averaged.seconds)))
      }
      if let tested {
        results.append(("test_loss", JSONLine.Value(tested.loss)))
        results += tested.metrics.map { ("test_\($0.name)", JSONLine.Value($0.value)) }
      }
      results += outcome.members
      if let saveFailure { results.append(("save_failure", .text(saveFailure))) }
      return try Notes.writeResult(results)
    }
    guard let result else { return }
    let results = (result.validation?.metrics ?? []).map { "\($0.name) \(decimal($0.value, 4))" }
    let losses = [
      result.validation.map { "valid loss \(decimal($0.loss, 4))" },
      result.train.map { "train loss \(decimal($0.loss, 4))" },
    ].compactMap(\.self)
    let epochs = state.epochCount == 1 ? "1 epoch" : "\(state.epochCount) epochs"
    let pace = speed.map { ", \(decimal($0, 0)) examples a second" } ?? ""
    try StandardOutput.write(
      (results + losses).joined(separator: ", ") + origin(of: result)
        + " after \(epochs) in \(decimal(state.seconds, 1)) s\(pace)\n")
    if let averaged {
      try StandardOutput.write(
        Self.text(averaged, "valid loss")
          + " with test-time augmentation, in \(decimal(averaged.seconds, 1)) s\n")
    }
    if let tested {
      try StandardOutput.write(
        Self.text(tested, "test loss") + " on \(tested.exampleCount) examples for testing\n")
    }
  }

  private static func text(_ pass: FitResult.Pass, _ loss: String) -> String {
    (pass.metrics.map { "\($0.name) \(decimal($0.value, 4))" }
      + ["\(loss) \(decimal(pass.loss, 4))"]).joined(separator: ", ")
  }

  /// Which network the numbers belong to, if it isn't the one that the last epoch measured.
  private func origin(of result: FitResult) -> String {
    switch result.origin {
    case .lastEpoch: ""
    case .restored: " of epoch \(result.epoch + 1), whose weights were restored,"
    case .measuredAfterwards: " of the weights that callbacks left in the network at the end,"
    case .notMeasured: " of epoch \(result.epoch + 1), which ended before its validation,"
    }
  }

  private func members(
    _ epoch: FitResult.Epoch, seconds: Double, examplesPerSecond: Double?
  ) -> [(key: String, value: JSONLine.Value)] {
    [
      ("epoch", .integer(epoch.epoch + 1)),
      ("train_loss", JSONLine.Value(epoch.train?.loss)),
      ("valid_loss", JSONLine.Value(epoch.validation?.loss)),
    ]
      + metrics.map { ($0, JSONLine.Value(epoch.metric($0))) }
      + reportNames.map { ($0, JSONLine.Value(epoch.reports[$0])) }
      + [
        ("learning_rate", .number(epoch.learningRate)),
        ("seconds", .number(seconds)),
        ("examples_per_second", JSONLine.Value(examplesPerSecond)),
      ]
  }
}

extension PhaseContext.Outcome {
  /// Why a run ended: `ended`, and if a callback ended it, which one and the reason.
  fileprivate var members: [(key: String, value: JSONLine.Value)] {
    switch self {
    case .cancelled(let cancellation):
      [
        ("ended", .text("stopped")),
        ("stopped_by", .text(NamedCallback.name(of: cancellation.callback))),
        ("reason", .text(cancellation.reason)),
      ]
    // Other runs end with an error, which is reported instead.
    case .finished, .running, .failed, .interrupted: [("ended", .text("finished"))]
    }
  }
}
