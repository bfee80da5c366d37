import Crest

/// Texts of 64 tokens, of a vocabulary of 1000, into 4 classes.
let classifier = try Model(
  inputs: [Model.Input(name: "tokens", shape: [64], elementType: .int64)]
) { inputs in
  let isToken = try inputs[0].greater(than: inputs[0].scalar(0))
  var value = try LearnedPositions()(Embedding(1000, 128)(inputs[0]))
  let settings = TransformerSettings(heads: 4, dropout: 0.1, activation: .gelu)
  for _ in 0..<2 { value = try TransformerEncoderBlock(settings)(value, mask: isToken) }
  let counts = try isToken.cast(to: .float32).unsqueezed(axes: [2])
  let sum = try (LayerNorm()(value) * counts).sum(axes: [1])
  return try Dense(4)(sum / counts.sum(axes: [1]).maximum(sum.scalar(1)))
}

/// Series of 50 steps of 3 measurements into 2 classes.
let series = try Model(input: [50, 3]) {
  LSTM(64, layers: 2, bidirectional: true, dropout: 0.2)
  Dense(2)
}

/// How far two pictures are apart, by one network for both.
let tower = Shared {
  Conv2D(32, kernel: 3, stride: 2, padding: .same)
  GroupNorm(8)
  SiLU()
  GlobalAveragePool()
  Dense(16)
}
let distance = try Model(
  inputs: [.init(name: "left", shape: [1, 28, 28]), .init(name: "right", shape: [1, 28, 28])]
) { pictures in
  let difference = try tower(pictures[0]) - tower(pictures[1])
  return try (difference * difference).sum(axes: [1], keepingDimensions: true)
}

/// Next tokens, the output layer being the table of the input (tied embeddings).
let table = Shared(Embedding(256, 64, initializer: .normal(standardDeviation: 0.02)))
let language = try Model(
  inputs: [Model.Input(name: "tokens", shape: [32], elementType: .int64)]
) { inputs in
  var value = try LearnedPositions()(table(inputs[0]))
  for _ in 0..<4 {
    value = try TransformerEncoderBlock(.init(heads: 4, activation: .gelu), causal: true)(value)
  }
  return try table.logits(LayerNorm()(value))
}
