import Crest

/// One network for two digits, which says whether they are the same.
func siameseDigits(pairCount: Int, epochs: Int) throws {
  let digits = try DataSource.digits.load()

  /// Pairs of examples of a part, half of them of one class.
  func pairs(of part: any Dataset, count: Int, seed: UInt64) throws -> TensorExamples {
    let labels = part.labels ?? []
    let random = Philox(seed: seed, stream: 1)
    let places = Dictionary(grouping: labels.indices) { labels[$0] }
    var (left, right, same): ([Int], [Int], [Float]) = ([], [], [])
    for pair in 0..<count {
      let first = Int(random.uniform(UInt64(3 * pair)) * Float(labels.count))
      let others = pair % 2 == 0 ? places[labels[first]] ?? [] : Array(labels.indices)
      let second = others[Int(random.uniform(UInt64(3 * pair + 1)) * Float(others.count))]
      left.append(first)
      right.append(second)
      same.append(labels[first] == labels[second] ? 1 : 0)
    }
    func images(_ places: [Int]) throws -> Tensor {
      var batch = Batch(zerosFor: part, count: count)
      try part.write(places[...], into: &batch)
      return batch.inputs[0]
    }
    return try TensorExamples(
      name: "pairs", inputs: [("left", images(left)), ("right", images(right))],
      targets: Tensor(same, shape: [count, 1]))
  }
  let data = try DataSplit(
    train: pairs(of: digits.train, count: pairCount, seed: 1),
    valid: pairs(of: digits.valid, count: 600, seed: 2))

  let tower = Shared {
    Conv2D(32, kernel: 3, padding: .same)
    GroupNorm(8)
    SiLU()
    MaxPool(2)
    Flatten()
    Dense(32)
  }
  let model = try Model(
    inputs: ["left", "right"].map { Model.Input(name: $0, shape: [1, 8, 8]) }
  ) { digits in
    let difference = try tower(digits[0]) - tower(digits[1])
    // A small distance is a large logit.
    return try Dense(1)((difference * difference).sum(axes: [1], keepingDimensions: true))
  }
  let learner = try Learner(
    model, data: data, loss: .binaryCrossEntropy, optimizer: Adam(), metrics: [BinaryAccuracy()],
    callbacks: .standard)
  try learner.fitOneCycle(epochs: epochs, maxLR: 5e-3)
  print("accuracy:", try learner.evaluate()["accuracy"] ?? Double.nan)
}
