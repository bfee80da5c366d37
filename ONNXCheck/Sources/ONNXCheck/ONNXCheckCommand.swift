import ArgumentParser
import COnnx

/// The command `crest-onnx-check`; each subcommand is in the file of its name.
@main
struct ONNXCheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crest-onnx-check",
    abstract: "Check an ONNX model with ONNX's own checker, libonnx.",
    discussion: """
      Exit codes: 0 accepted, 64 wrong usage, 65 the model is refused or needs more than the limits, \
      70 a fault of this program, 74 a file can't be read or written.
      libonnx crashes on some malformed models. Then this process ends by a signal, most often \
      SIGSEGV or SIGFPE, and writes no result: treat the model as refused.
      """,
    version: "libonnx \(Official.release): IR versions up to \(Official.newestIRVersion), "
      + "opsets up to \(Official.newestOpset(of: ""))",
    subcommands: [Check.self, Infer.self, Convert.self])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as JudgeError {
      StandardError.write("Error: \(error)\n")
      exit(withError: ExitCode(error.code.rawValue))
    } catch {
      // The parser's own: wrong options, and requests for help.
      exit(withError: error)
    }
  }
}

/// What the installed libonnx is, and how far its knowledge goes.
enum Official {
  static var release: String { String(cString: crest_onnx_release()) }

  static var newestIRVersion: Int64 { crest_onnx_newest_ir_version() }

  /// Of the operator set `domain`, "" for the default one; 0 for a domain that libonnx doesn't know.
  static func newestOpset(of domain: String) -> Int64 { crest_onnx_newest_opset(domain) }
}
