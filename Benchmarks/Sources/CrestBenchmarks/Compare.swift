import ArgumentParser
import Foundation

/// Runs Crest and PyTorch in turn, each as a process, and prints medians of their ratios.
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs Crest and PyTorch in turn and prints medians of the ratios.",
    discussion: """
      Ratios are of examples per second against the fastest of PyTorch's modes in the same pair, so that a \
      machine whose speed drifts does not matter. "first step" is the time from the process's start.
      """)

  @Option(help: "A Python with torch.")
  var python = "python3"
  @Option(help: "Pairs of runs.")
  var pairs = 5
  @Option(help: "What is timed: step or epoch.")
  var scope: Scope = .step
  @Option(help: "Steps that are timed in a run.")
  var steps = 20
  @Option(help: "Threads of both sides.")
  var threads = 2
  @Option(parsing: .upToNextOption, help: "PyTorch's modes: eager, channels_last, compile.")
  var modes = ["eager", "channels_last", "compile"]
  @Argument(help: "Rows, as in resnet20/128; all when none is given.")
  var workloads: [Workload] = []

  func run() throws {
    print(
      "| \(scope.rawValue) | Crest /s | PyTorch /s | mode | ratio (least–most) | peak memory MB | first step s |"
    )
    print("|---|---|---|---|---|---|---|")
    for workload in workloads.isEmpty ? Workload.all : workloads {
      try compare(workload)
      // Rows come minutes apart.
      fflush(nil)
    }
  }

  private func compare(_ workload: Workload) throws {
    var own: [Run] = []
    var peers: [String: [Run]] = [:]
    for _ in 0..<pairs {
      own.append(try Run(Self.executable, ["measure", "\(workload)"] + shared))
      for mode in modes {
        peers[mode, default: []].append(
          try Run(
            "/usr/bin/env",
            [python, Self.script, workload.network.rawValue, "\(workload.batchSize)", mode] + shared
          ))
      }
    }
    func median(_ runs: [Run], _ value: (Run) -> Double) -> Double { runs.map(value).median }
    guard let best = peers.min(by: { median($0.value, \.seconds) < median($1.value, \.seconds) })
    else { throw ValidationError("give at least one mode of PyTorch") }
    let ratios = own.indices.map { pair in
      (peers.values.map { $0[pair].seconds }.min() ?? .nan) / own[pair].seconds
    }
    func rate(_ runs: [Run]) -> Int { Int(Double(workload.batchSize) / median(runs, \.seconds)) }
    func megabytes(_ runs: [Run]) -> Int { Int(median(runs) { Double($0.peakBytes) } / 1e6) }
    func start(_ runs: [Run]) -> String { String(format: "%.2f", median(runs, \.firstStep)) }
    print(
      "| \(workload) | \(rate(own)) | \(rate(best.value)) | \(best.key) "
        + String(
          format: "| %.2f (%.2f–%.2f) ", ratios.median, ratios.min() ?? .nan, ratios.max() ?? .nan)
        + "| \(megabytes(own)), \(megabytes(best.value)) | \(start(own)), \(start(best.value)) |")
  }

  private var shared: [String] {
    ["--scope", scope.rawValue, "--steps", "\(steps)", "--threads", "\(threads)"]
  }

  private static var executable: String { Bundle.main.executablePath ?? CommandLine.arguments[0] }
  /// Beside the package's sources, wherever the executable lies.
  private static let script = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "pytorch.py").path
}

/// A measured process that has ended.
private struct Run {
  let seconds: Double
  let peakBytes: Int
  /// From the process's start to the end of its first step, in seconds.
  let firstStep: Double

  init(_ executable: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: executable)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    let start = ContinuousClock.now
    try process.run()
    var first: Duration?
    var text = ""
    while case let data = output.fileHandleForReading.availableData, !data.isEmpty {
      text += String(decoding: data, as: UTF8.self)
      if first == nil, text.contains("first\n") { first = start.duration(to: .now) }
    }
    process.waitUntilExit()
    guard process.terminationStatus == 0, let first,
      let line = text.split(separator: "\n").last,
      let result = try? JSONDecoder().decode(Measurement.self, from: Data(line.utf8))
    else {
      throw ValidationError(
        "\(([executable] + arguments).joined(separator: " ")) ended with status "
          + "\(process.terminationStatus) and printed: \(text)")
    }
    (seconds, peakBytes, firstStep) = (result.secondsPerStep, result.peakBytes, first / .seconds(1))
  }
}
