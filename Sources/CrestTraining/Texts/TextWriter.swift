import CrestData
public import CrestLayers
import CrestPlatform
public import CrestTensor

/// Lets a language model write: token after token, each drawn by the probabilities that the model gives it.
///
/// The model has one input of token ids [N, T] and logits [N, T, tokens] of the token after each, none of which
/// depends on later tokens, as of the built-in `gpt`. It sees the last T tokens, or all while there are fewer.
///
/// ```swift
/// let writer = try TextWriter(model)
/// print(try writer.text(after: "To be", length: 200, temperature: 0.8, topCount: 20, seed: 1))
/// ```
public struct TextWriter {
  private let model: Model
  private let tokenizer: Tokenizer
  private let length: Int
  private let tokenCount: Int

  /// A writer with a model that knows its tokens.
  ///
  /// - Throws: ``TextWriterError`` when the model is no language model; `DataError.tokenizer(name:reason:)` when its tokens
  ///   contradict each other.
  public init(_ model: Model) throws {
    guard let texts = model.preprocessing?.texts else { throw TextWriterError.noTokens }
    let tokenizer = try Tokenizer(texts)
    let inputs = model.inputs
    guard inputs.count == 1, let input = inputs.first, input.shape.rank == 1, input.shape[0] > 0,
      input.elementType == .int64 || input.elementType == .int32
    else {
      throw TextWriterError.input(
        got: inputs.map { "\($0.elementType) \($0.shape)" }.joined(separator: ", "))
    }
    let expected: Shape = [input.shape[0], texts.tokens.count]
    guard model.outputShape == expected else {
      throw TextWriterError.output(expected: expected, got: model.outputShape)
    }
    (self.model, self.tokenizer) = (model, tokenizer)
    (length, tokenCount) = (input.shape[0], texts.tokens.count)
    try checkOrder()
  }

  /// Goes on with a text.
  ///
  /// - Parameters:
  ///   - prompt: The text to go on with; it isn't part of the result.
  ///   - count: How many tokens to write.
  ///   - temperature: What logits are divided by: below 1 the likely gets likelier; 0 takes the likeliest.
  ///   - topCount: How many of the likeliest tokens to draw from; nil for all.
  ///   - seed: The key of what is drawn: the same seed writes the same text.
  /// - Returns: The text that was written.
  /// - Throws: ``TextWriterError`` when the prompt has no tokens, or unknown ones.
  /// - Precondition: `count` and `topCount` are at least 1, `temperature` is finite and at least 0.
  public func text(
    after prompt: String, length count: Int, temperature: Double = 1, topCount: Int? = nil,
    seed: UInt64 = 0
  ) throws -> String {
    programmerError(
      unless: count >= 1 && topCount ?? 1 >= 1 && temperature.isFinite && temperature >= 0,
      "\(count) tokens of the best \(topCount ?? 1) at the temperature \(temperature)")
    let texts = tokenizer.texts
    var ids = tokenizer.ids(of: prompt)
    guard !ids.isEmpty else { throw TextWriterError.emptyPrompt }
    let unknown = ids.count { $0 == texts.unknown }
    guard unknown == 0 else { throw TextWriterError.unknownTokens(count: unknown, of: ids.count) }
    let start = ids.count
    let excluded = Set([texts.padding] + (texts.unknown.map { [$0] } ?? []))
    for step in 0..<count {
      let random = Philox(
        seed: seed, stream: Philox.Stream.writing, step: UInt32(truncatingIfNeeded: step))
      let logits = try logits(after: ids.suffix(length))
      ids.append(
        try choice(
          of: logits, temperature, topCount ?? .max, Double(random.uniform(0)), without: excluded))
    }
    return tokenizer.text(of: ids[start...])
  }

  /// The logits of the token after some, as many as the model sees at most.
  private func logits(after ids: ArraySlice<Int>) throws -> [Float] {
    let predictions = try predictions(for: [Array(ids)], filledBy: [0])
    let start = (ids.count - 1) * tokenCount
    return predictions.withElements(as: Float.self) { Array($0[start..<start + tokenCount]) }
  }

  private func predictions(for rows: [[Int]], filledBy fillers: [Int]) throws -> Tensor {
    let numbers = zip(rows, fillers).flatMap { row, filler in
      row + [Int](repeating: filler, count: length - row.count)
    }
    let shape: Shape = [rows.count, length]
    let batch =
      model.inputs[0].elementType == .int64
      ? Tensor(numbers.map { Int64($0) }, shape: shape)
      : Tensor(numbers.map { Int32($0) }, shape: shape)
    return try model.predict(batch)
  }

  /// Refuses a model whose prediction for a token depends on later ones, which are not there yet.
  private func checkOrder() throws {
    guard length > 1, tokenCount > 1 else { return }
    let own = Array(0..<max(length / 2, 1)).map { $0 % tokenCount }
    let values = try [0, tokenCount - 1].map { filler in
      try predictions(for: [own], filledBy: [filler]).withElements(as: Float.self) {
        Array($0[..<(own.count * tokenCount)])
      }
    }
    let isSame = zip(values[0], values[1]).allSatisfy { first, second in
      first == second || first.isNaN && second.isNaN
        || abs(first - second) <= 1e-4 * (1 + max(abs(first), abs(second)))
    }
    guard isSame else { throw TextWriterError.looksAhead }
  }

  /// A token drawn from the likeliest ones.
  private func choice(
    of logits: [Float], _ temperature: Double, _ topCount: Int, _ random: Double,
    without excluded: Set<Int>
  ) throws -> Int {
    guard logits.allSatisfy(\.isFinite) else { throw TextWriterError.notFinite }
    let ranked = logits.indices.filter { !excluded.contains($0) }
      .sorted { (-logits[$0], $0) < (-logits[$1], $1) }.prefix(topCount)
    guard let first = ranked.first else { throw TextWriterError.noTokens }
    guard temperature > 0 else { return first }
    let weights = ranked.map { exp((Double(logits[$0]) - Double(logits[first])) / temperature) }
    let goal = random * weights.reduce(0, +)
    var sum = 0.0
    for (id, weight) in zip(ranked, weights) {
      sum += weight
      if sum > goal { return id }
    }
    return first
  }
}

/// A model or a prompt from which nothing can be written.
public enum TextWriterError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The model doesn't say which tokens it knows, or knows none.
  case noTokens
  /// The model has other inputs than the ids of tokens.
  case input(got: String)
  /// The model predicts something else than logits of the next tokens.
  case output(expected: Shape, got: Shape)
  /// A prediction depends on later tokens.
  case looksAhead
  /// A prompt without tokens.
  case emptyPrompt
  /// A prompt with unknown tokens.
  case unknownTokens(count: Int, of: Int)
  /// A prediction that isn't finite.
  case notFinite

  /// What, expected, got and what to do.
  public var description: String {
    switch self {
    case .noTokens:
      "the model doesn't say which tokens it knows; give one that crest has trained on a text"
    case .input(let got):
      "a model that writes has one input, the ids of tokens, int64 [T]; got \(got)"
    case .output(let expected, let got):
      "a model that writes predicts the token after each, logits \(expected), got \(got); train one on a text, as gpt"
    case .looksAhead:
      "the model's predictions depend on later tokens, which aren't there yet when it writes; give a causal one, as gpt"
    case .emptyPrompt: "the prompt has no token; give a text to go on with"
    case .unknownTokens(let count, let all):
      "\(count) of the \(all) tokens of the prompt are unknown to the model; give a text like those it has learned"
    case .notFinite: "the model's predictions aren't finite; train it again"
    }
  }
}
