import ArgumentParser
import Foundation

/// The long checks of training itself, each with a control that must fail; `script/campaign` runs them.
@main
struct TrainingCampaign: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "training-campaign",
    abstract: "Check training for numbers that aren't finite, and for memory that grows.",
    subcommands: [Injections.self, Inject.self, Soak.self])
}

/// Writes a line at once, since a campaign may be watched, or stopped.
func report(_ line: String) {
  print(line)
  fflush(nil)
}
