import ArgumentParser
import COnnx
import CrestPlatform

/// What every subcommand takes.
struct ModelOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("The model to check.", valueName: "file.onnx"))
  var model: String

  @Option(
    help: ArgumentHelp(
      "Memory limit of this process (its address space), in MiB.", valueName: "mib"))
  var memoryLimit = 2048

  @Option(
    help: ArgumentHelp("Processor time limit of this process, in seconds.", valueName: "seconds"))
  var timeLimit = 10

  @Flag(help: "Print the result as a JSON object, including refusals.")
  var json = false

  /// The program itself takes some 50 MiB; a tebibyte is more than any model that libprotobuf can read.
  static let memoryLimits = 128...1_048_576
  static let timeLimits = 1...86_400

  func validate() throws {
    try Self.check("--memory-limit", memoryLimit, Self.memoryLimits, "MiB")
    try Self.check("--time-limit", timeLimit, Self.timeLimits, "seconds")
  }

  private static func check(
    _ option: String, _ value: Int, _ range: ClosedRange<Int>, _ unit: String
  ) throws {
    guard !range.contains(value) else { return }
    throw ValidationError(
      "\(option): expected \(range.lowerBound) to \(range.upperBound) \(unit), got \(value)")
  }

  /// Sets the limits, for good, so that the model's bytes may be looked at.
  func limitProcess(command: String) throws(JudgeError) {
    let crashFailure = crest_crash_quietly()
    precondition(crashFailure == 0, "crashes can't be made quiet: errno \(crashFailure)")
    let memoryFailure = crest_limit_memory(UInt64(memoryLimit) << 20)
    guard memoryFailure == 0 else {
      throw .limit(
        option: "--memory-limit", value: memoryLimit,
        reason: String(cString: strerror(memoryFailure)))
    }
    let error = JudgeError.time(model, limit: timeLimit)
    // Kept by the signal handler until the process ends, so never freed.
    let timeFailure = crest_limit_time(
      UInt64(timeLimit),
      strdup(json ? Verdict(refusing: model, in: command, for: error).line : ""),
      strdup("Error: \(error)\n"), error.code.rawValue)
    guard timeFailure == 0 else {
      throw .limit(
        option: "--time-limit", value: timeLimit, reason: String(cString: strerror(timeFailure)))
    }
  }
}
