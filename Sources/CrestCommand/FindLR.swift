public import ArgumentParser
public import Crest

struct FindLR: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "find-lr",
    abstract: "Find a good learning rate.",
    discussion: """
      Trains at increasing learning rates until the loss diverges, with several seeds; recommends a maximum for 1cycle, \
      and plots the losses of the first seed with what four methods suggest.
      """)

  @OptionGroup(title: "Model and data") var model: ModelOptions

  @OptionGroup(title: "Rates") var sweep: SweepOptions

  @OptionGroup(title: "Training") var optimizer: OptimizerOptions

  @OptionGroup(title: "Parameters") var parameters: ParameterOptions

  @Flag(help: "Also say how to choose what goes with the rate, with sources.")
  var advise = false

  @Option(help: ArgumentHelp("An SVG file for the plot.", valueName: "file"))
  var plot: String?

  func run() throws {
    if optimizer.momentum?.second != nil {
      throw CommandError.momentumPair(schedule: "a range test")
    }
    let rates = try sweep.sweep()
    Notes.areEvents(model.json)
    let outputs = try NamedOutput.list(("--plot", plot)).open(besides: model.inputs)
    defer { outputs.close() }
    let learner = try makeLearner(model, optimizer, parameters)
    let seeds = try sweep.seeds(from: learner.seed)
    let recommendation = try Interruption.around(learner, meanwhile: "the search is ending") {
      try learner.recommendLearningRate(
        rates, seeds: seeds, callbacks: [ProgressBar(.liveLineOnly)])
    }
    let findings = recommendation.findings[0]
    try checkSuggests(findings)
    if let plot { try writeFile(findings.plot.svg(), to: plot) }
    let advice = advise ? recommendation.maxLR.map { learner.advice(maxLR: $0) } ?? [] : []
    if model.json {
      return try Notes.writeResult(recommendation.members(seeds: seeds, advice: advice))
    }
    try StandardOutput.write(text(recommendation, advice))
  }

  /// Throws if there are too few points for a suggestion.
  private func checkSuggests(_ findings: LearningRateFindings) throws(CommandError) {
    let isShort = LearningRateFindings.Suggestion.Method.allCases.allSatisfy { method in
      switch findings.suggestion(method) {
      case .notEnoughPoints, .noFiniteLoss: true
      case .rate, .lossNeverFalls: false
      }
    }
    guard isShort, let last = findings.points.last else { return }
    if findings.ending == .completed { throw .tooFewRates(findings.points.count) }
    throw .noLearningRate(rate: last.rate, count: findings.points.count, loss: last.loss)
  }

  private func text(
    _ recommendation: LearningRateFindings.Recommendation, _ advice: [RangeTest.Advice]
  ) -> String {
    let characters: LRFinder.Plot.Characters =
      ProgressBar.Output.standardError.isUnicode ? .unicode : .ascii
    let maxLR = recommendation.maxLR
    let lines = [
      "Recommended for 1cycle: " + (maxLR.map { "--max-lr \($0.short)" } ?? "nothing"),
      "  \(recommendation.reason)", "",
    ]
    var next = advice.lines
    if let maxLR { next.append("Next: \(NextCommand.train(maxLR: maxLR))") }
    func joined(_ lines: [String]) -> String { lines.map { $0 + "\n" }.joined() }
    return joined(lines) + recommendation.findings[0].plot.terminal(characters: characters)
      + joined(next)
  }
}

/// The rates that the finder tries.
struct SweepOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: ArgumentHelp("The lowest rate.", valueName: "x"))
  var startLR = LearningRateSweep.standard.start

  @Option(parsing: .unconditional, help: ArgumentHelp("The highest rate.", valueName: "x"))
  var endLR = LearningRateSweep.standard.end

  @Option(
    parsing: .unconditional, help: ArgumentHelp("How many rates, one per batch.", valueName: "n"))
  var steps = LearningRateSweep.standard.steps

  @Option(help: ArgumentHelp("How rates grow.", valueName: "how"))
  var spacing = LearningRateSweep.standard.spacing

  @Option(
    name: .customLong("seeds"), parsing: .unconditional,
    help: ArgumentHelp("How many seeds to try, from --seed on.", valueName: "n"))
  var seedCount = 3

  /// The rates.
  func sweep() throws -> LearningRateSweep {
    try LearningRateSweep(
      start: startLR, end: endLR, steps: RangeTestOptions.checked(steps), spacing: spacing)
  }

  /// The seeds, from the first on.
  func seeds(from first: UInt64) throws(RangeTest.Refusal) -> [UInt64] {
    try RangeTestOptions.seeds(seedCount, from: first)
  }
}

extension LearningRateSweep.Spacing: ExpressibleByArgument {}

extension LearningRateFindings.Recommendation {
  fileprivate func members(
    seeds: [UInt64], advice: [RangeTest.Advice]
  ) -> [(key: String, value: JSONLine.Value)] {
    [
      ("max_lr", JSONLine.Value(maxLR)), ("certainty", .text(certainty.rawValue)),
      ("reason", .text(reason)),
    ] + findings[0].members
      + [
        (
          "seeds",
          .list(
            zip(seeds, findings).map { seed, findings in
              .object([("seed", .text("\(seed)"))] + findings.members + [("curve", findings.curve)])
            })
        )
      ] + (advice.isEmpty ? [] : [("advice", advice.value)])
  }
}

extension LearningRateFindings {
  /// What each method suggests.
  fileprivate var members: [(key: String, value: JSONLine.Value)] {
    Suggestion.Method.allCases.map { method in
      (method.rawValue, JSONLine.Value(suggestion(method).rate))
    }
  }

  fileprivate var curve: JSONLine.Value {
    .object([
      ("learning_rate", .list(points.map { .number($0.rate) })),
      ("loss", .list(points.map { .number($0.loss) })),
      ("smoothed_loss", .list(points.map { .number($0.smoothedLoss) })),
    ])
  }
}
