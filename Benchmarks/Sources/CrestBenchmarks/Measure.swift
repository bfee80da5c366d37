import ArgumentParser
import Crest
import Foundation

/// Trains and prints how long steps took: one side of the comparison, as a process of its own.
struct Measure: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains one network and prints how long a step takes, as JSON.")

  @Argument(help: "Network and batch size, as in resnet20/128.")
  var workload: Workload
  @Option(parsing: .upToNextOption, help: "What is timed, in this order: step, epoch.")
  var scope: [Scope] = [.step]
  @Option(
    help: "Batches of an epoch: after one that isn't, three are timed, and as many bare steps.",
    transform: atLeastOne)
  var steps: Int?
  @Option(help: "Threads.", transform: atLeastOne)
  var threads = 2
  @Option(help: "A file of the same network, to be trained instead of Crest's own layers.")
  var onnx: String?

  @Flag(help: "Epochs change the images: crop and flip.")
  var augment = false

  func run() throws {
    let engine = try Engine(threadCount: threads)
    var result = Measurement()
    for scope in scope {
      // Made anew, so that nothing of the scope before is still in memory.
      let model =
        if let onnx { try Model(onnx: onnx, engine: engine) } else {
          try workload.network.model(engine)
        }
      let seconds =
        switch scope {
        case .step: try stepTimes(model)
        case .epoch: try epochTimes(model)
        }
      result.scopes[scope.rawValue] = Measurement.Result(
        secondsPerStep: seconds.median, peakBytes: try peakBytes())
    }
    print(String(decoding: try JSONEncoder().encode(result), as: UTF8.self))
  }

  private var stepCount: Int { steps ?? workload.epochSteps }
  /// Epochs, or as many steps, after one that warms up and compiles; as in `pytorch.py`.
  private static let timedEpochs = 3

  private func stepTimes(_ model: Model) throws -> [Double] {
    let (program, batch) = try workload.trainingProgram(model)
    model.store.resetMoments(count: 1)
    let parameters = 0..<model.store.withBuffer(.parameters, \.count)
    return try (0..<(1 + Self.timedEpochs) * stepCount).map { step in
      let start = ContinuousClock.now
      try program.setInputs([batch.images])
      try program.setTarget(batch.labels)
      for stage in Graph.Stage.allCases {
        try program.run(stage, random: RandomKey(seed: 0, step: UInt32(step)))
      }
      model.store.update(
        parameters, learningRate: 0.01, decay: .l2(1e-4),
        by: .sgd(momentum: 0.9, nesterov: false), on: model.engine)
      if step == 0 {
        // Whoever started this process has the time it took.
        print("first")
        fflush(nil)
      }
      return start.duration(to: .now) / .seconds(1)
    }.suffix(Self.timedEpochs * stepCount)
  }

  private func epochTimes(_ model: Model) throws -> [Double] {
    let examples = workload.examples(workload.batchSize * stepCount)
    let dataset = TensorExamples(
      name: "noise", inputs: [("input", examples.images)], targets: examples.labels,
      classNames: (0..<10).map(String.init))
    var start = ContinuousClock.now
    var epochs: [Double] = []
    let clock = CallbackOf(
      .beforeTrain { _ in start = .now },
      .afterTrain { _ in epochs.append(start.duration(to: .now) / .seconds(1)) })
    // Callbacks of one's own, as a run has them.
    let others = (0..<9).map { _ in CallbackOf(.beforeBatch { _ in }, .afterBatch { _ in }) }
    let learner = try Learner(
      model,
      data: DataSplit(
        train: dataset,
        valid: Subset(dataset, indices: Array(0..<workload.batchSize), name: "some noise")),
      optimizer: SGD(weightDecay: 1e-4), callbacks: [clock] + others,
      batchSize: workload.batchSize,
      transforms: augment ? [PadAndCrop(), HorizontalFlip()] : [])
    try learner.fit(epochs: 1 + Self.timedEpochs)
    return epochs.suffix(Self.timedEpochs).map { $0 / Double(stepCount) }
  }
}

/// The largest size this process had, in bytes.
private func peakBytes() throws -> Int {
  #if os(Linux)
    // Not getrusage, which begins with the size of the process that started this one.
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    guard
      let kilobytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({
        Int($0)
      })
    else { throw ValidationError("/proc/self/status has no VmHWM: \(status)") }
    return kilobytes * 1024
  #else
    var usage = rusage()
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss
  #endif
}
