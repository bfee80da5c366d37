import ArgumentParser
import Crest
import Foundation

/// Trains and prints how long steps took: one side of the comparison, as a process of its own.
struct Measure: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains one network and prints how long a step takes, as JSON.")

  @Argument(help: "Network and batch size, as in resnet20/128.")
  var workload: Workload
  @Option(help: "What is timed: step or epoch.")
  var scope: Scope = .step
  @Option(help: "Steps that are timed, after three that are not.")
  var steps = 20
  @Option(help: "Threads.")
  var threads = 2

  func run() throws {
    let engine = try Engine(threadCount: threads)
    let model = try workload.network.model(engine)
    let seconds =
      switch scope {
      case .step: try stepTimes(model)
      case .epoch: try epochTimes(model)
      }
    let result = Measurement(secondsPerStep: seconds.median, peakBytes: peakBytes)
    print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
  }

  /// Says that the first step is done: whoever started this process has the time it took.
  private func announce() {
    print("first")
    fflush(nil)
  }

  private func stepTimes(_ model: Model) throws -> [Double] {
    let batch = workload.examples(workload.batchSize)
    let request = ProgramRequest(
      inputTypes: [ValueType(batch.images.shape)],
      targetType: ValueType([workload.batchSize], .int64), mode: .training)
    let program = try Program(
      model.template, request, store: model.store, engine: model.engine,
      loss: Loss.crossEntropy().trace)
    model.store.resetMoments(count: 1)
    let parameters = 0..<model.store.withBuffer(.parameters, \.count)
    return try (0..<steps + 3).map { step in
      let start = ContinuousClock.now
      try program.setInputs([batch.images])
      try program.setTarget(batch.labels)
      for stage in Stage.allCases {
        try program.run(stage, random: RandomKey(seed: 0, step: UInt32(step)))
      }
      model.store.update(
        parameters, learningRate: 0.01, decay: .l2(1e-4),
        by: .sgd(momentum: 0.9, nesterov: false), on: model.engine)
      if step == 0 { announce() }
      return start.duration(to: .now) / .seconds(1)
    }.suffix(steps)
  }

  private func epochTimes(_ model: Model) throws -> [Double] {
    let count = workload.batchSize * steps
    let examples = workload.examples(count)
    let dataset = TensorExamples(
      name: "noise", inputs: [("input", examples.images)], targets: examples.labels,
      classNames: (0..<10).map(String.init))
    var start = ContinuousClock.now
    var epochs: [Double] = []
    var isFirst = true
    let watch = CallbackOf(
      .afterBatch { [self] _ in
        if isFirst { announce() }
        isFirst = false
      })
    // Callbacks of one's own, as a run has them.
    let others = (0..<8).map { _ in CallbackOf(.beforeBatch { _ in }) }
    let clock = CallbackOf(
      .beforeTrain { _ in start = .now },
      .afterTrain { _ in epochs.append(start.duration(to: .now) / .seconds(1)) })
    let learner = try Learner(
      model, data: DataSplit(train: dataset, valid: dataset), optimizer: SGD(weightDecay: 1e-4),
      callbacks: [watch, clock] + others, batchSize: workload.batchSize)
    try learner.fit(epochs: 3)
    return epochs.dropFirst().map { $0 / Double(steps) }
  }
}

/// The largest size this process had, in bytes.
private var peakBytes: Int {
  var usage = rusage()
  #if canImport(Darwin)
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss
  #else
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  #endif
}
