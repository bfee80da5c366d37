import ArgumentParser

/// Measures Crest, alone and beside PyTorch.
@main
struct Benchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crest-benchmarks", abstract: "Measures Crest, alone and beside PyTorch.",
    subcommands: [Compare.self, Measure.self, Profile.self], defaultSubcommand: Compare.self)
}
