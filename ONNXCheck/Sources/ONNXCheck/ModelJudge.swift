import ArgumentParser

/// A subcommand: what it asks libonnx about a model.
protocol ModelJudge: ParsableCommand {
  var options: ModelOptions { get }

  /// Judges the file, under the limits that are set, and returns what is to be printed.
  func judge(_ source: ModelFile) throws(JudgeError) -> (verdict: Verdict, text: String)
}

extension ModelJudge {
  func run() throws {
    let command = Self._commandName
    do throws(JudgeError) {
      let source = try ModelFile(options.model)
      try options.limitProcess(command: command)
      let (verdict, text) = try judge(source)
      try StandardOutput.write(options.json ? verdict.line : text)
    } catch {
      if options.json, error.refusal != nil {
        try StandardOutput.write(Verdict(refusing: options.model, in: command, for: error).line)
      }
      throw error
    }
  }

  /// The model of a file, once it is known that libonnx can judge it and finds it valid.
  func valid(_ source: ModelFile) throws(JudgeError) -> OfficialModel {
    let model = try OfficialModel(source, memoryLimit: options.memoryLimit)
    try model.checkVersions()
    try model.check()
    return model
  }
}
