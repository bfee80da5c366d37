import CrestOptimizers
import Foundation
import ProcessSupport
import Testing

@Suite struct `Schedules of the command` {
  /// What `--schedule` says, and the same in a program: for 4 epochs of 20 steps and a highest rate of 0.1.
  struct Row: CustomTestStringConvertible, Sendable {
    let option: String
    let schedule: @Sendable () throws -> Schedule
    var testDescription: String { option }
  }

  static let rows = [
    Row(option: "cosine:to=0.1") { try .cosine(from: 0.1, to: 0.01) },
    Row(option: "warm-up:for=7steps+cosine") {
      try .warmUp(steps: 7, then: .cosine(from: 0.1, to: 0))
    },
    Row(option: "warm-up:for=1epochs,from=0.1,shape=cosine+constant:for=0.5+linear") {
      try .sequence([
        .init(.fraction(0.25), .cosine(from: 0.1 * 0.1, to: 0.1)),
        .init(.fraction(0.5), .constant(0.1)), .init(.rest, .linear(from: 0.1, to: 0)),
      ])
    },
    Row(option: "warm-up-stable-decay:warm-up=5steps,shape=root") {
      try .warmUpStableDecay(peak: 0.1, warmUp: .steps(5), shape: .root)
    },
    Row(option: "cosine-restarts:cycle=1epochs,length-factor=2") {
      try .cosineRestarts(from: 0.1, cycle: 20, lengthFactor: 2)
    },
    Row(option: "noam:warm-up=9steps") { try .noam(peak: 0.1, warmUpSteps: 9) },
    Row(option: "exponential-decay:factor=0.5,every=10steps,staircase=true") {
      try .stepDecay(from: 0.1, factor: 0.5, every: 10)
    },
    Row(option: "step:factor=0.5,at=30steps|3epochs") {
      try .piecewiseConstant([0.1, 0.05, 0.025], at: [30, 60])
    },
    Row(option: "piecewise:values=0.5|1e-1|1,at=10steps|0.5") {
      try .piecewiseConstant([0.05, 0.1 * 0.1, 0.1], at: [10, 40])
    },
    Row(option: "triangular:cycle=10steps,scale=halving") {
      try .triangular(from: 0.025, to: 0.1, stepsUp: 5, scale: .halving)
    },
    Row(option: "one-cycle:pct=0.4,div=10,final-div=100,annealing=linear") {
      .learningRate(
        of: try OneCycle(
          maxLR: 0.1, riseFraction: 0.4, div: 10, finalDiv: 100, annealing: .linear))
    },
  ]

  @Test(arguments: rows) func `give each step its rate`(row: Row) throws {
    let folder = try TemporaryFolder()
    let result = try CrestProcess.run(
      [
        "train", "--model", "mlp", "--data", "digits", "--epochs", "4", "--max-lr", "0.1",
        "--batch-size", "72", "--schedule", row.option, "--log-steps", "steps.csv",
        "--plot-schedule", "plot.svg", "--callback", "limit-batches:training=20,validation=1",
      ], in: folder)
    #expect(result.status == 0, "\(result.error)")
    let lines = try String(contentsOf: folder["steps.csv"], encoding: .utf8).split(separator: "\n")
    let rates = lines.dropFirst().compactMap { Double($0.split(separator: ",")[4]) }
    let schedule = try row.schedule()
    #expect(rates.count == 80)
    for (step, rate) in rates.enumerated() {
      let expected = schedule.value(step: step, total: 80)
      #expect(abs(rate - expected) <= 1e-15, "step \(step): \(rate), not \(expected)")
    }
    let plot = try String(contentsOf: folder["plot.svg"], encoding: .utf8)
    #expect(plot.contains("<title>Learning-rate schedule</title>") && plot.hasSuffix("</svg>\n"))
  }

  @Test func `count the steps of several batches`() throws {
    let folder = try TemporaryFolder()
    let result = try CrestProcess.run(
      [
        "train", "--model", "mlp", "--data", "digits", "--epochs", "2", "--max-lr", "0.1",
        "--schedule", "triangular:cycle=1epochs", "--log-steps", "steps.csv", "--callback",
        "limit-batches:training=16", "--callback", "gradient-accumulation:batches=2",
      ], in: folder)
    #expect(result.status == 0, "\(result.error)")
    let lines = try String(contentsOf: folder["steps.csv"], encoding: .utf8).split(separator: "\n")
    let rates = lines.dropFirst().compactMap { Double($0.split(separator: ",")[4]) }
    #expect(rates.count == 16)
    let heights: [Double] = [0, 1, 2, 3, 4, 3, 2, 1]
    for (step, rate) in rates.enumerated() {
      let expected = 0.1 * (0.25 + 0.75 * heights[step % 8] / 4)
      #expect(abs(rate - expected) < 1e-15, "step \(step): \(rate)")
    }
  }
}

extension `Wrong usage` {
  /// Settings of schedules.
  static let scheduleOptions = [
    Case(
      arguments: "--schedule cosin",
      message:
        "--schedule: expected one of one-cycle, constant, flat-cosine, cosine, linear, triangular, step, piecewise, "
        + "exponential, exponential-decay, polynomial, inverse-square-root, inverse-time, tanh, cosine-restarts, noam, "
        + "warm-up-stable-decay, warm-up, got \"cosin\"; did you mean \"cosine\"?"),
    Case(
      arguments: "--schedule cosine:end=0",
      message: "--schedule cosine: expected settings from, to, for, got \"end\""),
    Case(
      arguments: "--schedule cosine:to=2",
      message:
        "--schedule cosine: to is \"2\", expected a multiple of the highest rate, from 0 to 1"),
    Case(
      arguments: "--schedule polynomial",
      message: "--schedule polynomial: power is missing; write it as polynomial:power=…"),
    Case(
      arguments: "--schedule warm-up:for=10steps",
      message:
        "--schedule: warm-up rises to where the next schedule begins, but none follows; join one with +, as in "
        + "warm-up:for=500steps+cosine"),
    Case(
      arguments: "--schedule warm-up+cosine",
      message:
        "--schedule: 2 parts have no length, but only one can take the rest of the run; give each other one, as in "
        + "warm-up:for=500steps+cosine"),
    Case(
      arguments: "--schedule cosine:for=0.5",
      message:
        "--schedule: every part has a length (for=), but one has to take the rest of the run; omit one"
    ),
    Case(
      arguments: "--schedule warm-up:for=9epochs+cosine",
      message:
        "--schedule warm-up: for is \"9epochs\", expected a length as in 500steps, 1epochs or 0.25, within the run"
    ),
    Case(
      arguments: "--schedule warm-up:for=0steps+cosine",
      message: "sequence: steps is 0, expected a number of steps from 1 to 4611686018427387903."),
    Case(
      arguments: "--schedule warm-up:for=5steps+one-cycle",
      message:
        "--schedule: one-cycle is a whole run with a rise of its own, but it is joined to others; use it alone"
    ),
    Case(
      arguments: "--schedule one-cycle:pct=30",
      message: "1cycle: riseFraction is 30.0, expected a fraction from 0 to 1 (25 % is 0.25)."),
    Case(
      arguments: "--schedule cosine-restarts:cycle=5steps,length-factor=nan",
      message: "cosine restarts: lengthFactor is nan, expected a finite number of at least 1."),
    Case(
      arguments: "--schedule triangular:cycle=1steps",
      message:
        "triangular: stepsUp is 0, expected a number of steps from 1 to 4611686018427387903."),
    Case(
      arguments: "--callback limit-batches",
      message:
        "--callback limit-batches: training is not given, expected a limit of training or validation batches"
    ),
    Case(
      arguments: "--callback validate-every:interval=2minutes",
      message: "--callback validate-every: interval is 2.0 minutes, expected epochs or steps"),
    Case(
      arguments: "--callback swa:from=1.5",
      message: "--callback swa: from is 1.5, expected a fraction from 0 to below 1"),
    Case(
      arguments: "--callback early-stopping:threshold=nan",
      message: "--callback early-stopping: threshold is nan, expected a finite number"),
    Case(
      arguments: "--callback model-checkpoint:folder=saved,reloads-best=true",
      message:
        "--callback model-checkpoint: reloads-best is true, expected false without a monitor, which tells the best"
    ),
  ]
}
