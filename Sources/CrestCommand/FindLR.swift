import ArgumentParser
import Crest

struct FindLR: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "find-lr",
    abstract: "Find a good learning rate.",
    discussion: """
      Trains at increasing learning rates from 1e-7 to 10 until the loss diverges, plots the \
      losses, and suggests a learning rate by four methods.
      """)

  @OptionGroup(title: "Model and data") var model: ModelOptions

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
    let learner = try makeLearner(model, optimizer, parameters)
    let findings = try Interruption.around(learner, meanwhile: "the search is ending") {
      try learner.findLearningRate(
        callbacks: [ProgressBar(.liveLineOnly)])
    }
    try checkSuggests(findings)
    if let plot { try writeFile(findings.plot.svg(), to: plot) }
    if model.json { return try Notes.writeResult(members(of: findings)) }
    try StandardOutput.write(text(findings))
  }

  /// Throws if the loss diverged too early for a suggestion.
  private func checkSuggests(_ findings: LearningRateFindings) throws(CommandError) {
    let isShort = LearningRateFindings.Suggestion.Method.allCases.allSatisfy { method in
      switch findings.suggestion(method) {
      case .notEnoughPoints, .noFiniteLoss: true
      case .rate, .lossNeverFalls: false
      }
    }
    guard isShort, let last = findings.points.last else { return }
    throw .noLearningRate(rate: last.rate, count: findings.points.count, loss: last.loss)
  }

  private func text(_ findings: LearningRateFindings) -> String {
    findings.plot.terminal(
      characters: ProgressBar.Output.standardError.isUnicode ? .unicode : .ascii)
  }

  private func members(
    of findings: LearningRateFindings
  ) -> [(key: String, value: JSONLine.Value)] {
    LearningRateFindings.Suggestion.Method.allCases.map { method in
      (method.rawValue, JSONLine.Value(findings.suggestion(method).rate))
    }
  }
}
