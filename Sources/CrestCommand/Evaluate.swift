import ArgumentParser
import Crest

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Evaluate a network on the validation part of a data set.",
    discussion: """
      An ONNX file is evaluated with its own weights, a checkpoint (.safetensors) with the checkpoint's. A \
      built-in network is evaluated untrained, with the initial weights of a training run with the same seed.
      """)

  @OptionGroup(title: "Model and data") var model: ModelOptions

  @OptionGroup(title: "Metrics") var metrics: MetricOptions

  @OptionGroup(title: "Metrics") var tta: AugmentationsOption

  @Flag(
    help: ArgumentHelp(
      "Evaluate all examples of a set without a validation part, like crest train --no-shuffle; otherwise the "
        + "fifth that training holds out, the same in every run."))
  var noShuffle = false

  @OptionGroup(title: "Metrics") var testPart: TestPartOption

  func run() throws {
    Notes.areEvents(model.json)
    try model.checkBatchSize()
    let augmentations = try tta.augmentations()
    let (data, network, loss) = try model.load(
      keepsAll: noShuffle, test: testPart.test)
    let learner = try Learner(
      network, data: data, loss: loss, metrics: namedMetrics(metrics.names, loss, network, data),
      batchSize: model.batchSize(for: network, data), seed: model.seed,
      preprocessing: model.preprocessing)
    try learner.checkNumbers(isTraining: false)
    note(learner)
    // With the weights of a checkpoint, it isn't a file that is evaluated.
    if !model.model.isWeightsFile, let mode = (network.template as? ONNXTemplate)?.trainingMode {
      Notes.write("\(mode)")
    }
    let part = data.test == nil ? "valid" : "test"
    let result = try Interruption.around(
      learner, meanwhile: "the evaluation is ending"
    ) {
      try learner.evaluate(
        on: learner.data.test, augmentations: augmentations, requiringFinite: true)
    }
    if data.test == nil, data.origin == .drawnPart, let whole = data.whole {
      Notes.write(
        "\(data.valid.count) of the \(whole.count) examples of \(whole.name) were evaluated, the part that training "
          + "holds out; --no-shuffle evaluates all, like training with --no-shuffle, which holds out none"
      )
    }
    if model.json {
      return try Notes.writeResult(members(of: result, loss: "\(part)_loss"))
    }
    try StandardOutput.write(
      text(result, of: (data.test ?? data.valid).name, "\(part) loss"))
  }

  private func text(_ result: FitResult.Pass, of name: String, _ loss: String) -> String {
    let values = result.metrics.map { "\($0.name) \(decimal($0.value, 4))" }
    return (values + ["\(loss) \(decimal(result.loss, 4))"]).joined(separator: ", ")
      + " on \(result.exampleCount) examples of \(name)\(model.isTrained ? "" : ", untrained")\n"
  }

  private func members(of result: FitResult.Pass, loss: String) -> [(
    key: String, value: JSONLine.Value
  )] {
    [(loss, JSONLine.Value(result.loss))]
      + result.metrics.map { ($0.name, JSONLine.Value($0.value)) }
      + [
        ("seconds", .number(result.seconds)),
        ("examples_per_second", .number(result.examplesPerSecond)),
      ]
  }
}
