import ArgumentParser
import Foundation

/// Runs Crest's bare steps and whole epochs in turn, and prints what loading adds.
struct Loading: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Runs bare steps, epochs and epochs with augmentation in turn and prints their ratios.",
    discussion: """
      A share of 1 means that an epoch runs at the speed of bare steps: making the batches, changing their images, \
      ten callbacks and the metrics are hidden behind the steps, on the same threads.
      """)

  @Option(help: "Rounds.")
  var pairs = 5
  @Option(help: "Threads.")
  var threads = 2
  @Option(help: "Steps that are timed, and batches of an epoch; by the network when left out.")
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
    print("| Crest | steps /s | epoch: share (least–most) | with crop and flip |")
    print("|---|---|---|---|")
    let executable = Bundle.main.executablePath ?? CommandLine.arguments[0]
    for workload in workloads.isEmpty ? Workload.all : workloads {
      func measure(_ options: [String]) throws -> MeasuredProcess {
        let counts = ["--threads", "\(threads)"] + (steps.map { ["--steps", "\($0)"] } ?? [])
        return try MeasuredProcess(executable, ["measure", "\(workload)"] + counts + options)
      }
      var rates: [Double] = []
      var shares: [[Double]] = [[], []]
      for _ in 0..<pairs {
        for (kind, option) in [[], ["--augment"]].enumerated() {
          let process = try measure(option + ["--scope", "step", "epoch"])
          rates.append(Double(workload.batchSize) / process.seconds(.step))
          shares[kind].append(process.seconds(.step) / process.seconds(.epoch))
        }
      }
      let cells = shares.map {
        "\($0.median.rounded(to: 2)) (\(($0.min() ?? .nan).rounded(to: 2))–"
          + "\(($0.max() ?? .nan).rounded(to: 2)))"
      }
      print("| \(workload) | \(Int(rates.median)) | \(cells[0]) | \(cells[1]) |")
      fflush(nil)
    }
  }
}
