import ArgumentParser
import Crest
import Foundation

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predict with a network.",
    discussion: """
      Inputs are given as the file takes them, and predictions are written as the file gives them: those of \
      its first output. Many rows along the first dimension are predicted in batches where it is proved from \
      the network that each row is computed by itself; for a file made for one batch size, the last batch is \
      filled up. A network that crest trained says how its \
      data were prepared, and values are prepared likewise; else they are taken as they are.
      """)

  @Option(
    help: ArgumentHelp(
      "An ONNX file, or the weights of a network, as checkpoints have them.",
      valueName: "file.onnx|file.safetensors"))
  var model: String

  @OptionGroup var weights: ArchitectureOption

  @Option(
    help: ArgumentHelp(
      "A NumPy array for an input; its name may be left out when there is one. May be repeated.",
      valueName: "[name=]file.npy"))
  var input: [String]

  @Option(help: ArgumentHelp("The NumPy array to write.", valueName: "file.npy"))
  var output: String

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Threads; makes no difference to results (default: all cores).", valueName: "n"))
  var threads: Int?

  func run() throws {
    let engine = try Engine(threadCount: threads)
    let prediction =
      switch try ModelSource(model, architecture: weights.architecture) {
      case .file(let file, let weights): try predict(file, weights, engine)
      case .builtIn(let name, let weights): try predict(name, weights, engine)
      }
    try writeFile(prediction.npyBytes(), to: output)
  }

  /// Runs a file on the inputs as they are.
  private func predict(
    _ file: ONNXFile, _ weights: CheckpointWeights?, _ engine: Engine
  ) throws -> Tensor {
    let preprocessing = try weights?.preprocessing ?? preprocessing(in: file)
    let inputs = try readInputs(file.inputNames) { file.elementType(ofInput: $0) ?? .float32 }
    let template = try ONNXSpecialization(
      file, inputs: try inputs.mapValues { try $0.prepared(by: preprocessing) })
    let predictor = try Predictor(template, engine: engine)
    try weights?.load(into: predictor.store)
    return try predictor.predict(template.inputs, batchSize: Self.batchSize)
  }

  /// Runs a built-in network with the weights of a checkpoint.
  private func predict(
    _ name: String?, _ weights: CheckpointWeights?, _ engine: Engine
  ) throws -> Tensor {
    guard let weights else { throw CommandError.untrainedPrediction(model: name ?? model) }
    let inputs = try readInputs(["input"]) { _ in .float32 }
    guard let stored = inputs["input"], stored.shape.rank >= 1 else {
      throw CommandError.missingInput("input")
    }
    let network = try weights.builtInModel(
      name, input: Shape(Array(stored.shape.dropFirst())), seed: 0, engine: engine)
    let prepared = try stored.prepared(by: weights.preprocessing ?? .none)
    // Bytes that aren't to be prepared are numbers all the same.
    let values =
      prepared.elementType == .float32
      ? prepared : Tensor(prepared.doubles, shape: prepared.shape)
    return try Predictor(network.template, store: network.store, engine: engine)
      .predict([values], batchSize: Self.batchSize)
  }

  /// The rows that are predicted at once, where that makes no difference.
  private static let batchSize = 64

  private func readInputs(
    _ names: [String], _ elementType: (String) -> ElementType
  ) throws -> [String: Tensor] {
    var inputs: [String: Tensor] = [:]
    for argument in input {
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let isNamed = parts.count == 2 && names.contains(String(parts[0]))
      // What isn't the name of an input may be the beginning of a file's.
      let isFile = FileManager.default.fileExists(atPath: argument)
      guard isNamed || names.count == 1 && (parts.count == 1 || isFile) else {
        throw CommandError.unknownInput(
          option: "--input", parts.count == 2 ? String(parts[0]) : nil, known: names)
      }
      let name = isNamed ? String(parts[0]) : names[0]
      let tensor = try TensorFile.readInput(
        isNamed ? String(parts[1]) : argument, for: elementType(name))
      guard inputs.updateValue(tensor, forKey: name) == nil else {
        throw CommandError.repeatedInput(name)
      }
    }
    if let missing = names.first(where: { inputs[$0] == nil }) {
      throw CommandError.missingInput(missing)
    }
    return inputs
  }
}

extension Tensor {
  /// The values that a model sees for these stored ones.
  fileprivate func prepared(by preprocessing: Preprocessing) throws -> Tensor {
    guard !preprocessing.isIdentity else { return self }
    let channels = preprocessing.mean.count
    let size = shape.dropFirst(2).reduce(1, *)
    guard channels == 0 || shape.rank >= 2 && shape[1] == channels else {
      throw CommandError.channels(expected: channels, shape: Shape(Array(shape.dropFirst())))
    }
    let values = doubles.enumerated().map { place, stored in
      preprocessing.value(stored, channel: channels == 0 ? 0 : place / size % channels)
    }
    return Tensor(values, shape: shape)
  }
}
