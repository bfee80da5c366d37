import ArgumentParser
import Foundation
import ProcessSupport

/// Where the data, the results and the command are.
struct Places: ParsableArguments {
  @Option(help: "A folder with MNIST's four files.") var mnist = "../shared/data/mnist"
  @Option(name: .customLong("fashion-mnist"), help: "A folder with Fashion-MNIST's four files.")
  var fashionMNIST = "../shared/data/fashion-mnist"
  @Option(name: .customLong("cifar-10"), help: "CIFAR-10's binary folder, unpacked.")
  var cifar10: String
  @Option(help: "A folder for data sets made of those, logs and checkpoints.")
  var work = ".build/campaign/convergence"
  @Option(help: "The folder of the results.") var results = Places.resultsFolder
  @Option(help: "What the command was built from.") var source: String
  @Option(help: "The command crest; beside this program unless given.") var crest: String?
  @Option(help: "Threads of each run.") var threads = 2

  static let resultsFolder = "docs/super-convergence"

  var resultsURL: URL { URL(filePath: results) }

  /// The data sets, those made that weren't there.
  func dataFolder() throws -> URL {
    let folder = DataFolder(
      url: URL(filePath: work).appending(path: "data"), mnist: URL(filePath: mnist),
      fashionMNIST: URL(filePath: fashionMNIST), cifar10: URL(filePath: cifar10))
    try folder.prepare()
    return folder.url
  }

  /// The command in the folder of the data sets.
  func command() throws -> Command {
    Command(
      executable: crest.map { Executable(path: $0) } ?? Executable("crest"),
      folder: try dataFolder())
  }
}

/// Trains what the plan wants and isn't done, one after another.
struct RunPlan: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Train what isn't done, and report.")

  @OptionGroup var places: Places
  @Flag(help: "Print the commands that are wanted by now, and train nothing.") var list = false

  func run() throws {
    var results = try Results(folder: places.resultsURL)
    var verdicts = try Verdicts(folder: places.resultsURL)
    guard !list else {
      for test in Plan.verdicts {
        print(verdicts[test] == nil ? "open" : "done", test.command)
      }
      for run in Plan(results: results).runs {
        print(results.has(run) ? "done" : "open", run.command)
      }
      return
    }
    let command = try places.command()
    var rates = try Rates(folder: places.resultsURL)
    for test in Plan.rangeTests where rates[test] == nil {
      announce(test.command)
      try rates.add(test, command, in: places.resultsURL, places: places)
    }
    for test in Plan.verdicts where verdicts[test] == nil {
      announce(test.command)
      try verdicts.add(test, command, places: places)
      try Report(folder: places.resultsURL).write()
      announce(verdicts[test]?.verdict ?? "")
    }
    // What is wanted may change with each result.
    while let run = Plan(results: results).runs.first(where: { !results.has($0) }) {
      announce(run.command)
      try results.add(run, train(run, command), source: places.source)
      // At once, so that page and results agree whenever this is stopped.
      try Report(folder: places.resultsURL).write()
      announce(results.ending(run).map { "\($0)" } ?? "")
    }
    try Report(folder: places.resultsURL).write()
  }

  /// Trains, from where it was when it was interrupted.
  private func train(_ run: Run, _ command: Command) throws -> EpochLog {
    let folder = URL(filePath: places.work).appending(path: "runs")
      .appending(path: run.command.replacing(" ", with: "_"))
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let log = folder.appending(path: "epochs.csv")
    do {
      try command.run(
        run.recipe.arguments(seed: run.seed) + [
          "--threads", "\(places.threads)", "--log", log.absoluteURL.path,
          "--checkpoint-dir", folder.appending(path: "checkpoints").absoluteURL.path, "--resume",
        ])
    } catch let failure as CommandFailure where failure.isDivergence {
      return try EpochLog(log, isDiverged: true)
    }
    return try EpochLog(log, isDiverged: false)
  }

  /// Prints at once, so that whoever reads a file of this knows what is running.
  private func announce(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }
}
