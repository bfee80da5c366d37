import ArgumentParser
import Crest
import Foundation
import ProcessSupport

/// Times a step of each optimiser over 25 million parameters, against the bytes it has to move and PyTorch's.
struct OptimizerSteps: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "optimizers",
    abstract: "Times a step of each optimiser over 25 million parameters, in turn with PyTorch's.",
    discussion: """
      The parameters are 24 matrices of 1024 × 1024 and as many biases. The floor is the time in which the machine moves as \
      many bytes as the step has to read and write, by a loop that adds one array to another with as many threads in the same \
      round. PyTorch's is the fused form where it has one, otherwise the one over lists of tensors (foreach), or the plain one \
      (loop), in a process of its own whose rounds take turns with these; of packages (timm, schedulefree, dadaptation, \
      prodigyopt) where PyTorch lacks it and they are there. Times and ratios are medians of rounds.
      """)

  @Option(help: "A Python with torch; the environment variable PYTHON, or python3, when left out.")
  var python = ProcessInfo.processInfo.environment["PYTHON"] ?? "python3"
  @Option(help: "Rounds, each of five steps of both (Muon's of one).", transform: atLeastOne)
  var rounds = 5
  @Option(help: "Threads.", transform: atLeastOne)
  var threads = Engine.availableCoreCount
  @Option(help: "Only the optimiser of this name.")
  var only: String?
  @Flag(inversion: .prefixedNo, help: "PyTorch's steps too.")
  var pytorch = true

  private static let side = 1024
  private static let layers = 24

  /// The numbers of four bytes that a step reads and writes for each parameter, where that isn't the parameter and each
  /// moment both and the gradient: rules that need the norm of a parameter, or a sum over all, before they step.
  private static let words = ["lamb": 10, "lars": 7, "adafactor": 6, "prodigy": 14]

  func run() throws {
    let engine = try Engine(threadCount: threads)
    let model = try Model(input: [Self.side], engine: engine) {
      Sequential((0..<Self.layers).map { _ in Dense(Self.side) })
    }
    let stream = Stream(count: model.store.parameterCount, threads: threads)
    print(try Machine.description(threads: threads) + ", \(rounds) rounds\n")
    print(
      "| optimiser | words | ms | GB/s | the loop's | time over the floor (least–most) | PyTorch: ms | its form "
        + "| PyTorch's time over Crest's (least–most) |")
    print("|---|---|---|---|---|---|---|---|---|")
    for named in BuiltInOptimizer.all where only == nil || only == named.name {
      let row = try measure(named, model, stream)
      print("| \(row.cells(model.store.parameterCount).joined(separator: " | ")) |")
      fflush(nil)
    }
  }

  private func measure(
    _ named: BuiltInOptimizer, _ model: Model, _ stream: Stream
  ) throws -> OptimizerRow {
    let optimizer = try named.make()
    let words = Self.words[named.name] ?? 3 + 2 * optimizer.momentCount
    // Its products take far longer than its bytes.
    var row = OptimizerRow(name: named.name, words: named.name == "muon" ? nil : words)
    let steps = named.name == "muon" ? 1 : 5
    for _ in 0..<rounds {
      row.rates.append(stream.bytesPerSecond())
      row.times.append(seconds(of: optimizer, steps: steps, model))
      guard pytorch, let peer = try peer(named.name, steps: steps) else { continue }
      row.peers.append(peer.seconds)
      row.form = peer.form
    }
    return row
  }

  /// The time of a step, after one that makes its memory.
  private func seconds(of optimizer: any Optimizer, steps: Int, _ model: Model) -> Double {
    let store = model.store
    store.resetMoments(count: optimizer.momentCount, numbers: optimizer.numberCount)
    store.withBuffer(.gradients) { gradients in
      for index in gradients.indices { gradients[index] = Float(index % 64) / 64 - 0.5 }
    }
    let groups = [ParameterGroup(store, hyperparameters: optimizer.defaults)]
    optimizer.step(store, groups, stepNumber: 1, engine: model.engine)
    let start = ContinuousClock.now
    for step in 2...steps + 1 {
      optimizer.step(store, groups, stepNumber: step, engine: model.engine)
    }
    return start.duration(to: .now) / .seconds(1) / Double(steps)
  }

  /// PyTorch's time of a step, and which of its forms that is of; nil if it lacks the optimiser.
  private func peer(_ name: String, steps: Int) throws -> (seconds: Double, form: String)? {
    let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "optimizers.py")
    let result = try Executable.env.run([
      python, script.path, name, "\(Self.layers)", "\(Self.side)", "\(steps)", "\(threads)",
    ])
    guard result.status == 0 else {
      throw ValidationError("\(python) could not run \(script.path): \(result.error)")
    }
    let line = result.output.trimmingCharacters(in: .whitespacesAndNewlines)
    guard line != "none" else { return nil }
    let words = line.split(separator: " ", maxSplits: 1)
    guard words.count == 2, let seconds = Double(words[0]) else {
      throw ValidationError("\(script.path) printed \(line), expected seconds and a form")
    }
    return (seconds, String(words[1]))
  }
}

/// What was measured of an optimiser, round by round.
private struct OptimizerRow {
  let name: String
  /// The numbers that a step moves for each parameter; nil where that isn't what takes the time.
  let words: Int?
  /// Bytes a second of the plain loop.
  var rates: [Double] = []
  /// Seconds of a step.
  var times: [Double] = []
  /// PyTorch's.
  var peers: [Double] = []
  var form = "–"

  func cells(_ count: Int) -> [String] {
    let bytes = words.map { Double(4 * $0 * count) }
    let overFloor = bytes.map { bytes in
      zip(times, rates).map { $0 / (bytes / $1) }.medianAndSpread
    }
    return [
      name, words.map { "\($0)" } ?? "–", (times.median * 1e3).rounded(to: 1),
      bytes.map { ($0 / times.median / 1e9).rounded(to: 1) } ?? "–",
      (rates.median / 1e9).rounded(to: 1), overFloor ?? "–",
      peers.isEmpty ? "–" : (peers.median * 1e3).rounded(to: 1), form,
      peers.isEmpty ? "–" : zip(peers, times).map { $0 / $1 }.medianAndSpread,
    ]
  }
}
