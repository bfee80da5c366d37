import ArgumentParser
import Foundation

/// Long checks of what reads ONNX files; `script/campaign` runs them.
@main
struct Campaign: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "onnx-campaign", abstract: "Long checks of what reads ONNX files.",
    subcommands: [Fuzz.self, FuzzRange.self, Malformed.self, Measure.self, Large.self])
}

/// Writes a line at once, since a campaign may be watched, or stopped.
func report(_ line: String) {
  print(line)
  fflush(nil)
}

/// Something went wrong that the user of a campaign must know.
struct CampaignError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
