import ArgumentParser

/// The experiments of docs/super-convergence.md; `script/campaign` runs them.
@main
struct ConvergenceCampaign: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convergence-campaign",
    abstract: "Train by 1cycle and by other schedules, and report what came of it.",
    subcommands: [RunPlan.self, BesidePyTorch.self, WriteReport.self])
}
