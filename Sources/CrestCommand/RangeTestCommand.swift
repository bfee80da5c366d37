import ArgumentParser
import Crest

struct RangeTestCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "range-test",
    abstract: "Tell whether very large learning rates are possible.",
    discussion: """
      Smith's range test: the learning rate rises linearly from about 0, while accuracy is measured on training \
      examples that are held out. If accuracy holds up to very large rates, super-convergence is likely; if it rises \
      to a peak and falls, it is unlikely. A set's own validation or test part is never looked at.
      """)

  @OptionGroup(title: "Model and data") var model: ModelOptions

  @OptionGroup(title: "Range") var range: RangeTestOptions

  @OptionGroup(title: "Training") var optimizer: OptimizerOptions

  @OptionGroup(title: "Parameters") var parameters: ParameterOptions

  @Option(help: ArgumentHelp("An SVG file for the plot.", valueName: "file"))
  var plot: String?

  func run() throws {
    if optimizer.momentum?.second != nil {
      throw CommandError.momentumPair(schedule: "a range test")
    }
    Notes.areEvents(model.json)
    let outputs = try NamedOutput.list(("--plot", plot)).open(besides: model.inputs)
    defer { outputs.close() }
    let steps = try range.steps.map(RangeTestOptions.checked)
    let learner = try makeLearner(model, optimizer, parameters)
    let seeds = try range.seeds(from: learner.seed)
    let test = try Interruption.around(learner, meanwhile: "the test is ending") {
      try learner.rangeTest(
        to: range.to, steps: steps, points: range.points, seeds: seeds,
        trialEpochs: range.trialEpochs, callbacks: [ProgressBar(.liveLineOnly)])
    }
    if let plot { try writeFile(test.plot.svg(), to: plot) }
    let advice = learner.advice(for: test)
    if model.json {
      try Notes.writeResult(test.members(seeds: seeds, advice: advice))
    } else {
      try StandardOutput.write(text(test, advice))
    }
    if test.verdict == nil { throw RangeTest.Refusal.noVerdict(test.doubts.filter(\.isRefusal)) }
  }

  private func text(_ test: RangeTest, _ advice: [RangeTest.Advice]) -> String {
    let characters: LRFinder.Plot.Characters =
      ProgressBar.Output.standardError.isUnicode ? .unicode : .ascii
    var lines = ["Verdict: \(test.summary)"]
    lines += test.reasons.map { "  \($0)" }
    if let maxLR = test.maxLR, let minLR = test.minLR {
      lines.append(
        "Learning rate: \(maxLR.short) at most for 1cycle, \(minLR.short) at least for cycles")
      lines += test.trials.map { trial in
        "  Trial: 1cycle to \(trial.maxLR.short): "
          + (trial.loss.map { "held-out loss \(decimal($0, 4))" } ?? "diverged")
      }
      lines += advice.lines
      lines.append("Next: \(NextCommand.train(maxLR: maxLR))")
    }
    return test.plot.terminal(characters: characters) + "\n"
      + lines.map { $0 + "\n" }.joined()
  }
}

/// How far a range test goes, and in how many steps.
struct RangeTestOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The highest rate (default: 30 times a usual one, which is found first).", valueName: "x"))
  var to: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Steps for each seed (default: four epochs, at least 1500).", valueName: "n"))
  var steps: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("Points of the curve.", valueName: "n"))
  var points = 40

  @Option(
    name: .customLong("seeds"), parsing: .unconditional,
    help: ArgumentHelp(
      "How many seeds to try, from --seed on; three make the verdict surer.", valueName: "n"))
  var seedCount = 1

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Epochs of the 1cycle runs that tell how much of a plateau to use; 0 for none.",
      valueName: "n"))
  var trialEpochs = 2

  /// The steps, of which more than a million are no search but a run.
  static func checked(_ steps: Int) throws(RangeTest.Refusal) -> Int {
    guard steps <= 1_000_000 else {
      throw .outOfRange(parameter: "steps", value: "\(steps)", expected: "at most 1000000")
    }
    return steps
  }

  /// The seeds, from the first on.
  func seeds(from first: UInt64) throws(RangeTest.Refusal) -> [UInt64] {
    try Self.seeds(seedCount, from: first)
  }

  /// So many seeds, from the first on.
  static func seeds(_ count: Int, from first: UInt64) throws(RangeTest.Refusal) -> [UInt64] {
    guard (1...100).contains(count) else {
      throw .outOfRange(parameter: "seeds", value: "\(count)", expected: "1 to 100")
    }
    return (0..<UInt64(count)).map { first &+ $0 }
  }
}

extension [RangeTest.Advice] {
  /// As lines for people.
  var lines: [String] {
    guard !isEmpty else { return [] }
    return ["Advice:"]
      + flatMap { advice in
        [
          "  \(advice.topic.name): \(advice.text)",
          "    Seen in: \(advice.source). Not tested: \(advice.untested).",
        ]
      }
  }

  /// As members of a JSON object.
  var value: JSONLine.Value {
    .list(
      map { advice in
        .object([
          ("topic", .text(advice.topic.rawValue)), ("text", .text(advice.text)),
          ("source", .text(advice.source)), ("untested", .text(advice.untested)),
          ("option", advice.option.map { .text($0) } ?? .null),
        ])
      })
  }
}

extension RangeTest {
  fileprivate func members(
    seeds: [UInt64], advice: [Advice]
  ) -> [(key: String, value: JSONLine.Value)] {
    [
      ("verdict", verdict.map { .text($0.rawValue) } ?? .null),
      ("confidence", .number(confidence)), ("max_lr", JSONLine.Value(maxLR)),
      ("min_lr", JSONLine.Value(minLR)), ("top_lr", JSONLine.Value(topRate)),
      ("usual_lr", JSONLine.Value(usualRate)), ("measure", .text(measure.rawValue)),
      ("steps", .integer(stepCount)),
      ("doubts", .list(doubts.map { .text($0.rawValue) })),
      ("reasons", .list(reasons.map { .text($0) })),
      ("trials", .list(trials.map(\.value))),
      (
        "curves",
        .list(
          zip(seeds, zip(curves, readings)).map { seed, curve in
            .object(curve.1.members(seed: seed) + curve.0.members)
          })
      ),
      ("advice", advice.value),
    ]
  }
}

extension RangeTest.Trial {
  fileprivate var value: JSONLine.Value {
    .object([("max_lr", .number(maxLR)), ("loss", JSONLine.Value(loss))])
  }
}

extension RangeTest.Curve {
  fileprivate var members: [(key: String, value: JSONLine.Value)] {
    [
      ("chance", .number(chance)),
      ("learning_rate", .list(points.map { .number($0.learningRate) })),
      ("accuracy", .list(points.map { .number($0.accuracy) })),
    ]
  }
}

extension RangeTest.Reading {
  fileprivate func members(seed: UInt64) -> [(key: String, value: JSONLine.Value)] {
    [
      ("seed", .text("\(seed)")), ("verdict", verdict.map { .text($0.rawValue) } ?? .null),
      ("score", .number(score)), ("peak", .number(peak)), ("peak_lr", .number(peakRate)),
      ("end", .number(end)), ("from_peak", .number(fromPeak)),
      ("upper_half", .number(upperHalf)), ("width", .number(width)),
      ("top_lr", .number(topRate)), ("diverged_lr", JSONLine.Value(divergedRate)),
      ("doubts", .list(doubts.map { .text($0.rawValue) })),
    ]
  }
}
