import Crest

/// Ends training when an epoch made the validation loss higher.
final class StopWhenWorse: Callback {
  private var best = Double.infinity
  var hooks: [Hook] { [.afterEpoch(check)] }
  private func check(_ epoch: EpochContext) throws {
    guard let loss = epoch.validation?.loss else { return }
    if loss > best { throw Cancel(.fit, reason: "the validation loss rose to \(loss)") }
    best = loss
  }
}

// A set of 8 × 8 images in ten classes.
let name = CommandLine.arguments.dropFirst().first ?? "digits"

reportingErrors {
  let data = try DataSource(name).load()
  let model = try BuiltInModel.make("small-cnn", input: [1, 8, 8], classes: 10)
  let learner = try Learner(model, data: data, metrics: [Accuracy()], callbacks: .standard)
  try learner.fitOneCycle(epochs: 12, maxLR: 0.3, callbacks: [StopWhenWorse()])
}
