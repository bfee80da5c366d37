import ArgumentParser
import CrestState
import CrestTensor
import CrestTraining
import Foundation

/// Lets coreutils' `timeout`, which signals a process and then its whole group, end `crest train` at random: every
/// step that the log has must be in the newest checkpoint.
struct TimeoutSignals: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "timeout-signals", abstract: "Runs ended by timeout, which signals twice.")

  @Option var count = 200
  @Option var seed: UInt64 = 1
  @Option(help: "The command crest; beside this program unless given.") var crest: String?
  @Flag(help: "Send SIGKILL, which must lose runs.") var control = false

  func run() throws {
    let random = Philox(seed: seed, stream: 4)
    var (begun, steps, lost) = (0, 0, 0)
    for number in 0..<count {
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
      let run = try TrainingRun(
        URL(filePath: "/usr/bin/env"),
        ["timeout", "-s", signal, "\(early ?? 1000)"]
          + [TrainingRun.crest(crest).path(percentEncoded: false)]
          + [
            "train", "--model", "mlp", "--data", "digits", "--epochs", "100000", "--max-lr", "0.01",
            "--threads", "1", "--log-steps", log, "--checkpoint-dir", folder.path + "/run",
            "--checkpoint-every", every,
          ], log: log)
      if early == nil {
        run.wait(untilSteps: 1 + draw(below: 60, 1))
        usleep(UInt32(draw(below: 20_000, 2)))
        // By this signal timeout learns that its time is up.
        run.send(SIGALRM)
      }
      let status = run.finish().status
      // 124 says that the time was up; SIGKILL, with 137, may reach timeout itself, with 9.
      guard (control ? [137, 9] : [124]).contains(status) else {
        throw ValidationError("timeout ended with \(status) instead of the run being signalled")
      }
      let logged = run.loggedSteps
      guard logged > 0 else { continue }
      begun += 1
      steps += logged
      if try Self.savedSteps(folder.path + "/run") != logged { lost += 1 }
    }
    try Verdict(
      name: control ? "timeout-signals, control by SIGKILL (must lose)" : "timeout-signals",
      counts: [
        ("seed", Int(seed)), ("runs", count), ("after a step", begun), ("steps", steps),
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
