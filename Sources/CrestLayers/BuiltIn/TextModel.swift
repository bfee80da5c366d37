import CrestGraph
public import CrestRuntime
public import CrestTensor

/// The architectures for texts that come with the library, by name.
public struct TextModel: Sendable {
  /// The name, as in the command's `--model`.
  public let name: String
  /// What it is and what it is for, in one line.
  public let summary: String
  /// Whether it can be a language model, which predicts the token after each.
  public let predictsTokens: Bool
  /// Whether it can predict the class of a text.
  public let predictsClasses: Bool
  /// The layers, for texts and a number of classes; nil for a language model.
  private let layers: @Sendable (_ texts: Preprocessing.Texts, _ classes: Int?) -> any Layer

  /// All of them.
  public static let all: [TextModel] = [
    TextModel(
      name: "gpt", summary: "language model of four transformer blocks of 128",
      predictsTokens: true, predictsClasses: false,
      layers: { texts, _ in GPT(tokens: texts.tokens.count) }),
    TextModel(
      name: "text-transformer", summary: "classifier of texts of two transformer blocks of 128",
      predictsTokens: false, predictsClasses: true,
      layers: { texts, classes in
        TextTransformer(
          tokens: texts.tokens.count, classes: classes ?? 1, padding: texts.padding)
      }),
    TextModel(
      name: "lstm",
      summary:
        "two layers of 128 long short-term memories, as language model or classifier of texts",
      predictsTokens: true, predictsClasses: true,
      layers: { texts, classes in
        TextLSTM(
          tokens: texts.tokens.count, output: classes.map { .classes($0) } ?? .tokens,
          padding: texts.padding)
      }),
  ]

  /// The names of all.
  public static var names: [String] { all.map(\.name) }

  /// What an input of tokens is called.
  static let inputName = "tokens"

  /// Makes the model with a name.
  ///
  /// - Parameters:
  ///   - name: One of ``names``.
  ///   - texts: How texts become ids, as `DataSplit`'s `train.preprocessing.texts` says.
  ///   - classes: The number of classes; nil for a language model, which predicts the token after each.
  ///   - seed: The seed of the initial values.
  ///   - engine: The engine for its programs; nil makes one with all cores.
  /// - Returns: The model, ending in logits.
  /// - Throws: ``ModelError`` when the name is unknown, the model doesn't predict that or there are no classes;
  ///   `EngineError` when an engine can't be made.
  public static func make(
    _ name: String, for texts: Preprocessing.Texts, classes: Int? = nil, seed: UInt64 = 0,
    engine: Engine? = nil
  ) throws -> Model {
    guard let row = all.first(where: { $0.name == name }) else {
      throw ModelError.unknownTextModel(name)
    }
    if let classes, classes < 1 { throw ModelError.classCount(classes) }
    guard classes == nil ? row.predictsTokens : row.predictsClasses else {
      throw ModelError.otherTextModel(name, isForClasses: classes != nil)
    }
    let layer = row.layers(texts, classes)
    let model = try Model(
      inputs: [Model.Input(name: inputName, shape: [texts.length], elementType: .int64)],
      seed: seed, engine: engine
    ) { try layer($0[0]) }
    model.preprocessing = .of(texts: texts)
    // Examples may be as long as there are tokens, so that shapes alone can't tell.
    if classes == nil { model.classAxis = 2 }
    return model
  }
}
