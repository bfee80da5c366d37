import ArgumentParser
import Crest

/// What is trained or measured, on what.
struct ModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "An ONNX file, or a built-in network: \(BuiltInModel.names.joined(separator: ", ")).",
      valueName: "name|file.onnx"))
  var model: String

  @Option(
    help: ArgumentHelp(
      "\(DataSource.builtInNames.joined(separator: ", ")), an IDX folder (MNIST and its like), a "
        + "CIFAR-10 binary folder, or a folder of train-x.npy and train-y.npy.",
      valueName: "name|path"))
  var data: String

  @Option(
    help: ArgumentHelp(
      "What training makes small: \(Loss.all.map(\.name).joined(separator: ", ")) (default: "
        + "\(Loss.standard(for: .int64).name) for classes, \(Loss.standard(for: .float32).name) "
        + "for numbers).",
      valueName: "name"))
  var loss: String?

  @Option(
    name: .customLong("batch-size"), parsing: .unconditional,
    help: ArgumentHelp("Examples in a batch.", valueName: "n"))
  var batchSize = 64

  @Option(
    help: ArgumentHelp(
      "The key of all random numbers: the same seed gives the same result.", valueName: "n"))
  var seed: UInt64 = 0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Threads; makes no difference to results (default: all cores).", valueName: "n"))
  var threads: Int?

  @Flag(help: "Print results as JSON, one object a line.")
  var json = false

  /// Reads the data and makes the network for it.
  ///
  /// With `keepsAll`, a set without a validation part keeps all its examples for training, and is measured
  /// on them. `headClasses` gives a network from a file a new last layer.
  func load(
    keepsAll: Bool = false, headClasses: Int? = nil,
    selection: ParameterSelection = ParameterSelection()
  ) throws -> (data: DataSplit, model: Model, loss: Loss?) {
    let loss = try self.loss.map(Loss.named)
    try checkModelName()
    if let headClasses {
      guard isFile else { throw CommandError.headOfBuiltIn(model: model) }
      guard headClasses >= 1 else { throw CommandError.headClasses(headClasses) }
    }
    let engine = try Engine(threadCount: threads)
    var split = try DataSource(data).load()
    if keepsAll, let whole = split.whole { split = DataSplit(measuringOn: whole) }
    if isFile {
      let file = try ONNXFile(path: model)
      let template = try ONNXTemplate(
        file, inputShapes: inputShapes(of: file, split), selection: selection,
        headClasses: headClasses)
      return (split, try Model(template: template, seed: seed, engine: engine), loss)
    }
    let inputs = split.train.inputs
    guard inputs.count == 1 else {
      throw CommandError.severalInputs(
        model: model, data: split.train.name, count: inputs.count)
    }
    let built = try BuiltInModel.make(
      model, input: inputs[0].shape, classes: outputCount(for: split), seed: seed, engine: engine)
    return (split, built, loss)
  }

  /// Before data are read, which may take seconds.
  private func checkModelName() throws {
    guard isFile || BuiltInModel.names.contains(model) else { throw ModelError.unknownName(model) }
  }

  /// Whether the model is a file rather than a built-in network.
  var isFile: Bool { model.hasSuffix(".onnx") }

  /// The shapes of examples by the names of the file's inputs, for sizes that the file leaves open.
  private func inputShapes(of file: ONNXFile, _ split: DataSplit) -> [String: Shape] {
    let names = file.inputNames
    let inputs = split.train.inputs
    // A single input needs no name to be recognised by.
    if let name = names.first, names.count == 1, inputs.count == 1 {
      return [name: inputs[0].shape]
    }
    let known = inputs.filter { names.contains($0.name) }
    return Dictionary(known.map { ($0.name, $0.shape) }, uniquingKeysWith: { first, _ in first })
  }

  private func outputCount(for split: DataSplit) throws(CommandError) -> Int {
    let target = split.train.target
    switch target {
    case .classes(let names, let shape) where shape.rank == 0: return names.count
    case .values(let shape) where shape.rank == 1: return shape[0]
    case .classes, .values:
      throw .targetShape(model: model, data: split.train.name, shape: target.shape)
    }
  }
}

/// What predictions are judged by, besides the loss.
func metrics(for target: Target) -> [any Metric] {
  switch target {
  case .classes: [Accuracy()]
  case .values: [MeanAbsoluteError()]
  }
}
