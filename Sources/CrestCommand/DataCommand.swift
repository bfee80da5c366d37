import ArgumentParser

/// Commands for data sets.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Describe data sets.", subcommands: [DataInfo.self])
}
