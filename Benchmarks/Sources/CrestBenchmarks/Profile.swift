import ArgumentParser
import Crest

/// Prints how long each kernel of a step takes.
struct Profile: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints how long each kernel call of a training step takes.")

  @Argument(help: "Network and batch size, as in resnet20/128.")
  var workload: Workload
  @Option(help: "Repetitions, of which the least time counts.", transform: atLeastOne)
  var steps = 20
  @Option(help: "Threads.", transform: atLeastOne)
  var threads = 2
  @Flag(help: "Every call, instead of sums by kernel.")
  var calls = false

  func run() throws {
    let model = try workload.network.model(try Engine(threadCount: threads))
    let (program, batch) = try workload.trainingProgram(model)
    try program.setInputs([batch.images])
    try program.setTarget(batch.labels)
    let profile = program.profile(repetitions: steps, random: RandomKey(seed: 0, step: 0))
    let total = profile.reduce(0) { $0 + $1.seconds }
    print("\(milliseconds(total)) ms, \(Int(Double(workload.batchSize) / total)) examples/s")
    if calls {
      for (kernel, seconds) in profile {
        print(milliseconds(seconds), kernel.stage, kernel.path, kernel.name)
      }
      return
    }
    let sums = Dictionary(profile.map { ($0.kernel.name, $0.seconds) }, uniquingKeysWith: +)
    for (name, seconds) in sums.sorted(by: { $0.value > $1.value }) {
      print(milliseconds(seconds), name)
    }
  }

  private func milliseconds(_ seconds: Double) -> Double { (seconds * 1e5).rounded() / 100 }
}
