import Crest

/// Remembers the results of a fit's epochs, and prints them as JSON if that is asked for.
final class EpochReport: Callback {
  private let json: Bool
  private var last: EpochContext?
  private var epochCount = 0
  private var seconds = 0.0
  private var exampleCount = 0
  private var trainSeconds = 0.0

  init(json: Bool) { self.json = json }

  var hooks: [Hook] { [.afterEpoch(report)] }
  // Behind everything, so that what it prints is what the others left.
  var order: Int { .max }

  private func report(_ epoch: EpochContext) throws {
    switch epoch.outcome {
    case .finished, .cancelled: break
    case .running, .interrupted, .failed: return
    }
    last = epoch
    epochCount += 1
    seconds += epoch.seconds
    exampleCount += epoch.train?.exampleCount ?? 0
    trainSeconds += epoch.train?.seconds ?? 0
    guard json else { return }
    let line = JSONLine(
      event: "epoch",
      Self.members(
        epoch, seconds: epoch.seconds, examplesPerSecond: epoch.train?.examplesPerSecond))
    try StandardOutput.write(line.text)
  }

  /// What the fit came to: the results of its last epoch, and the time of all.
  func writeResult() throws(OutputError) {
    guard let last else { return }
    let speed = trainSeconds > 0 ? Double(exampleCount) / trainSeconds : nil
    guard !json else {
      let members = Self.members(last, seconds: seconds, examplesPerSecond: speed)
      return try StandardOutput.write(JSONLine(event: "result", members).text)
    }
    let results = (last.validation?.metrics ?? []).map { "\($0.name) \(decimal($0.value, 4))" }
    let losses = [
      last.validation.map { "valid loss \(decimal($0.loss, 4))" },
      last.train.map { "train loss \(decimal($0.loss, 4))" },
    ].compactMap(\.self)
    let epochs = epochCount == 1 ? "1 epoch" : "\(epochCount) epochs"
    let pace = speed.map { ", \(decimal($0, 0)) examples a second" } ?? ""
    try StandardOutput.write(
      (results + losses).joined(separator: ", ")
        + " after \(epochs) in \(decimal(seconds, 1)) s\(pace)\n")
  }

  private static func members(
    _ epoch: EpochContext, seconds: Double, examplesPerSecond: Double?
  ) -> [(key: String, value: JSONLine.Value)] {
    [
      ("epoch", .integer(epoch.index + 1)),
      ("train_loss", JSONLine.Value(epoch.train?.loss)),
      ("valid_loss", JSONLine.Value(epoch.validation?.loss)),
    ]
      + epoch.learner.metrics.map { ($0.name, JSONLine.Value(epoch.validation?[$0.name])) }
      + epoch.fit.reportNames.map { ($0, JSONLine.Value(epoch.reports[$0])) }
      + [
        ("seconds", .number(seconds)),
        ("examples_per_second", JSONLine.Value(examplesPerSecond)),
      ]
  }
}
