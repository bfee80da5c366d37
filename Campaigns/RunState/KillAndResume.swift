import ArgumentParser
import CrestTensor
import Foundation

/// Kills `crest train` at random and starts it again until it is done; then its log and its network must be
/// those of a run that nobody disturbed.
struct KillAndResume: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kill-and-resume", abstract: "Runs killed at random and gone on with.")

  @Option var count = 200
  @Option var seed: UInt64 = 1
  @Option(help: "The command crest; beside this program unless given.") var crest: String?
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

  private func start(in folder: String, _ options: [String] = []) throws -> TrainingRun {
    try TrainingRun(
      TrainingRun.crest(crest), arguments(folder) + options, log: folder + "/steps.csv")
  }

  /// The log and the network of a run that is over.
  private func end(_ folder: String) throws -> [Data] {
    try ["steps.csv", "end.onnx"].map { try Data(contentsOf: URL(filePath: folder + "/" + $0)) }
  }

  func run() throws {
    let clean = try TemporaryFolder()
    guard try start(in: clean.path).finish().status == 0 else {
      throw ValidationError("the clean run failed")
    }
    let expected = try end(clean.path)
    let random = Philox(seed: seed, stream: 3)
    var (kills, different, draw) = (0, 0, UInt64(0))
    for _ in 0..<count {
      let folder = try TemporaryFolder()
      var isDone = false
      var starts = 0
      while !isDone {
        let forgets = control && starts > 0
        let run = try start(
          in: folder.path, forgets ? ["--partial", "optimizer.moments"] : [])
        starts += 1
        // After some starts it may finish, so that a slow machine ends too.
        if starts <= 6 {
          let steps = 6 + random.integer(below: 20, draw)
          run.wait(forMoreSteps: steps)
          draw += 1
          if run.send(SIGKILL) { kills += 1 }
        }
        let (status, isSignal) = run.finish()
        isDone = status == 0
        guard isDone || isSignal else { throw ValidationError("a run ended with \(status)") }
      }
      if try end(folder.path) != expected { different += 1 }
    }
    try Verdict(
      name: control ? "kill-and-resume, control without moments (must differ)" : "kill-and-resume",
      counts: [
        ("seed", Int(seed)), ("chains", count), ("kills", kills), ("different ends", different),
      ], isGood: control ? different > 0 : different == 0
    ).report()
  }
}
