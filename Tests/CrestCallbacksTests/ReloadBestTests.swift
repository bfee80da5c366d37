import CrestCallbacks
import CrestLayers
import CrestRuntime
import CrestState
import CrestTraining
import Foundation
import ProcessSupport
import Testing
import TrainingTestSupport

/// What early stopping may also stop by, and the best weights that a checkpoint gives back.
@Suite struct ReloadBestTests {
  private func learner(_ values: [Double], direction: MetricDirection = .lowerIsBetter) throws
    -> Learner
  {
    try Learner(
      TinyModel.full(), data: TinyData.split(),
      metrics: [
        EarlyStoppingTests.Script(
          name: "script", direction: direction, values: values + values, pass: .init())
      ], batchSize: 5, prefetch: 0)
  }

  @Test(arguments: [
    (Learner.Contents.everything, false), (.weights, false), (.weights, true),
  ])
  func `the model ends with the weights of the best epoch`(
    contents: Learner.Contents, averages: Bool
  ) throws {
    let folder = try TemporaryFolder()
    let learner = try learner([3, 1, 2, 2.5])
    var validated: [ParameterStore.Weights] = []
    let watch = CallbackOf(
      .afterValidate { validated.append(ParameterStore.Weights(of: $0.learner.model.store)) },
      name: "Watch")
    let checkpoint = try ModelCheckpoint(
      folder: folder["best"].path, keepLast: 0, monitor: .metric("script"), contents: contents,
      name: "best", reloadsBest: true)
    try learner.fit(
      epochs: 4, learningRate: 0.1,
      callbacks: [watch, checkpoint] + (averages ? [try EMA(decay: 0.5)] : []))
    #expect(ParameterStore.Weights(of: learner.model.store) == validated[1])
    #expect(learner.fitResult?.origin == .measuredAfterwards)
    #expect(learner.fitResult?.validation?.loss == (try learner.evaluate().loss))
  }

  @Test func `a run that is resumed reloads what it saved before`() throws {
    let folder = try TemporaryFolder()
    func fit(from state: RunState?) throws -> (RunState, ParameterStore.Weights) {
      let learner = try learner([3, 1, 2, 2.5])
      learner.now = { .zero }
      var saved: RunState?
      let watch = CallbackOf(
        .beforeFit { fit in
          if let state { fit.resume(from: try Learner.Resumption(path: "s", state: state)) }
        },
        .afterEpoch { if $0.index == 2 { saved = try $0.learner.runState() } }, name: "Watch",
        order: .max)
      let checkpoint = try ModelCheckpoint(
        folder: folder["best"].path, keepLast: 0, monitor: .metric("script"), name: "best",
        reloadsBest: true)
      try learner.fit(epochs: 4, learningRate: 0.1, callbacks: [checkpoint, watch])
      return (try #require(saved ?? state), ParameterStore.Weights(of: learner.model.store))
    }
    let (state, weights) = try fit(from: nil)
    // The folder holds the best one, of the epoch before.
    #expect(try fit(from: state).1 == weights)
  }

  @Test func `a file that is gone is an error, not another network`() throws {
    let folder = try TemporaryFolder()
    let learner = try learner([3, 1, 2, 2.5])
    let remove = CallbackOf(
      .afterEpoch {
        if $0.index == 3 {
          try FileManager.default.removeItem(at: folder["best/best.safetensors"])
        }
      }, name: "Remove")
    let checkpoint = try ModelCheckpoint(
      folder: folder["best"].path, keepLast: 0, monitor: .metric("script"), name: "best",
      reloadsBest: true)
    let error = #expect(throws: CheckpointError.self) {
      try learner.fit(epochs: 4, learningRate: 0.1, callbacks: [remove, checkpoint])
    }
    #expect(error?.description.contains("best.safetensors") == true)
  }

  @Test func `the best can only be reloaded by a monitor`() {
    let error = #expect(throws: CallbackError.self) {
      try ModelCheckpoint(folder: "d", reloadsBest: true)
    }
    #expect(
      error?.description
        == "ModelCheckpoint: reloadsBest is true, expected false without a monitor, which tells the best"
    )
  }

  /// Values, what early stopping goes by, and the epochs that are trained.
  static let cases:
    [(values: [Double], baseline: Double?, start: Int, threshold: Double?, epochs: Int)] = [
      // Better than before, but never than the baseline.
      ([5, 4, 3, 2.5, 2.4, 2.3], 2, 0, nil, 3), ([5, 1, 4, 3, 2.5, 2.4, 2.3], 2, 0, nil, 5),
      ([5, 4, 1, 0.5, 0.4, 0.3], 2, 0, nil, 6),
      // The first epochs don't count.
      ([1, 5, 4, 3, 2, 2, 2, 2, 1], nil, 2, nil, 8), ([1, 2, 3, 4], nil, 0, nil, 4),
      ([5, 4, 3, 2, 1], nil, 0, 3, 3), ([5, 4, 3, 2, 1], nil, 3, 4, 4),
      ([5, 4, 3, 2, 1], nil, 0, 0.5, 5),
    ]

  @Test(arguments: cases.indices)
  func `baseline, first epoch and threshold decide when a fit ends`(index: Int) throws {
    let (values, baseline, start, threshold, epochs) = Self.cases[index]
    for isLower in [true, false] {
      // The same upside down.
      let sign = isLower ? 1.0 : -1.0
      let learner = try learner(
        values.map { sign * $0 }, direction: isLower ? .lowerIsBetter : .higherIsBetter)
      let recorder = Recorder()
      let stop = try EarlyStopping(
        monitor: .metric("script"), patience: 3, baseline: baseline.map { sign * $0 },
        startEpoch: start, threshold: threshold.map { sign * $0 })
      let outcome = try learner.fit(
        epochs: values.count, learningRate: 0.1, callbacks: [recorder, stop])
      #expect(recorder.epochs.count == epochs, "\(outcome)")
    }
  }

  @Test func `the reason says what was not beaten, or reached`() throws {
    func reason(_ stop: EarlyStopping, _ values: [Double]) throws -> String? {
      let outcome = try learner(values).fit(epochs: values.count, callbacks: [stop])
      if case .cancelled(let cancellation) = outcome { return cancellation.reason }
      return nil
    }
    #expect(
      try reason(EarlyStopping(monitor: .metric("script"), patience: 2, baseline: 1), [5, 4, 3])
        == "script has not improved, or not beaten 1.0, for 2 epochs")
    #expect(
      try reason(EarlyStopping(monitor: .metric("script"), patience: 2, threshold: 4), [5, 4, 3])
        == "script is 4.0, as good as 4.0")
  }

  @Test func `settings of before are those of now, and numbers are checked`() throws {
    #expect(
      try EarlyStopping().settings.keys.sorted()
        == ["minDelta", "mode", "monitor", "patience", "restoresBest"])
    #expect(
      try EarlyStopping(baseline: 1, startEpoch: 2, threshold: 3).settings.filter {
        ["baseline", "startEpoch", "threshold"].contains($0.key)
      } == ["baseline": "1.0", "startEpoch": "2", "threshold": "3.0"])
    for (message, make) in [
      (
        "EarlyStopping: baseline is nan, expected a finite number",
        { () throws(CallbackError) in _ = try EarlyStopping(baseline: .nan) }
      ),
      (
        "EarlyStopping: threshold is inf, expected a finite number",
        { () throws(CallbackError) in _ = try EarlyStopping(threshold: .infinity) }
      ),
      (
        "EarlyStopping: startEpoch is -1, expected an epoch from 0 on",
        { () throws(CallbackError) in _ = try EarlyStopping(startEpoch: -1) }
      ),
    ] as [(String, () throws(CallbackError) -> Void)] {
      #expect(#expect(throws: CallbackError.self) { try make() }?.description == message)
    }
  }
}
