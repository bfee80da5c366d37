import ArgumentParser

struct Check: ModelJudge {
  static let configuration = CommandConfiguration(
    abstract: "Check that a model is valid.",
    discussion: """
      Structure, names, operators, attributes, and that side files exist in the model's folder; not \
      shapes, which infer looks at, and not the contents of side files.
      """)

  @OptionGroup var options: ModelOptions

  func judge(_ source: ModelFile) throws(JudgeError) -> (verdict: Verdict, text: String) {
    let verdict = Verdict(accepting: try valid(source), in: Self._commandName)
    return (verdict, "\(options.model): valid, \(verdict.summary)\n")
  }
}
