import ArgumentParser
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

  private var executable: URL {
    crest.map { URL(filePath: $0) }
      ?? Child.own.deletingLastPathComponent().appending(path: "crest")
  }

  func run() throws {
    let random = Philox(seed: seed, stream: 4)
    let toFirstStep = try secondsToFirstStep()
    var (begun, steps, lost) = (0, 0, 0)
    for number in 0..<count {
      let folder = try TemporaryFolder()
      // From half the way to the first step until half a second behind it.
      let part = Double(random.integer(below: 1000, UInt64(number))) / 1000
      let seconds = toFirstStep / 2 + part * (toFirstStep / 2 + 0.5)
      let signal = control ? "KILL" : number.isMultiple(of: 2) ? "TERM" : "INT"
      // Every other pair saves all the time, so that signals come during saves too.
      let every = number % 4 < 2 ? "1000000epochs" : "3steps"
      let status = try end(
        after: seconds, by: signal,
        [
          "--checkpoint-dir", folder.path + "/run", "--checkpoint-every", every, "--log-steps",
          folder.path + "/steps.csv",
        ])
      // 124 says that the time was up; SIGKILL, with 137, may reach timeout itself, with 9.
      guard (control ? [137, 9] : [124]).contains(status) else {
        throw ValidationError("timeout ended with \(status) instead of the run being signalled")
      }
      let logged = Self.loggedSteps(folder.path + "/steps.csv")
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

  private static let training = [
    "train", "--model", "mlp", "--data", "digits", "--epochs", "100000", "--max-lr", "0.01",
    "--threads", "1",
  ]

  private func end(
    after seconds: Double, by signal: String, _ options: [String]
  ) throws -> Int32 {
    let process = try start(
      URL(filePath: "/usr/bin/env"),
      ["timeout", "-s", signal, "\(seconds)", executable.path(percentEncoded: false)]
        + Self.training + options)
    process.waitUntilExit()
    return process.terminationStatus
  }

  /// How long this machine takes now.
  private func secondsToFirstStep() throws -> Double {
    let folder = try TemporaryFolder()
    let log = folder.path + "/steps.csv"
    let clock = ContinuousClock()
    let begin = clock.now
    let process = try start(executable, Self.training + ["--log-steps", log])
    while process.isRunning, Self.loggedSteps(log) == 0 { usleep(500) }
    let seconds = (clock.now - begin) / .seconds(1)
    guard process.isRunning else { throw ValidationError("crest train ended by itself") }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    return seconds
  }

  private func start(_ program: URL, _ arguments: [String]) throws -> Process {
    let process = Process()
    process.executableURL = program
    process.arguments = arguments
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// The steps in a log, under its header.
  private static func loggedSteps(_ path: String) -> Int {
    // There is no log when the signal came before the fit.
    let lines = (try? Data(contentsOf: URL(filePath: path)))?.count { $0 == UInt8(ascii: "\n") }
    return max(0, (lines ?? 0) - 1)
  }

  /// The steps that the newest checkpoint has, if there is one that is as it was written.
  private static func savedSteps(_ folder: String) throws -> Int? {
    guard let found = try CheckpointFolder(folder).newest() else { return nil }
    return try CheckpointSummary(found.path).stepsTaken
  }
}
