import ArgumentParser

/// Measures Crest, alone and beside PyTorch.
@main
struct Benchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crest-benchmarks", abstract: "Measures Crest, alone and beside PyTorch.",
    subcommands: [
      Compare.self, Scaling.self, Loading.self, Sweep.self, Profile.self, Measure.self,
      EstimateCost.self, OptimizerSteps.self,
    ],
    defaultSubcommand: Compare.self)
}
