import ArgumentParser
import Crest

/// Which network the weights in a .safetensors file belong to.
struct ArchitectureOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The network whose weights are in the .safetensors file: a built-in one, or the ONNX "
        + "file it was trained from (default: the built-in network named in the checkpoint).",
      valueName: "name|file.onnx"))
  var architecture: String?
}

/// What `--model` refers to.
enum ModelSource {
  /// An ONNX file, perhaps with the weights of a checkpoint.
  case file(ONNXFile, CheckpointFile.Weights?)
  /// A built-in network, perhaps with the weights of a checkpoint, which identify it if the name is
  /// nil.
  case builtIn(String?, CheckpointFile.Weights?)

  /// Reads the model.
  ///
  /// - Throws: ``CommandError`` if an architecture is given for something other than weights;
  ///   `ModelError/unknownName(_:)`, `CheckpointError`, `ONNXError`.
  init(_ model: String, architecture: String?) throws {
    guard model.isWeightsFile else {
      guard architecture == nil else { throw CommandError.architectureOfModel(model) }
      self = try Self.network(model, nil)
      return
    }
    let weights = try usable { try CheckpointFile.Weights(model) }
    if let architecture {
      self = try Self.network(architecture, weights)
    } else if weights.sourceFingerprint == nil, weights.graphFingerprint != nil {
      self = .builtIn(nil, weights)
    } else {
      throw CommandError.needsArchitecture(model, isFromFile: weights.sourceFingerprint != nil)
    }
  }

  private static func network(_ name: String, _ weights: CheckpointFile.Weights?) throws
    -> ModelSource
  {
    if name.isONNXFile { return .file(try ONNXFile(path: name), weights) }
    guard ModelOptions.builtInNames.contains(name) else { throw CommandError.unknownModel(name) }
    return .builtIn(name, weights)
  }
}

extension CheckpointFile.Weights {
  /// The possible numbers of the network's outputs: its classes, or the sizes of its biases.
  private var outputCounts: [Int] {
    if let classNames { return [classNames.count] }
    return Set(weights.values.filter { $0.shape.rank == 1 }.map { $0.shape[0] }).sorted()
  }

  /// Loads the weights into a network, with their preprocessing and classes.
  func load(into model: Model) throws {
    try usable { try load(into: model.store) }
    if let preprocessing { model.preprocessing = preprocessing }
    if let classNames { model.classNames = classNames }
    if let classAxis { model.classAxis = classAxis }
  }

  /// The network for a table with these weights; nil if they belong to another.
  ///
  /// - Throws: ``CommandError`` if it is named and they don't belong to it; `CheckpointError` if its arrays differ.
  func tabular(
    _ name: String?, _ table: Preprocessing.Table, seed: UInt64, engine: Engine
  ) throws -> Model? {
    guard name == nil || name == Tabular.name else { return nil }
    for outputs in outputCounts {
      for network in Tabular.networks(for: table, outputs: outputs) {
        let model = try network.model(seed: seed, engine: engine)
        guard isOf(model.graph) else { continue }
        try load(into: model)
        return model
      }
    }
    guard name == nil else { throw CommandError.otherNetwork(path, architecture: Tabular.name) }
    return nil
  }

  /// The built-in network to which these weights belong, for the first of some example shapes that
  /// it takes.
  ///
  /// - Throws: ``CommandError`` if there is none; `CheckpointError` if its arrays differ.
  func builtInModel(
    _ name: String?, inputs: [Shape], seed: UInt64, engine: Engine
  ) throws -> (model: Model, input: Shape) {
    for input in inputs {
      for name in name.map({ [$0] }) ?? BuiltInModel.names {
        for count in outputCounts {
          // Most networks take examples of another shape.
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

  /// The network of a file with these weights, and with a new head if they have one.
  ///
  /// - Throws: ``CommandError`` if they belong to another network; `CheckpointError` if its arrays
  ///   differ.
  func model(
    _ template: (_ headClasses: Int?) throws -> ONNXTemplate, seed: UInt64, engine: Engine
  ) throws -> Model {
    let own = try template(nil)
    var chosen = isOf(own.sample) ? own : nil
    if chosen == nil, own.sourceFingerprint == sourceFingerprint {
      for count in outputCounts where chosen == nil {
        // A file without a replaceable head is another network.
        if let other = try? template(count), isOf(other.sample) { chosen = other }
      }
    }
    guard let chosen else { throw CommandError.otherNetwork(path, architecture: own.fileName) }
    if let sourceFingerprint, sourceFingerprint != chosen.sourceFingerprint {
      Notes.write(
        "\(chosen.fileName) isn't the file that the weights of \(path) were trained from, but has the same "
          + "network")
    }
    let model = try Model(template: chosen, seed: seed, engine: engine)
    try load(into: model)
    return model
  }
}

/// The result of `body`, with other advice in errors: a command that reads only weights has no
/// fields to leave out.
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
