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
      The floor is the time in which the machine copies as many bytes as the step has to read and write: parameters and moments \
      both, gradients read. PyTorch's is the fused form where it has one, otherwise the one over lists of tensors (foreach), \
      in a process of its own whose rounds take turns with these. Times are medians of rounds.
      """)

  @Option(help: "A Python with torch.")
  var python = "python3"
  @Option(help: "Rounds, each of five steps of both.", transform: atLeastOne)
  var rounds = 7
  @Option(help: "Threads.", transform: atLeastOne)
  var threads = 1
  @Option(help: "Only optimisers whose name contains this.")
  var only: String?

  private static let side = 5000
  private static let steps = 5

  func run() throws {
    print(try Machine.description(threads: threads) + "\n")
    let peaks = Peaks(threads: threads)
    let engine = try Engine(threadCount: threads)
    let model = try Model(input: [Self.side], engine: engine) { Dense(Self.side, bias: false) }
    let count = Self.side * Self.side
    print("| optimiser | moments | ms | over the floor | PyTorch: ms | over Crest's |")
    print("|---|---|---|---|---|---|")
    for named in BuiltInOptimizer.all where only.map(named.name.contains) ?? true {
      let optimizer = try named.make()
      let bytes = Double(count * 4 * (3 + 2 * optimizer.momentCount))
      let floor = bytes / peaks.bytesPerSecond(footprint: Int(bytes))
      var (own, peer) = ([Double](), [Double]())
      for _ in 0..<rounds {
        own.append(seconds(of: optimizer, model))
        if let time = try pytorch(named.name) { peer.append(time) }
      }
      let time = own.median
      let cells = [
        named.name, "\(optimizer.momentCount)", "\((time * 1e3).rounded(to: 2))",
        "\((time / floor).rounded(to: 2))",
        peer.isEmpty ? "–" : "\((peer.median * 1e3).rounded(to: 2))",
        peer.isEmpty ? "–" : "\((peer.median / time).rounded(to: 2))",
      ]
      print("| \(cells.joined(separator: " | ")) |")
      fflush(nil)
    }
  }

  /// The time of a step, after one that makes its memory.
  private func seconds(of optimizer: any Optimizer, _ model: Model) -> Double {
    let store = model.store
    store.resetMoments(count: optimizer.momentCount, numbers: optimizer.numberCount)
    store.withBuffer(.gradients) { gradients in
      for index in gradients.indices { gradients[index] = Float(index % 64) / 64 - 0.5 }
    }
    let groups = [ParameterGroup(store, hyperparameters: optimizer.defaults)]
    optimizer.step(store, groups, stepNumber: 1, engine: model.engine)
    let start = ContinuousClock.now
    for step in 2...Self.steps + 1 {
      optimizer.step(store, groups, stepNumber: step, engine: model.engine)
    }
    return start.duration(to: .now) / .seconds(1) / Double(Self.steps)
  }

  /// PyTorch's time of a step; nil if it lacks the optimiser.
  private func pytorch(_ name: String) throws -> Double? {
    let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "optimizers.py")
    let result = try Executable.env.run([
      python, script.path, name, "\(Self.side * Self.side)", "\(Self.steps)", "\(threads)",
    ])
    guard result.status == 0 else {
      throw ValidationError("\(python) could not run \(script.path): \(result.error)")
    }
    return Double(result.output.trimmingCharacters(in: .whitespacesAndNewlines))
  }
}
