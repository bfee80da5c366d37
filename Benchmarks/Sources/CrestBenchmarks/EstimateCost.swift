import ArgumentParser
import Crest
import Foundation

/// Runs ResNet-20 with and without the live estimate of the optimal learning rate in turn, and prints what it costs.
struct EstimateCost: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "learning-rate-estimate",
    abstract: "Runs ResNet-20 with each form of LearningRateEstimate and without, in turn.",
    discussion: """
      Each run is a fit of 50 steps of 128 images of noise; the share is its time over that of the run without an estimate \
      beside it. The same-batch form makes one estimate in these 50 steps.
      """)

  @Option(help: "Rounds.", transform: atLeastOne)
  var pairs = 9
  @Option(help: "Threads.", transform: atLeastOne)
  var threads = 1

  private static let forms: [LearningRateEstimate.Form] = [
    .smith, .rateCorrected, .gradient, .sameBatch(every: 50),
  ]

  func run() throws {
    print(try Machine.description(threads: threads) + "\n")
    let learner = try makeLearner()
    var shares = Self.forms.map { _ in [Double]() }
    // The first fits compile their programs.
    for form in [nil] + Self.forms { _ = try seconds(learner, form) }
    for _ in 0..<pairs {
      for (place, form) in Self.forms.enumerated() {
        let plain = try seconds(learner, nil)
        shares[place].append(try seconds(learner, form) / plain)
      }
    }
    print("| form | time over that without: median (least–most) |")
    print("|---|---|")
    for (form, shares) in zip(Self.forms, shares) {
      let all = shares.sorted()
      let numbers = [shares.median, all[0], all[all.count - 1]].map { String(format: "%.4f", $0) }
      print("| \(form) | \(numbers[0]) (\(numbers[1])–\(numbers[2])) |")
    }
  }

  private func makeLearner() throws -> Learner {
    let steps = 50
    let batchSize = 128
    func noise(_ count: Int) -> TensorExamples {
      var generator = SystemRandomNumberGenerator()
      let pixels = (0..<count * 3072).map { _ in Float.random(in: -1...1, using: &generator) }
      return TensorExamples(
        name: "noise", inputs: [("input", Tensor(pixels, shape: [count, 3, 32, 32]))],
        targets: Tensor((0..<count).map { Int64($0 % 10) }),
        classNames: (0..<10).map { "\($0)" })
    }
    return try Learner(
      BuiltInModel.make(
        "resnet20", input: [3, 32, 32], classes: 10, engine: Engine(threadCount: threads)),
      data: DataSplit(train: noise(steps * batchSize), valid: noise(batchSize)),
      batchSize: batchSize)
  }

  private func seconds(_ learner: Learner, _ form: LearningRateEstimate.Form?) throws -> Double {
    let callbacks: [any Callback] = try form.map { [try LearningRateEstimate($0)] } ?? []
    let start = ContinuousClock.now
    try learner.fit(epochs: 1, learningRate: 0.01, callbacks: callbacks)
    return (ContinuousClock.now - start) / .seconds(1)
  }
}
