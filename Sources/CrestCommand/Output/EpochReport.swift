import Crest

/// Remembers the results of a fit's epochs, and prints them as JSON if that is asked for.
final class EpochReport: StatefulCallback {
  /// An epoch's results.
  struct Epoch: Codable {
    let index: Int
    let train: PassResult?
    let validation: PassResult?
    let reports: [String: Double]
    /// The learning rate of its last step.
    let learningRate: Double
  }

  /// All it remembers, so that a run that is gone on with reports on all of it.
  struct State: Codable {
    fileprivate var last: Epoch?
    fileprivate var epochCount = 0
    fileprivate var seconds = 0.0
    fileprivate var exampleCount = 0
    fileprivate var trainSeconds = 0.0
  }

  var state = State()
  private let json: Bool
  private var metrics: [String] = []
  private var reportNames: [String] = []

  init(json: Bool) { self.json = json }

  var hooks: [Hook] {
    [.beforeFit(begin), .afterEpoch(report)]
  }
  // Behind everything but what saves the run, so that what it prints is what the others left.
  var order: Int { .max - 2 }

  private func begin(_ fit: FitContext) {
    metrics = fit.learner.metrics.map(\.name)
    reportNames = fit.reportNames
  }

  private func report(_ epoch: EpochContext) throws {
    switch epoch.outcome {
    case .finished, .cancelled: break
    case .running, .interrupted, .failed: return
    }
    let results = Epoch(
      index: epoch.index, train: epoch.train, validation: epoch.validation,
      reports: epoch.reports, learningRate: epoch.learner.hyperparameters.learningRate)
    state.last = results
    state.epochCount += 1
    state.seconds += epoch.seconds
    state.exampleCount += epoch.train?.exampleCount ?? 0
    state.trainSeconds += epoch.train?.seconds ?? 0
    guard json else { return }
    let line = JSONLine(
      event: "epoch",
      members(
        results, seconds: epoch.seconds, examplesPerSecond: epoch.train?.examplesPerSecond))
    try StandardOutput.write(line.text)
  }

  /// What the fit came to: the results of its last epoch, the time of all, and why it ended.
  func writeResult(of outcome: Outcome) throws(OutputError) {
    let speed =
      state.trainSeconds > 0 ? Double(state.exampleCount) / state.trainSeconds : nil
    guard !json else {
      let results =
        state.last.map { members($0, seconds: state.seconds, examplesPerSecond: speed) } ?? []
      return try StandardOutput.write(JSONLine(event: "result", results + outcome.members).text)
    }
    guard let last = state.last else { return }
    let results = (last.validation?.metrics ?? []).map { "\($0.name) \(decimal($0.value, 4))" }
    let losses = [
      last.validation.map { "valid loss \(decimal($0.loss, 4))" },
      last.train.map { "train loss \(decimal($0.loss, 4))" },
    ].compactMap(\.self)
    let epochs = state.epochCount == 1 ? "1 epoch" : "\(state.epochCount) epochs"
    let pace = speed.map { ", \(decimal($0, 0)) examples a second" } ?? ""
    try StandardOutput.write(
      (results + losses).joined(separator: ", ")
        + " after \(epochs) in \(decimal(state.seconds, 1)) s\(pace)\n")
  }

  private func members(
    _ epoch: Epoch, seconds: Double, examplesPerSecond: Double?
  ) -> [(key: String, value: JSONLine.Value)] {
    [
      ("epoch", .integer(epoch.index + 1)),
      ("train_loss", JSONLine.Value(epoch.train?.loss)),
      ("valid_loss", JSONLine.Value(epoch.validation?.loss)),
    ]
      + metrics.map { ($0, JSONLine.Value(epoch.validation?[$0])) }
      + reportNames.map { ($0, JSONLine.Value(epoch.reports[$0])) }
      + [
        ("learning_rate", .number(epoch.learningRate)),
        ("seconds", .number(seconds)),
        ("examples_per_second", JSONLine.Value(examplesPerSecond)),
      ]
  }
}

extension Outcome {
  /// Why a run ended: `ended`, and of one that a callback ended which and the reason.
  fileprivate var members: [(key: String, value: JSONLine.Value)] {
    switch self {
    case .cancelled(let cancellation):
      [
        ("ended", .text("stopped")), ("stopped_by", .text(cancellation.callback)),
        ("reason", .text(cancellation.reason)),
      ]
    case .interrupted: [("ended", .text("interrupted"))]
    case .finished, .running, .failed: [("ended", .text("finished"))]
    }
  }
}
