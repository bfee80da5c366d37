import ArgumentParser
import Foundation
import ProcessSupport

/// Smith's recipe in Crest and in PyTorch, in turns, for the time they take.
struct BesidePyTorch: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "beside-pytorch", abstract: "Train MNIST in turns with PyTorch, and report.")

  @OptionGroup var places: Places
  @Option(help: "A Python that has torch.") var python = "python3"
  @Option(help: "How often each trains.") var pairs = 3

  /// The script, beside this file's folder in the repository.
  private static let script = "Campaigns/SuperConvergence/mnist_pytorch.py"

  func run() throws {
    let crest = try places.command()
    let folder = crest.folder
    let torch = Command(executable: .env, folder: folder)
    let script = URL(filePath: Self.script).absoluteURL.path
    let threads = ["--threads", "\(places.threads)"]
    var times = try Times(folder: places.resultsURL)
    for seed in 0..<pairs where !times.has(seed) {
      let run = Run(recipe: Plan.smith, seed: seed)
      let theirs: Outcome = try torch.result(
        [python, script, "mnist", "--seed", "\(seed)"] + threads)
      let ours: Outcome = try crest.result(
        run.recipe.arguments(seed: seed) + threads + ["--json"])
      try times.add(run, source: places.source, crest: ours, torch: theirs)
      print("Crest \(ours.seconds) s, PyTorch \(theirs.seconds) s")
    }
    try Report(folder: places.resultsURL).write()
  }

  /// The last line that both print: an object with the time of all epochs and the last accuracy.
  struct Outcome: Decodable {
    let seconds: Double
    let accuracy: Double
  }
}

/// The times of pairs of runs.
struct Times {
  private(set) var table: TableFile

  /// The file `times.tsv` of a folder.
  init(folder: URL) throws {
    table = try TableFile(
      folder.appending(path: "times.tsv"),
      columns: [
        "command", "source", "seconds", "accuracy", "seconds of PyTorch", "accuracy of PyTorch",
      ])
  }

  private static func run(_ seed: Int) -> Run { Run(recipe: Plan.smith, seed: seed) }

  func has(_ seed: Int) -> Bool { table.row(of: Times.run(seed).command) != nil }

  mutating func add(
    _ run: Run, source: String, crest: BesidePyTorch.Outcome, torch: BesidePyTorch.Outcome
  ) throws {
    let numbers = [
      (crest.seconds, 1), (crest.accuracy, 4), (torch.seconds, 1), (torch.accuracy, 4),
    ]
    try table.add(
      [run.command, source] + numbers.map { String(format: "%.\($0.1)f", $0.0) })
  }
}
