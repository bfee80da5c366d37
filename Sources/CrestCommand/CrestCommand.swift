import ArgumentParser
import CrestFiles

/// The command `crest`; each subcommand has its own file.
@main
struct CrestCommandLine: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crest",
    abstract: "Train neural networks on this machine.",
    discussion: """
      Results go to standard output, progress to standard error if that is a terminal.
      Exit codes: 0 done, 64 wrong usage, 65 bad model, data or plugin, 66 training diverged, 70 a bug in crest, 74 a file \
      can't be read or written, 130 interrupted.
      """,
    version: crestVersion,
    subcommands: [
      Train.self, FineTune.self, FindLR.self, FindBatchSize.self, RangeTestCommand.self,
      Evaluate.self,
      Predict.self, Generate.self, ExportModel.self,
      Inspect.self,
      DataCommand.self, PluginsCommand.self,
    ])

  static func main() {
    Interruption.begin()
    do {
      try refuseSingleDashes(CommandLine.arguments.dropFirst())
      var command = try parseAsRoot()
      try command.run()
    } catch {
      end(error)
    }
  }

  /// Refuses `-epochs`, which the parser would read as `-e -p -o -c -h …` and so as a request for
  /// help.
  private static func refuseSingleDashes(_ arguments: some Sequence<String>) throws(CommandError) {
    for argument in arguments {
      if argument == "--" { return }
      // Numbers may be negative.
      guard argument.hasPrefix("-"), !argument.hasPrefix("--"), argument.count > 2,
        argument.dropFirst().first?.isLetter ?? false, Double(argument) == nil
      else { continue }
      throw .singleDash(argument)
    }
  }

  /// Ends the process with the help or version that was asked for, or with why it can't be written.
  private static func endWithHelp(_ request: any Error) -> Never {
    do throws(OutputError) {
      try StandardOutput.writeOwn(fullMessage(for: request) + "\n")
    } catch {
      end(error)
    }
    exit(withError: ExitCode.success)
  }

  /// Ends the process with the exit code and the message of an error.
  private static func end(_ error: any Error) -> Never {
    guard let failure = Failure(error) else {
      // The parser's own errors: wrong options, and requests for help.
      guard exitCode(for: error) != .success else { endWithHelp(error) }
      StandardError.write(parserMessage(error) + "\n")
      exit(withError: exitCode(for: error))
    }
    StandardError.write("Error: \(failure.message.shown())\n")
    Notes.writeFailure(failure)
    exit(withError: ExitCode(failure.code.rawValue))
  }
}
