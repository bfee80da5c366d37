import ArgumentParser

struct Convert: ModelJudge {
  static let configuration = CommandConfiguration(
    abstract: "Convert a model to another version of the default operator set.",
    discussion: """
      The model is checked before and after. Raising the version mostly works; lowering it mostly \
      doesn't, and libonnx says so. A conversion that would leave out part of the model, such as \
      external data, functions or metadata, is refused.
      """)

  @OptionGroup var options: ModelOptions

  @Option(help: ArgumentHelp("The version to convert to.", valueName: "version"))
  var opset: Int64

  @Option(
    help: ArgumentHelp(
      "The file to write; an older one is replaced once the new one is complete.",
      valueName: "file.onnx"))
  var output: String

  func validate() throws {
    let newest = Official.newestOpset(of: "")
    guard !(1...newest).contains(opset) else { return }
    throw ValidationError("--opset: expected 1 to \(newest), got \(opset)")
  }

  func judge(_ source: ModelFile) throws(JudgeError) -> (verdict: Verdict, text: String) {
    let file = try ReplacedFile(output, apartFrom: source)
    let converted = try valid(source).converted(toOpset: opset)
    try converted.check(as: .checkOfConverted)
    try converted.withBytes { (bytes) throws(JudgeError) in try file.replace(by: bytes) }
    let verdict = Verdict(accepting: converted, in: Self._commandName, output: output)
    return (verdict, "\(output): written, \(verdict.summary)\n")
  }
}
