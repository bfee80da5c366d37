import CrestCallbacks
import CrestData
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestState
import CrestTensor
import CrestTraining
import Foundation
import ProcessSupport
import Testing

/// What a callback's settings are where the command is given none: those of the type's own initialiser.
@Suite struct `Callbacks of the command` {
  /// A callback by its name on the command line, and as a program makes it.
  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    /// What has to be given, as the command has it.
    var required = ""
    /// A model that it suits.
    var model = "mlp"
    /// Makes it, with a folder that it may write to.
    let make: @Sendable (_ folder: String) throws -> any Callback

    var testDescription: String { name }
  }

  static let rows = [
    Row(name: "activation-stats", required: ":layers=dense1") { _ in
      try ActivationStats(["dense1"])
    },
    Row(name: "adaptive-gradient-clip") { _ in try AdaptiveGradientClip() },
    Row(name: "csv-logger", required: ":path=log.csv") { CSVLogger(path: $0 + "/own.csv") },
    Row(name: "divergence-guard") { _ in try DivergenceGuard() },
    Row(name: "early-stopping") { _ in try EarlyStopping() },
    Row(name: "ema") { _ in try EMA() },
    Row(name: "freeze-parameters", required: ":parameters=dense1.*") { _ in
      try FreezeParameters(.matching("dense1.*"))
    },
    Row(name: "gradient-accumulation", required: ":batches=3") { _ in
      try GradientAccumulation(batches: 3)
    },
    Row(name: "gradient-centralization") { _ in GradientCentralization() },
    Row(name: "gradient-clip") { _ in try GradientClip() },
    Row(name: "gradient-noise-scale") { _ in try GradientNoiseScale() },
    Row(name: "gradient-statistics") { _ in try GradientStatistics() },
    Row(name: "limit-batches", required: ":training=3") { _ in try LimitBatches(training: 3) },
    Row(name: "lookahead") { _ in try Lookahead() },
    Row(name: "model-checkpoint", required: ":folder=best") {
      try ModelCheckpoint(folder: $0 + "/own")
    },
    Row(name: "pass-timer") { _ in PassTimer() },
    Row(name: "recompute-batch-norm-statistics", model: "small-cnn") { _ in
      try RecomputeBatchNormStatistics()
    },
    Row(name: "reduce-lr-on-plateau") { _ in try ReduceLROnPlateau() },
    Row(name: "sam") { _ in try SAM() },
    Row(name: "step-logger", required: ":path=log.csv") { StepLogger(path: $0 + "/own.csv") },
    Row(name: "swa") { _ in try SWA() },
    Row(name: "tensor-board", required: ":folder=runs") {
      try TensorBoardLogger(folder: $0 + "/own")
    },
    Row(name: "terminate-on-nan") { _ in TerminateOnNaN() },
    Row(name: "time-limit", required: ":seconds=1000") { _ in try TimeLimit(seconds: 1000) },
    Row(name: "validate-every", required: ":interval=2epochs") { _ in
      try ValidateEvery(.epochs(2))
    },
  ]

  @Test func `are all compared`() throws {
    let result = try CrestProcess.run([
      "train", "--model", "mlp", "--data", "digits", "--epochs", "1", "--max-lr", "0.01",
      "--callback", "nowhere",
    ])
    let known = Self.rows.map(\.name).joined(separator: ", ")
    let message = result.error.replacing(/\s+/, with: " ")
    #expect(message.contains("expected one of \(known), got"), "\(message)")
  }

  @Test(arguments: rows) func `have the settings of their own initialisers`(row: Row) throws {
    let folder = try TemporaryFolder()
    let result = try CrestProcess.run(
      [
        "train", "--model", row.model, "--data", "digits", "--epochs", "1", "--max-lr", "0.01",
        "--checkpoint-dir", "run", "--callback", row.name + row.required,
      ], in: folder)
    #expect(result.status == 0, "\(result.error)")
    let saved = try #require(try CheckpointFolder(folder["run"].path).newest()).state

    let own = try row.make(folder.path)
    var state: RunState?
    let keep = CallbackOf(
      .afterEpoch { state = try $0.learner.runState() }, name: "Keep", order: .max)
    let learner = try Learner(
      BuiltInModel.make(row.model, input: [1, 8, 8], classes: 10), data: Digits.split(),
      optimizer: SGD())
    try learner.fit(epochs: 1, learningRate: 0.01, callbacks: [own, keep])
    let path = StateValue.Path(["callbacks", own.name, "settings"])
    let settings = try #require(state).fields[path]
    #expect(saved.fields[path] == settings)
    #expect((settings ?? .fields([:])) == .fields(own.settings.mapValues { .text($0) }))
  }
}
