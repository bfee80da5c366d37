import ArgumentParser
import Crest

/// Of which network the weights in a .safetensors file are.
struct ArchitectureOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The network whose weights are in a .safetensors file that --model names: a built-in one, or the ONNX "
        + "file it was trained from (default: the built-in network that it says it is of).",
      valueName: "name|file.onnx"))
  var architecture: String?
}

/// What `--model` names.
enum ModelSource {
  /// An ONNX file, perhaps with the weights of a checkpoint.
  case file(ONNXFile, CheckpointWeights?)
  /// A built-in network, perhaps with the weights of a checkpoint, which finds out which one it is when the
  /// name is nil.
  case builtIn(String?, CheckpointWeights?)

  /// Reads what is named.
  ///
  /// - Throws: ``CommandError`` when an architecture is named for something else than weights;
  ///   `ModelError/unknownName(_:)`, `CheckpointError`, `ONNXError`.
  init(_ model: String, architecture: String?) throws {
    guard model.isWeightsFile else {
      guard architecture == nil else { throw CommandError.architectureOfModel(model) }
      self = try Self.network(model, nil)
      return
    }
    let weights = try usable { try CheckpointWeights(model) }
    if let architecture {
      self = try Self.network(architecture, weights)
    } else if weights.sourceFingerprint == nil, weights.graphFingerprint != nil {
      self = .builtIn(nil, weights)
    } else {
      throw CommandError.needsArchitecture(model, isFromFile: weights.sourceFingerprint != nil)
    }
  }

  private static func network(_ name: String, _ weights: CheckpointWeights?) throws -> ModelSource {
    if name.isONNXFile { return .file(try ONNXFile(path: name), weights) }
    guard BuiltInModel.names.contains(name) else { throw CommandError.unknownModel(name) }
    return .builtIn(name, weights)
  }
}

extension CheckpointWeights {
  /// The numbers of outputs that the network may have: its classes, or the sizes of its biases.
  private var outputCounts: [Int] {
    if let classNames { return [classNames.count] }
    return Set(weights.values.filter { $0.shape.rank == 1 }.map { $0.shape[0] }).sorted()
  }

  /// Gives a network the weights, and what they were learned from.
  private func load(into model: Model) throws {
    try usable { try load(into: model.store) }
    if let preprocessing { model.preprocessing = preprocessing }
    if let classNames { model.classNames = classNames }
    if let classAxis { model.classAxis = classAxis }
  }

  /// The built-in network whose weights these are, for examples of the first of some shapes that it takes.
  ///
  /// - Throws: ``CommandError`` when there is none; `CheckpointError` when its arrays are others.
  func builtInModel(
    _ name: String?, inputs: [Shape], seed: UInt64, engine: Engine
  ) throws -> (model: Model, input: Shape) {
    for input in inputs {
      for name in name.map({ [$0] }) ?? BuiltInModel.names {
        for count in outputCounts {
          // Most networks take other examples.
          guard
            let model = try? BuiltInModel.make(
              name, input: input, classes: count, seed: seed, engine: engine), isOf(model.graph)
          else { continue }
          try load(into: model)
          return (model, input)
        }
      }
    }
    throw CommandError.otherNetwork(
      path,
      architecture: name ?? "one of the built-in networks, for examples of shape \(inputs[0]),")
  }

  /// The network of a file with these weights, and with another head where they have one.
  ///
  /// - Throws: ``CommandError`` when they are another network's; `CheckpointError` when its arrays are others.
  func model(
    _ template: (_ headClasses: Int?) throws -> ONNXTemplate, seed: UInt64, engine: Engine
  ) throws -> Model {
    let own = try template(nil)
    var chosen = isOf(own.sample) ? own : nil
    if chosen == nil, own.sourceFingerprint == sourceFingerprint {
      for count in outputCounts where chosen == nil {
        // A file without a head that could be replaced is another network.
        if let other = try? template(count), isOf(other.sample) { chosen = other }
      }
    }
    guard let chosen else { throw CommandError.otherNetwork(path, architecture: own.fileName) }
    if let sourceFingerprint, sourceFingerprint != chosen.sourceFingerprint {
      Notes.write(
        "\(chosen.fileName) isn't the file that the weights of \(path) were trained from, but of the same "
          + "network")
    }
    let model = try Model(template: chosen, seed: seed, engine: engine)
    try load(into: model)
    return model
  }
}

/// What `body` gives; a command that reads weights alone has no fields to leave out, and gives other advice.
private func usable<Result>(_ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch CheckpointError.unsuitable(let path, let error),
    CheckpointError.weights(let path, let error)
  {
    throw CommandError.unusableWeights(path, error)
  }
}

extension String {
  /// Whether it names an ONNX file.
  var isONNXFile: Bool { hasSuffix(".onnx") }
  /// Whether it names a file of weights.
  var isWeightsFile: Bool { hasSuffix(".safetensors") }
}
