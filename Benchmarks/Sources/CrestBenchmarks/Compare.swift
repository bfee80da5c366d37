import ArgumentParser
import Crest
import Foundation
import ProcessSupport

/// Runs Crest and PyTorch in turn, each as a process, and prints medians of their ratios.
struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Runs Crest and PyTorch in turn and prints medians of the ratios.",
    discussion: """
      Ratios are of examples per second against the fastest of PyTorch's modes in the same pair, so that a \
      machine whose speed drifts does not matter. "first step" is the time from the process's start; of it and of \
      memory, PyTorch's is the least of its modes. "from ONNX" is the speed of the same network trained from an ONNX file against Crest's own layers. "floor" is the \
      time of a step that nobody could beat on this machine, and the share of Crest's time that it makes.
      """)

  @Option(help: "A Python with torch; for networks from ONNX files with onnx too.")
  var python = "python3"
  @Option(help: "Pairs of runs.", transform: atLeastOne)
  var pairs = 3
  @Option(parsing: .upToNextOption, help: "What is timed: step, epoch.")
  var scope = Scope.allCases
  @Option(parsing: .upToNextOption, help: "PyTorch's modes: eager, channels_last, compile.")
  var modes = ["eager", "channels_last", "compile"]
  @Flag(inversion: .prefixedNo, help: "Networks from ONNX files too.")
  var imported = true
  @OptionGroup var options: RowOptions

  func validate() throws {
    if modes.isEmpty { throw ValidationError("--modes: give at least one mode of PyTorch") }
  }

  func run() throws {
    let peaks = Peaks(threads: options.threads)
    var rows: [Row] = []
    for workload in options.rows {
      let row = try compare(workload)
      if rows.isEmpty {
        print(try Machine.description(threads: options.threads, pytorch: row.version) + "\n")
      }
      rows.append(row)
      // Rows come minutes apart.
      FileHandle.standardError.write(Data("\(workload) is done\n".utf8))
    }
    if scope.contains(.step) { try printSteps(rows, peaks) }
    if scope.contains(.epoch) { printEpochs(rows) }
    for row in rows {
      for (mode, reason) in row.failures {
        print("\n\(row.workload): PyTorch's mode \(mode) did not run: \(reason)")
      }
    }
  }

  private func compare(_ workload: Workload) throws -> Row {
    var row = Row(workload: workload)
    let file = imported && scope.contains(.step) ? try onnxFile(workload.network) : nil
    defer { if let file, file.isTemporary { try? FileManager.default.removeItem(at: file.url) } }
    let both = ["--scope"] + scope.map(\.rawValue)
    for _ in 0..<pairs {
      row.crest.append(try options.measure(workload, both))
      if let file {
        row.imported.append(
          try options.measure(
            workload, ["--onnx", file.url.path, "--scope", Scope.step.rawValue]))
      }
      for mode in modes where row.failures[mode] == nil {
        do {
          row.peers[mode, default: []].append(
            try pytorch(
              [workload.network.rawValue, "\(workload.batchSize)", mode] + both + options.counts()))
        } catch let error as MeasuringError {
          row.failures[mode] = error.reason
          row.peers[mode] = nil
        }
      }
      guard !row.peers.isEmpty else {
        let reasons = row.failures.map { "\($0): \($1)" }.sorted()
        throw ValidationError("PyTorch ran in no mode; \(reasons.joined(separator: "; "))")
      }
    }
    return row
  }

  private func pytorch(_ arguments: [String]) throws -> MeasuredProcess {
    try MeasuredProcess(
      .env, [python, Self.folder.appending(path: "pytorch.py").path] + arguments)
  }

  /// A file of the network: the one among the repository's models if it is the same network, else
  /// PyTorch's export of it.
  private func onnxFile(_ network: Network) throws -> (url: URL, isTemporary: Bool) {
    if network == .resnet20 || network == .resnet56 {
      let models = Self.folder.deletingLastPathComponent().appending(path: "models")
      return (models.appending(path: "\(network.rawValue).onnx"), false)
    }
    let url = FileManager.default.temporaryDirectory
      .appending(path: "crest-benchmarks-\(UUID().uuidString).onnx")
    let export = try Executable.env.run([
      python, Self.folder.appending(path: "pytorch.py").path, network.rawValue, "2", "eager",
      "--export", url.path,
    ])
    guard export.status == 0 else {
      throw ValidationError(
        "\(python) could not export \(network.rawValue); --no-imported leaves such networks out: "
          + export.error)
    }
    return (url, true)
  }

  /// Where the package's sources are, wherever the executable lies.
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
}

/// What was measured of a workload, pair by pair.
private struct Row {
  let workload: Workload
  var crest: [MeasuredProcess] = []
  var imported: [MeasuredProcess] = []
  var peers: [String: [MeasuredProcess]] = [:]
  /// Modes that did not run, and why.
  var failures: [String: String] = [:]

  var version: String? { peers.values.first?.first?.measurement.version }

  /// Ratios of speeds, Crest's by that of PyTorch's fastest mode in the pair.
  func ratios(_ scope: Scope) -> [Double] {
    crest.indices.map { pair in
      (peers.values.map { $0[pair].seconds(scope) }.min() ?? .nan) / crest[pair].seconds(scope)
    }
  }

  /// The least median of PyTorch's modes.
  func least(_ value: (MeasuredProcess) -> Double) -> Double {
    peers.values.map { $0.map(value).median }.min() ?? .nan
  }

  /// The mode with the best median.
  func best(_ scope: Scope) -> (mode: String, runs: [MeasuredProcess]) {
    let medians = peers.mapValues { $0.map { $0.seconds(scope) }.median }
    guard let mode = medians.min(by: { $0.value < $1.value })?.key, let runs = peers[mode] else {
      preconditionFailure("\(workload) has no run of PyTorch")
    }
    return (mode, runs)
  }

  /// The cells that both tables begin with.
  func start(_ scope: Scope) -> String {
    let (mode, runs) = best(scope)
    let ratios = ratios(scope)
    func rate(_ runs: [MeasuredProcess]) -> Int {
      Int(Double(workload.batchSize) / runs.map { $0.seconds(scope) }.median)
    }
    let memory = [crest.map { $0.peakBytes(scope) }.median, least { $0.peakBytes(scope) }]
      .map { Int($0 / 1e6) }
    return "| \(workload) | \(rate(crest)) | \(rate(runs)) | \(mode) "
      + "| \(ratios.medianAndSpread) | \(memory[0]), \(memory[1]) "
  }
}

extension Compare {
  private func printSteps(_ rows: [Row], _ peaks: Peaks) throws {
    print(
      "| step | Crest /s | PyTorch /s | mode | ratio (least–most) | peak memory MB | first step s | ratio "
        + "| from ONNX | floor ms |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row in rows {
      let engine = try Engine(threadCount: options.threads)
      let floor = try Floor(
        row.workload.network.model(engine), batchSize: row.workload.batchSize
      ).seconds(peaks, engine.instructionSet)
      let seconds = row.crest.map { $0.seconds(.step) }.median
      let starts = (row.crest.map(\.firstStep).median, row.least(\.firstStep))
      let imported = zip(row.crest, row.imported).map { $0.seconds(.step) / $1.seconds(.step) }
      print(
        row.start(.step) + "| \(starts.0.rounded(to: 3)), \(starts.1.rounded(to: 2)) "
          + "| \((starts.1 / starts.0).rounded(to: 1)) "
          + "| \(imported.isEmpty ? "–" : imported.median.rounded(to: 2)) "
          + "| \((floor * 1e3).rounded(to: 2)), \(Int(floor / seconds * 100)) % |")
    }
  }

  private func printEpochs(_ rows: [Row]) {
    let hasSteps = scope.contains(.step)
    print(
      "\n| epoch | Crest /s | PyTorch /s | mode | ratio (least–most) | peak memory MB | of the step's ratio |"
    )
    print("|---|---|---|---|---|---|---|")
    for row in rows {
      let shares = zip(row.ratios(.epoch), hasSteps ? row.ratios(.step) : []).map { $0 / $1 }
      print(row.start(.epoch) + "| \(shares.isEmpty ? "–" : shares.median.rounded(to: 2)) |")
    }
  }
}
