import ArgumentParser
import Foundation
import ProcessSupport

/// Which rows are measured, and how: what the commands that start processes share.
struct RowOptions: ParsableArguments {
  @Option(
    help:
      "Batches of an epoch: after one that isn't, three are timed, and as many bare steps; by the network when left out.",
    transform: atLeastOne)
  var steps: Int?
  @Option(help: "Threads.", transform: atLeastOne)
  var threads = 2
  @Argument(help: "Rows, as in resnet20/128; all when none is given.")
  var workloads: [Workload] = []

  /// The rows, all when none was given.
  var rows: [Workload] { workloads.isEmpty ? Workload.all : workloads }

  /// Runs ``Measure`` on a row, with `threads` instead of the option's when given.
  func measure(
    _ workload: Workload, _ options: [String] = [], threads: Int? = nil
  ) throws -> MeasuredProcess {
    try MeasuredProcess(
      .own, ["measure", "\(workload)"] + counts(threads: threads) + options)
  }

  /// The options that both Crest's side and PyTorch's take.
  func counts(threads: Int? = nil) -> [String] {
    ["--threads", "\(threads ?? self.threads)"] + (steps.map { ["--steps", "\($0)"] } ?? [])
  }
}

/// A count that an option gives.
func atLeastOne(_ argument: String) throws -> Int {
  guard let count = Int(argument), count >= 1 else {
    throw ValidationError("expected a whole number of at least 1")
  }
  return count
}
