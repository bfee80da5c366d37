import ArgumentParser

struct Infer: ModelJudge {
  static let configuration = CommandConfiguration(
    abstract: "Check a model, and infer the types and shapes of its values.",
    discussion: """
      Inference is strict: a model with a node whose shapes disagree is refused. Prints one line for each \
      input of the main graph and for each output of its nodes; ? is a size, a shape or a type that \
      is unknown.
      """)

  @OptionGroup var options: ModelOptions

  func judge(_ source: ModelFile) throws(JudgeError) -> (verdict: Verdict, text: String) {
    let model = try valid(source)
    try model.infer()
    let values = try model.values()
    let verdict = Verdict(accepting: model, in: Self._commandName, values: values)
    return (verdict, values.map { "\($0)\n" }.joined())
  }
}
