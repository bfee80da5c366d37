import ArgumentParser

struct Check: ModelJudge {
  static let configuration = CommandConfiguration(
    abstract: "Check that a model is valid.",
    discussion: """
      Checks structure, names, operators, attributes, and that external data files exist in the model's folder; not \
      shapes, which infer checks, and not the contents of external data files.
      """)

  @OptionGroup var options: ModelOptions

  func judge(_ source: ModelFile) throws(JudgeError) -> (verdict: Verdict, text: String) {
    let verdict = Verdict(accepting: try valid(source), in: Self._commandName)
    return (verdict, "\(options.model): valid, \(verdict.summary)\n")
  }
}
