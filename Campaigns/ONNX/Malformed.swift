import ArgumentParser
import Foundation
import ONNXTestSupport
import ProcessSupport

/// Gives every malformed and broken model of the tables to the command, and measures how it ends.
struct Malformed: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Give every malformed model to the command.",
    discussion: "Fails unless each ends with code 65, within 100 ms and below 64 MiB.")

  @Option(help: "The command.")
  var crest: String

  @Option(help: "How often each; the quickest counts, since other programs may run.")
  var repeats = 3

  /// A model and the best of its runs.
  private struct Run {
    let name: String
    let exitCodes: Set<Int32?>
    let kibibytes: Int
    let seconds: Double

    var isWithinLimits: Bool {
      exitCodes == [RefusalLimits.exitCode] && kibibytes < RefusalLimits.kibibytes
        && seconds < RefusalLimits.seconds
    }
  }

  func run() throws {
    let help = try best("crest --help", ["--help"])
    report("starting the command: \(text(help))")
    var runs: [Run] = []
    for model in models {
      let run = try TemporaryFolder.lent { folder in
        try best(model.name, RefusalLimits.arguments(model: model.write(folder)))
      }
      if !run.isWithinLimits { report("FAILED \(text(run))") }
      runs.append(run)
    }
    let times = runs.map(\.seconds).sorted()
    let (slowest, largest) = (
      runs.max { $0.seconds < $1.seconds }, runs.max { $0.kibibytes < $1.kibibytes }
    )
    report("\(runs.count) models, median \(milliseconds(times[times.count / 2]))")
    for (what, run) in [("slowest", slowest), ("largest", largest)] {
      if let run { report("\(what): \(text(run))") }
    }
    guard runs.allSatisfy(\.isWithinLimits) else { throw ExitCode.failure }
  }

  private var models: [(name: String, write: (String) throws -> String)] {
    MalformedModel.all.map { model in
      (
        model.name,
        { folder in
          let path = folder + "/model.onnx"
          try Data(model.bytes).write(to: URL(filePath: path))
          return path
        }
      )
    } + BrokenModel.all.map { model in (model.name, { try model.write(to: $0) }) }
  }

  private func best(_ name: String, _ arguments: [String]) throws -> Run {
    let runs = try (0..<max(repeats, 1)).map { _ in
      try MeasuredProcess(measurer: .own, crest, arguments)
    }
    return Run(
      name: name, exitCodes: Set(runs.map(\.exitCode)),
      kibibytes: runs.map(\.peakKibibytes).max() ?? 0, seconds: runs.map(\.seconds).min() ?? 0)
  }

  private func text(_ run: Run) -> String {
    let codes = run.exitCodes.map { $0.map { "exit code \($0)" } ?? "a signal" }
    return "\(run.name): \(codes.joined(separator: ", ")), \(milliseconds(run.seconds)), "
      + "\(run.kibibytes >> 10) MiB"
  }

  private func milliseconds(_ seconds: Double) -> String {
    "\(Int((seconds * 1000).rounded())) ms"
  }
}
