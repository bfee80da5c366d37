import ArgumentParser

/// The long checks of checkpoints, each with a control that must fail; `script/campaign` runs them.
@main
struct StateCampaign: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "state-campaign",
    abstract: "Check what becomes of checkpoints when something goes wrong.",
    subcommands: [
      KillDuringSaves.self, PowerCuts.self, FailingCalls.self, DamagedFiles.self,
      KillAndResume.self, TimeoutSignals.self, SavingCost.self, WriteArrays.self, Writer.self,
    ])
}

/// What a campaign found.
struct Verdict: CustomStringConvertible {
  let name: String
  let counts: [(name: String, value: Int)]
  let isGood: Bool

  var description: String {
    "\(isGood ? "passed" : "FAILED") \(name): "
      + counts.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
  }

  /// Prints it, and ends the process when it is bad.
  func report() throws {
    print(self)
    if !isGood { throw ExitCode(1) }
  }
}
