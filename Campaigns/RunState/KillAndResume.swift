import ArgumentParser
import CrestTensor
import Foundation
import ProcessSupport

/// Kills `crest train` at random and starts it again until it is done; then its log and its network must be
/// those of a run that nobody disturbed.
struct KillAndResume: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kill-and-resume", abstract: "Runs killed at random and gone on with.")

  @OptionGroup var options: TrainingRunOptions
  @Flag(help: "Forget the moments when resuming, which must end elsewhere.") var control = false

  private func arguments(_ folder: String) -> [String] {
    [
      "train", "--model", "mlp", "--data", "digits", "--epochs", "4", "--max-lr", "0.05",
      "--optimizer", "adamw", "--callback", "ema:decay=0.9", "--callback",
      "gradient-accumulation:batches=2", "--callback",
      "early-stopping:patience=9,restore-best=true", "--log-steps", folder + "/steps.csv",
      "--export",
      folder + "/end.onnx", "--checkpoint-dir", folder + "/run", "--checkpoint-every", "5steps",
      "--resume",
    ]
  }

  private func start(in folder: String, _ more: [String] = []) throws -> TrainingRun {
    try TrainingRun(
      options.executable, arguments(folder) + more, log: folder + "/steps.csv")
  }

  /// The log and the network of a run that is over.
  private func end(_ folder: String) throws -> [Data] {
    try ["steps.csv", "end.onnx"].map { try Data(contentsOf: URL(filePath: folder + "/" + $0)) }
  }

  func run() throws {
    let clean = try TemporaryFolder()
    let whole = try start(in: clean.path).run.finish()
    guard whole.status == 0 else { throw ValidationError("the clean run failed: \(whole.error)") }
    let expected = try end(clean.path)
    let random = Philox(seed: options.seed, stream: 3)
    var (kills, different, draw) = (0, 0, UInt64(0))
    for _ in 0..<options.count {
      let folder = try TemporaryFolder()
      var isDone = false
      var starts = 0
      while !isDone {
        let forgets = control && starts > 0
        let training = try start(
          in: folder.path, forgets ? ["--partial", "optimizer.moments"] : [])
        starts += 1
        // After some starts it may finish, so that a slow machine ends too.
        if starts <= 6 {
          let steps = 6 + random.integer(below: 20, draw)
          try training.wait(untilSteps: training.loggedSteps + steps)
          draw += 1
          if training.run.send(SIGKILL) { kills += 1 }
        }
        let result = try training.run.finish()
        isDone = result.status == 0
        guard isDone || result.end == .signal(SIGKILL) else {
          throw ValidationError("a run ended with \(result.end): \(result.error)")
        }
      }
      if try end(folder.path) != expected { different += 1 }
    }
    try Verdict(
      name: control ? "kill-and-resume, control without moments (must differ)" : "kill-and-resume",
      counts: [
        ("seed", Int(options.seed)), ("chains", options.count), ("kills", kills),
        ("different ends", different),
      ], isGood: control ? different > 0 : different == 0
    ).report()
  }
}
