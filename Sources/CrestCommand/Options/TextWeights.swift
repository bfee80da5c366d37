import Crest

extension CheckpointFile.Weights {
  /// The number of classes of texts; nil of a language model.
  private var textClassCount: Int? { classAxis == nil ? classNames?.count : nil }

  /// The built-in network for texts to which these weights belong.
  ///
  /// - Throws: ``CommandError`` if there is none; `CheckpointError` if its arrays differ.
  func textModel(
    _ name: String?, for texts: Preprocessing.Texts, seed: UInt64, engine: Engine
  ) throws -> Model {
    for name in name.map({ [$0] }) ?? TextModel.names {
      // Some predict classes, others tokens.
      guard
        let model = try? TextModel.make(
          name, for: texts, classes: textClassCount, seed: seed, engine: engine),
        isOf(model.graph)
      else { continue }
      try load(into: model)
      return model
    }
    throw CommandError.otherNetwork(
      path, architecture: name ?? "one of the built-in networks for texts (\(texts))")
  }
}

extension ModelSource {
  /// How the model's texts become ids, and how many it takes at once, as far as it says so.
  var textsAndSize: (texts: Preprocessing.Texts?, size: Int?) {
    get throws {
      switch self {
      case .builtIn(_, let weights): return (weights?.preprocessing?.texts, nil)
      case .file(let file, let weights):
        let texts = try weights?.preprocessing?.texts ?? file.metadata().preprocessing?.texts
        guard let name = file.inputNames.first, file.inputNames.count == 1,
          let sizes = file.exampleSizes(ofInput: name), sizes.count == 1
        else { return (texts, nil) }
        return (texts, sizes[0])
      }
    }
  }

  /// The trained network for texts, and how they become ids.
  ///
  /// - Throws: ``CommandError/noTexts(model:)`` when it has learned none.
  func textNetwork(
    _ model: String, _ engine: Engine
  ) throws -> (network: Model, texts: Preprocessing.Texts) {
    let network: Model
    switch self {
    case .file(let file, let weights):
      guard let texts = try weights?.preprocessing?.texts ?? file.metadata().preprocessing?.texts
      else { throw CommandError.noTexts(model: model) }
      let shapes = Dictionary(
        uniqueKeysWithValues: file.inputNames.map { ($0, [texts.length] as Shape) })
      func template(_ headClasses: Int?) throws -> ONNXTemplate {
        try ONNXTemplate(file, inputShapes: shapes, headClasses: headClasses)
      }
      network =
        try weights?.model(template, seed: 0, engine: engine)
        ?? Model(template: template(nil), engine: engine)
    case .builtIn(let name, let weights):
      guard let weights else { throw CommandError.untrainedPrediction(model: name ?? model) }
      guard let texts = weights.preprocessing?.texts else {
        throw CommandError.noTexts(model: model)
      }
      network = try weights.textModel(name, for: texts, seed: 0, engine: engine)
    }
    guard let texts = network.preprocessing?.texts else { throw CommandError.noTexts(model: model) }
    return (network, texts)
  }
}
