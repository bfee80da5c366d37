import Crest
import Foundation

/// A transformer that predicts the next character of a text, measured on its last tenth.
func characterGPT(_ text: String, context: Int, epochs: Int) throws {
  let characters = Set(text).sorted()
  let numbers = Dictionary(uniqueKeysWithValues: characters.enumerated().map { ($1, Int64($0)) })
  let tokens = text.compactMap { numbers[$0] }
  let border = tokens.count * 9 / 10

  /// Pieces of the text, and the same one character later.
  func examples(_ part: Range<Int>, _ name: String) -> TensorExamples {
    let starts = stride(from: part.lowerBound, to: part.upperBound - context, by: context)
    func pieces(after offset: Int) -> Tensor {
      let all = starts.flatMap { tokens[$0 + offset..<$0 + offset + context] }
      return Tensor(all, shape: [all.count / context, context])
    }
    return TensorExamples(
      name: name, inputs: [("tokens", pieces(after: 0))], targets: pieces(after: 1),
      classNames: characters.map(String.init))
  }
  let data = DataSplit(
    train: examples(0..<border, "text"), valid: examples(border..<tokens.count, "its last tenth"))

  let start = Initializer.normal(standardDeviation: 0.02)
  let table = Shared(Embedding(characters.count, 96, initializer: start))
  let block = TransformerSettings(heads: 4, dropout: 0.1, activation: .gelu, initializer: start)
  let model = try Model(
    inputs: [Model.Input(name: "tokens", shape: [context], elementType: .int64)]
  ) { inputs in
    var value = try LearnedPositions()(table(inputs[0]))
    for _ in 0..<3 { value = try TransformerEncoderBlock(block, causal: true)(value) }
    return try table.logits(LayerNorm()(value))
  }

  let learner = try Learner(
    model, data: data, loss: .crossEntropy(classAxis: 2), optimizer: AdamW(weightDecay: 0.1),
    metrics: [Perplexity()], callbacks: [GradientClip()] + [any Callback].standard)
  try learner.fitOneCycle(epochs: epochs, maxLR: 3e-3)
  let bits = try Double(learner.evaluate().loss) / log(2)
  print("bits per character:", String(format: "%.3f", bits))

  var written = Array(tokens.prefix(context))
  for _ in 0..<60 {
    let logits = try model.predict(Tensor(Array(written.suffix(context)), shape: [1, context]))
    let last = logits.array(as: Float.self).suffix(characters.count)
    written.append(Int64(last.enumerated().max { $0.element < $1.element }?.offset ?? 0))
  }
  print(String(written.suffix(60).map { characters[Int($0)] }))
}
