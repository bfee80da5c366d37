import ArgumentParser
import CrestState
import CrestTensor
import CrestTraining
import Foundation
import ProcessSupport

/// Lets coreutils' `timeout`, which signals a process and then its whole group, end `crest train` at random: every
/// step that the log has must be in the newest checkpoint.
struct TimeoutSignals: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "timeout-signals", abstract: "Runs ended by timeout, which signals twice.")

  @OptionGroup var options: TrainingRunOptions
  @Flag(help: "Send SIGKILL, which must lose runs.") var control = false

  func run() throws {
    let random = Philox(seed: options.seed, stream: 4)
    var (begun, steps, lost) = (0, 0, 0)
    for number in 0..<options.count {
      let folder = try TemporaryFolder()
      func draw(below count: Int, _ place: UInt64) -> Int {
        random.integer(below: count, 4 * UInt64(number) + place)
      }
      let signal = control ? "KILL" : number.isMultiple(of: 2) ? "TERM" : "INT"
      // Every other pair saves all the time, so that signals come during saves too.
      let every = number % 4 < 2 ? "1000000epochs" : "3steps"
      let log = folder.path + "/steps.csv"
      // One in eight may end before its first step.
      let early = number % 8 == 7 ? Double(20 + draw(below: 500, 0)) / 1000 : nil
      let training = try TrainingRun(
        .env,
        ["timeout", "-s", signal, "\(early ?? 1000)", options.executable.path]
          + [
            "train", "--model", "mlp", "--data", "digits", "--epochs", "100000", "--max-lr", "0.01",
            "--threads", "1", "--log-steps", log, "--checkpoint-dir", folder.path + "/run",
            "--checkpoint-every", every,
          ], log: log)
      if early == nil {
        try training.wait(untilSteps: 1 + draw(below: 60, 1))
        usleep(UInt32(draw(below: 20_000, 2)))
        // By this signal timeout learns that its time is up.
        training.run.send(SIGALRM)
      }
      let result = try training.run.finish()
      // 124 says that the time was up; SIGKILL, with 137, may reach timeout itself.
      guard (control ? [.exit(137), .signal(SIGKILL)] : [.exit(124)]).contains(result.end) else {
        throw ValidationError(
          "timeout ended with \(result.end) instead of the run being signalled: \(result.error)")
      }
      let logged = training.loggedSteps
      guard logged > 0 else { continue }
      begun += 1
      steps += logged
      if try Self.savedSteps(folder.path + "/run") != logged { lost += 1 }
    }
    try Verdict(
      name: control ? "timeout-signals, control by SIGKILL (must lose)" : "timeout-signals",
      counts: [
        ("seed", Int(options.seed)), ("runs", options.count), ("after a step", begun),
        ("steps", steps),
        ("lost", lost),
      ], isGood: control ? lost > 0 : lost == 0 && begun > 0
    ).report()
  }

  /// The steps that the newest checkpoint has, if there is one that is as it was written.
  private static func savedSteps(_ folder: String) throws -> Int? {
    guard let found = try CheckpointFolder(folder).newest() else { return nil }
    return try CheckpointFile.Summary(found.path).stepsTaken
  }
}
