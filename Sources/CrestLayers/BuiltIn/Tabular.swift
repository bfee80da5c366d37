public import CrestGraph
import CrestPlatform
public import CrestRuntime
public import CrestTensor

/// fastai's network for rows of a table, `TabularModel`.
///
/// Each category's embedding, of ``embeddingSize(for:)`` numbers, beside the numbers after a batch norm; dense layers of the
/// hidden sizes, each followed by a ReLU, a batch norm and dropout, in fastai's order; a dense layer. The inputs are
/// `categories`, `int64` [K], and `numbers`, `float32` [M]; one of them may be missing. Embeddings start truncated normal
/// of deviation 0.01.
///
/// Where it predicts numbers, its last layer's output is multiplied by their deviation and added to their mean in training,
/// so that predictions have the unit of the targets; ``loss(for:)`` takes that off again.
public struct Tabular: Sendable {
  /// The name of the network in `--model`.
  public static let name = "tabular"

  /// For each category how many values it has, with the one for what is missing.
  public let categoryCounts: [Int]
  /// How many numbers there are.
  public let numberCount: Int
  /// The number of outputs.
  public let outputs: Int
  /// The sizes of the hidden layers.
  public let hidden: [Int]
  /// The part of each hidden layer that is zeroed in training (fastai's `ps`).
  public let dropout: Double
  /// The part of the embeddings that is zeroed in training (fastai's `embed_p`).
  public let embeddingDropout: Double
  /// What outputs are multiplied by.
  public let outputScale: Double
  /// What is added to outputs after that.
  public let outputOffset: Double

  /// A network.
  ///
  /// - Precondition: there is a category or a number, an output, a value in each category and a unit in each hidden layer;
  ///   parts are at least 0 and below 1; scale and offset are finite.
  public init(
    categoryCounts: [Int], numberCount: Int, outputs: Int, hidden: [Int] = [200, 100],
    dropout: Double = 0, embeddingDropout: Double = 0, outputScale: Double = 1,
    outputOffset: Double = 0
  ) {
    programmerError(
      unless: numberCount >= 0 && categoryCounts.count + numberCount > 0 && outputs >= 1
        && (categoryCounts + hidden).allSatisfy { $0 >= 1 },
      "a Tabular of categories with \(categoryCounts) values, \(numberCount) numbers, hidden layers of \(hidden) and "
        + "\(outputs) outputs")
    (self.categoryCounts, self.numberCount, self.outputs) = (categoryCounts, numberCount, outputs)
    (self.hidden, self.dropout, self.embeddingDropout) = (hidden, dropout, embeddingDropout)
    (self.outputScale, self.outputOffset) = (outputScale, outputOffset)
  }

  /// A network for a table.
  ///
  /// - Parameters:
  ///   - table: What the columns became.
  ///   - outputs: The number of outputs; nil for one for each class, or one for a number.
  ///   - hidden: The sizes of the hidden layers.
  ///   - dropout: The part of each hidden layer that is zeroed in training.
  ///   - embeddingDropout: The part of the embeddings that is zeroed in training.
  /// - Precondition: As ``init(categoryCounts:numberCount:outputs:hidden:dropout:embeddingDropout:outputScale:outputOffset:)``.
  public init(
    for table: Preprocessing.Table, outputs: Int? = nil, hidden: [Int] = [200, 100],
    dropout: Double = 0, embeddingDropout: Double = 0
  ) {
    let counts = table.categories.map { $0.values.count + 1 }
    switch table.target {
    case .classes(let names):
      self.init(
        categoryCounts: counts, numberCount: table.numbers.count, outputs: outputs ?? names.count,
        hidden: hidden, dropout: dropout, embeddingDropout: embeddingDropout)
    case .values(let mean, let deviation):
      self.init(
        categoryCounts: counts, numberCount: table.numbers.count, outputs: outputs ?? 1,
        hidden: hidden, dropout: dropout, embeddingDropout: embeddingDropout,
        outputScale: deviation, outputOffset: mean)
    }
  }

  /// The numbers of an embedding of so many values: the nearest integer to 1.6 · n^0.56, at most 600 (fastai's
  /// `emb_sz_rule`).
  public static func embeddingSize(for count: Int) -> Int {
    min(600, max(1, Int((1.6 * pow(Double(count), 0.56)).rounded(.toNearestOrEven))))
  }

  /// The loss for what a table predicts: nil for the standard one of classes; for numbers the squared error in units of their
  /// deviation.
  public static func loss(for table: Preprocessing.Table) -> Loss? {
    guard case .values(_, let deviation) = table.target else { return nil }
    return .squaredError(scale: deviation)
  }

  /// Makes the model.
  ///
  /// - Parameters:
  ///   - seed: The seed of the initial values.
  ///   - engine: The engine for its programs; nil makes one with all cores.
  /// - Returns: The model, ending in logits or numbers.
  /// - Throws: ``ModelError`` when its parameters don't fit in memory, `EngineError` when an engine can't be made.
  public func model(seed: UInt64 = 0, engine: Engine? = nil) throws -> Model {
    var inputs: [Model.Input] = []
    if !categoryCounts.isEmpty {
      inputs.append(
        Model.Input(
          name: Preprocessing.Table.categoriesInput, shape: [categoryCounts.count],
          elementType: .int64))
    }
    if numberCount > 0 {
      inputs.append(
        Model.Input(name: Preprocessing.Table.numbersInput, shape: [numberCount]))
    }
    return try Model(inputs: inputs, seed: seed, engine: engine) { inputs in
      try trace(
        categories: categoryCounts.isEmpty ? nil : inputs[0],
        numbers: numberCount == 0 ? nil : inputs[inputs.count - 1])
    }
  }

  /// Logits or numbers [N, outputs], for categories [N, K] and numbers [N, M].
  ///
  /// - Throws: `GraphError` when their shapes are others.
  public func trace(categories: Symbol?, numbers: Symbol?) throws -> Symbol {
    var parts: [Symbol] = []
    if let categories {
      let embeddings = try categoryCounts.enumerated().map { place, count in
        try ColumnEmbedding(place: place, count: count)(categories)
      }
      let joined = try Self.joined(embeddings)
      parts.append(
        try embeddingDropout > 0
          ? Dropout(embeddingDropout, name: "embedding_dropout")(joined) : joined)
    }
    if let numbers { parts.append(try BatchNorm(convention: .torch, name: "number_norm")(numbers)) }
    let network = Sequential {
      for (index, units) in hidden.enumerated() {
        Dense(units, bias: false, name: "dense\(index + 1)")
        ReLU(name: "relu\(index + 1)")
        BatchNorm(convention: .torch, name: "norm\(index + 1)")
        if dropout > 0 { Dropout(dropout, name: "dropout\(index + 1)") }
      }
      Dense(outputs, name: "dense\(hidden.count + 1)")
      if outputScale != 1 || outputOffset != 0 { Rescaling(outputScale, offset: outputOffset) }
    }
    return try network(Self.joined(parts))
  }

  /// Columns beside each other.
  private static func joined(_ parts: [Symbol]) throws -> Symbol {
    parts.count == 1
      ? parts[0] : try parts[0].concatenated(with: Array(parts.dropFirst()), axis: 1)
  }

  /// The learned numbers of a category, [N, size], of the codes of all, [N, K].
  private struct ColumnEmbedding: Layer {
    let place: Int
    let count: Int
    var name: String? { "embedding\(place + 1)" }

    func trace(_ x: Symbol) throws -> Symbol {
      let codes = try x.sliced(starts: [place], ends: [place + 1], axes: [1]).reshaped(to: [-1])
      let table = try x.parameter(
        "weight", sizes: [count, Tabular.embeddingSize(for: count)], role: .weight,
        .truncatedNormal(standardDeviation: 0.01))
      return try table.gathered(codes)
    }
  }
}
