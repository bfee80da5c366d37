import ArgumentParser
import CrestCallbacks
import CrestData
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Foundation
import TrainingTestSupport

/// Trains for very many steps with everything that is shipped, and looks at what the process holds.
struct Soak: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Very many steps with all shipped callbacks, by which nothing may grow.")

  @Option(help: "How many optimiser steps.") var steps = 1_000_000
  @Option(help: "The steps of an epoch.") var stepsPerEpoch = 20_000
  @Option(help: "The steps between two looks.") var every = 50_000
  @Option(name: .customLong("without"), help: "A callback to leave out, by its type.")
  var leftOut: [String] = []
  @Flag(help: "Add a callback that keeps a number of each step, which must fail.") var control =
    false

  /// In bytes.
  private static let growthLimit = 1 << 20
  private static let batchSize = 4

  func run() throws {
    guard steps >= 2 * every, every > 0, stepsPerEpoch > 0 else {
      throw ValidationError("--steps: expected at least twice --every, and both above 0")
    }
    let folder = FileManager.default.temporaryDirectory.appending(path: "crest-soak-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let model = try Model(input: [4], engine: Engine(threadCount: 1)) {
      Dense(8)
      BatchNorm()
      ReLU()
      Dropout(0.25)
      Dense(3)
    }
    let learner = try Learner(
      model,
      data: DataSplit(
        train: TinyData.classes(stepsPerEpoch * 2 * Self.batchSize), valid: TinyData.classes(9)),
      optimizer: AdamW(), metrics: [Accuracy(), F1Score()], batchSize: Self.batchSize)
    _ = try learner.findLearningRate()
    let watch = GrowthWatch(every: every)
    let shipped = try Self.shipped(folder: folder.path).filter { callback in
      !leftOut.contains("\(type(of: callback))")
    }
    let hoarder = CallbackOf(.afterStep { hoard.append($0.loss) }, name: "Hoarder")
    let epochs = (steps + stepsPerEpoch - 1) / stepsPerEpoch
    try learner.fit(epochs: epochs, callbacks: shipped + [watch] + (control ? [hoarder] : []))
    try judge(watch, epochs: epochs, callbacks: shipped.count)
  }

  /// Each callback there is, but the finder of learning rates, which has a fit of its own.
  ///
  /// A test holds the list to be complete.
  static func shipped(folder: String) throws -> [any Callback] {
    let silent = ProgressBar.Output(isTerminal: true) { text in count += text.utf8.count }
    return [
      Recorder(), ProgressBar(silent), TerminateOnNaN(),
      CSVLogger(path: folder + "/epochs.csv"), StepLogger(path: folder + "/steps.csv"),
      try TensorBoardLogger(folder: folder + "/tensor-board"),
      try OneCycleScheduler(maxLR: 0.01),
      ParameterScheduler(try .constant(1e-4), of: .weightDecay),
      try ReduceLROnPlateau(monitor: .trainLoss, patience: 1000, notes: silent),
      try EMA(decay: 0.99), try GradientAccumulation(batches: 2), try GradientClip(maximum: 1),
      try SAM(), GradientCentralization(), try AdaptiveGradientClip(),
      try Lookahead(), try FreezeParameters(.matching("dense.*"), from: 3, until: 4),
      try EarlyStopping(patience: 1_000_000, restoresBest: true),
      try TimeLimit(seconds: 1e6), try RecomputeBatchNormStatistics(at: .validation),
      try LearningRateEstimate(.gradient, byGroup: true), PassTimer(), try GatherPredictions(),
      try LimitBatches(training: 1 << 30), try ValidateEvery(.steps(20_000)),
      try GradientStatistics(path: folder + "/gradients.jsonl"),
      try ActivationStats(["dense", "dense_1"], path: folder + "/activations.jsonl"),
      try GradientNoiseScale(),
      try ModelCheckpoint(
        folder: folder + "/checkpoints", every: .steps(5000), keepLast: 3, warnings: silent),
      try ModelCheckpoint(
        folder: folder + "/best", monitor: .validLoss, keepBest: 2, warnings: silent),
      try BackupAndRestore(folder: folder + "/backups", every: .steps(7000), warnings: silent),
    ]
  }

  private func judge(_ watch: GrowthWatch, epochs: Int, callbacks: Int) throws {
    // By then all programs are compiled, and the allocator holds what it needs.
    let warm = watch.looks.prefix { $0.step < steps / 5 }.count
    guard let first = watch.looks.dropFirst(warm).first, let last = watch.looks.last else {
      throw ValidationError("too few looks: expected at least 2 after the first fifth of all steps")
    }
    let growth = last.resident - first.resident
    let more = last.descriptors - first.descriptors
    let isWithin = growth < Self.growthLimit && more <= 0
    let isGood = control ? growth >= Self.growthLimit : isWithin
    let name = control ? "soak, control with a number kept of each step (must grow)" : "soak"
    report(
      "\(isGood ? "passed" : "FAILED") \(name): \(last.step) steps, \(epochs) epochs, \(callbacks) callbacks; from "
        + "step \(first.step) on, resident memory grew by \(growth >> 10) KiB, descriptors by \(more)"
    )
    if !isGood { throw ExitCode.failure }
  }
}

/// What must not be optimised away.
private nonisolated(unsafe) var hoard: [Float] = []
private nonisolated(unsafe) var count = 0

/// Looks at the process from time to time.
private final class GrowthWatch: Callback {
  struct Look {
    let step: Int
    /// In bytes.
    let resident: Int
    let descriptors: Int
  }

  private(set) var looks: [Look] = []
  private let every: Int

  init(every: Int) {
    self.every = every
    looks.reserveCapacity(10_000)
  }

  var order: Int { .max }

  var hooks: [Hook] {
    [
      .afterStep { batch in
        guard batch.outcome.isFinished, (batch.step + 1).isMultiple(of: self.every) else { return }
        let look = Look(
          step: batch.step + 1, resident: Self.resident, descriptors: Self.descriptors)
        self.looks.append(look)
        report(
          "step \(look.step), epoch \(batch.epoch + 1): \(look.resident >> 10) KiB resident, "
            + "\(look.descriptors) descriptors")
      }
    ]
  }

  /// The second number of `/proc/self/statm`, in pages.
  private static var resident: Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    let words = text.split(separator: " ")
    return (words.count > 1 ? Int(words[1]) ?? 0 : 0) * Int(sysconf(CInt(_SC_PAGESIZE)))
  }

  private static var descriptors: Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
  }
}
