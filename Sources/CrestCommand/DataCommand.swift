import ArgumentParser

/// Commands for data sets.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Look at data sets.", subcommands: [DataInfo.self])
}
