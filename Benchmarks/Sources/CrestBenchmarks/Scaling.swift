import ArgumentParser
import Foundation

/// Runs Crest on one thread and on several in turn, and prints how much faster several are.
struct Scaling: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs Crest on one thread and on several in turn and prints medians of the ratios.")

  @Option(help: "Pairs of runs.")
  var pairs = 5
  @Option(help: "Threads, against one.")
  var threads = 2
  @Option(help: "Steps that are timed in a run; by the network when left out.")
  var steps: Int?
  @Argument(help: "Rows, as in resnet20/128; all when none is given.")
  var workloads: [Workload] = []

  func validate() throws {
    if pairs < 1 { throw ValidationError("--pairs: expected at least 1, got \(pairs)") }
    if threads < 1 { throw ValidationError("--threads: expected at least 1, got \(threads)") }
    if let steps, steps < 1 { throw ValidationError("--steps: expected at least 1, got \(steps)") }
  }

  func run() throws {
    print(try Machine.description(threads: threads) + "\n")
    print("| step | 1 thread /s | \(threads) threads /s | ratio (least–most) |")
    print("|---|---|---|---|")
    let executable = Bundle.main.executablePath ?? CommandLine.arguments[0]
    for workload in workloads.isEmpty ? Workload.all : workloads {
      func seconds(_ threads: Int) throws -> Double {
        let counts = ["--threads", "\(threads)"] + (steps.map { ["--steps", "\($0)"] } ?? [])
        return try MeasuredProcess(executable, ["measure", "\(workload)"] + counts).seconds(.step)
      }
      let times = try (0..<pairs).map { _ in (try seconds(1), try seconds(threads)) }
      let ratios = times.map { $0 / $1 }
      let rates = [times.map(\.0), times.map(\.1)].map {
        Int(Double(workload.batchSize) / $0.median)
      }
      print(
        "| \(workload) | \(rates[0]) | \(rates[1]) | \(ratios.median.rounded(to: 2)) "
          + "(\((ratios.min() ?? .nan).rounded(to: 2))–\((ratios.max() ?? .nan).rounded(to: 2))) |")
      fflush(nil)
    }
  }
}
