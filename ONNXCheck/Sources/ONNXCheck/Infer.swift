import ArgumentParser

struct Infer: ModelJudge {
  static let configuration = CommandConfiguration(
    abstract: "Check a model, and infer the types and shapes of its values.",
    discussion: """
      Inference is strict: a node whose shapes disagree refuses the model. Prints a line for each \
      input of the main graph and for each value its nodes give; ? is a size, a shape or a type that \
      can't be known.
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
