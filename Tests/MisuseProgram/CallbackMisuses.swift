import Crest
import Foundation

let callbackMisuses: [Misuse] = [
  Misuse("plot.svg", says: "a plot of 319 by 432 pixels is not readable; at least 320 by 200") {
    _ = LRFinder.Plot(findings).svg(width: 319)
  },
  Misuse(
    "plot.terminal", says: "a plot of 80 columns and 3 rows is not readable; at least 40 and 4"
  ) {
    _ = LRFinder.Plot(findings).terminal(height: 3)
  },
  Misuse("schedule.plot", says: "a schedule was drawn over 0 steps") {
    _ = try Schedule.constant(1).plot(steps: 0)
  },
  Misuse("progress-output.width", says: "a terminal of -1 columns") {
    let output = ProgressBar.Output(isTerminal: true, width: { -1 }, write: { _ in })
    try fit(beside: [ProgressBar(output)])
  },
  Misuse("ema.anothers-state", says: "values for a buffer of") {
    let (ema, other, kept) = (try EMA(), try EMA(), Kept<EMA.State>())
    let large = try Learner(model(Dense(500)), data: data(), batchSize: 4)
    try large.fit(
      epochs: 1, callbacks: [other, CallbackOf(.afterBatch { _ in kept.value = other.state })])
    try fit(.beforeBatch { _ in if let state = kept.value { ema.state = state } }, beside: [ema])
  },
  Misuse("gradient-accumulation.anothers-state", says: "sums of") {
    let (own, other) = (
      try GradientAccumulation(batches: 2), try GradientAccumulation(batches: 2)
    )
    let kept = Kept<GradientAccumulation.State>()
    let large = try Learner(model(Dense(500)), data: data(), batchSize: 4)
    let keeper = CallbackOf(
      .afterBatch { if $0.isTraining, $0.index == 0 { kept.value = other.state } })
    try large.fit(epochs: 1, callbacks: [other, keeper])
    try fit(
      .beforeBatch { if $0.index == 1, let state = kept.value { own.state = state } },
      beside: [own])
  },
  Misuse(
    "model-checkpoint.hook-outside-a-fit",
    says: "ModelCheckpoint saves checkpoint-0000000002 outside of a fit"
  ) {
    let checkpoint = try ModelCheckpoint(folder: "nowhere")
    let kept = Kept<EpochContext>()
    try fit(.afterEpoch { kept.value = $0 })
    for case .afterEpoch(let hook) in checkpoint.hooks {
      if let epoch = kept.value { try hook(epoch) }
    }
  },
]

private let findings = LearningRateFindings(sweep: .standard, points: [], ending: .unfinished)
