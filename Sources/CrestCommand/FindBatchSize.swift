import ArgumentParser
import Crest

struct FindBatchSize: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "find-batch-size",
    abstract: "Find a good batch size.",
    discussion: """
      Trains some batches of each size, and tells how many examples pass in a second; then it estimates the gradient noise \
      scale, about the largest batch that is still of use, from training with --batch-size. Larger batches that are \
      no faster only take fewer steps from the same examples.
      """)

  @OptionGroup(title: "Model and data") var model: ModelOptions

  @Option(
    help: ArgumentHelp(
      "The batch sizes to try, in ascending order (default: powers of 2 from 8 to 1024).",
      valueName: "n,n…"))
  var sizes: BatchSizesOption?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The batches that are timed for each size.", valueName: "n"))
  var steps = 20

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The batches for the noise scale at most; 0 for none.", valueName: "n"))
  var noiseSteps = 200

  @OptionGroup(title: "Training") var optimizer: OptimizerOptions

  @OptionGroup(title: "Parameters") var parameters: ParameterOptions

  func run() throws {
    if optimizer.momentum?.second != nil {
      throw CommandError.momentumPair(schedule: "a search for a batch size")
    }
    Notes.areEvents(model.json)
    let learner = try makeLearner(model, optimizer, parameters)
    let findings = try Interruption.around(learner, meanwhile: "the search is ending") {
      try learner.findBatchSize(
        sizes: sizes?.sizes, steps: steps, noiseSteps: noiseSteps,
        callbacks: [ProgressBar(.liveLineOnly)])
    }
    if model.json { return try Notes.writeResult(findings.members) }
    try StandardOutput.write(findings.lines.map { $0 + "\n" }.joined())
  }
}

/// Batch sizes, separated by commas.
struct BatchSizesOption: ExpressibleByArgument {
  let sizes: [Int]

  init?(argument: String) {
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    let sizes = parts.compactMap(\.self)
    guard sizes.count == parts.count else { return nil }
    self.sizes = sizes
  }
}

extension BatchSizeFindings {
  fileprivate var lines: [String] {
    let rates = points.map { "\($0.batchSize): \(decimal($0.examplesPerSecond, 0)) examples/s" }
    let most = tooLarge.map { ["\($0): does not fit the memory"] } ?? []
    let noise =
      noiseScale.map { "Gradient noise scale: about \(decimal($0, 0)) examples" }
      ?? "Gradient noise scale: not known; more --noise-steps may tell"
    return rates + most + [noise]
      + (suggestion.map { ["Recommended: --batch-size \($0)"] } ?? [])
  }

  fileprivate var members: [(key: String, value: JSONLine.Value)] {
    [
      ("batch_size", JSONLine.Value(suggestion.map(Double.init))),
      ("noise_scale", JSONLine.Value(noiseScale)),
      ("too_large", JSONLine.Value(tooLarge.map(Double.init))),
      (
        "sizes",
        .list(
          points.map { point in
            .object([
              ("batch_size", .number(Double(point.batchSize))),
              ("examples_per_second", .number(point.examplesPerSecond)),
            ])
          })
      ),
    ]
  }
}
