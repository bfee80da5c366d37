import Crest

/// An LSTM that predicts the next letter of names.
func nameLSTM(_ names: [String], epochs: Int) throws {
  let length = 12
  let letters = Set(names.joined()).sorted()
  let numbers = Dictionary(uniqueKeysWithValues: letters.enumerated().map { ($1, Int64($0 + 1)) })

  /// Names as numbers: 0 before the first letter and after the last.
  func examples(_ names: some Collection<String>, _ title: String) -> TensorExamples {
    let rows = names.map { name -> [Int64] in
      let known = name.prefix(length - 1).compactMap { numbers[$0] }
      return [0] + known + [Int64](repeating: 0, count: length - known.count)
    }
    let inputs = rows.flatMap { $0.prefix(length) }
    // What follows the end of a name doesn't count.
    let targets = rows.flatMap { row -> [Int64] in
      let end = row.dropFirst().firstIndex(of: 0) ?? length
      return row.indices.dropFirst().map { $0 <= end ? row[$0] : Int64(letters.count + 1) }
    }
    return TensorExamples(
      name: title, inputs: [("letters", Tensor(inputs, shape: [rows.count, length]))],
      targets: Tensor(targets, shape: [rows.count, length]),
      classNames: ["end"] + letters.map(String.init) + ["nothing"])
  }
  let border = names.count * 9 / 10
  let data = DataSplit(
    train: examples(names[..<border], "names"), valid: examples(names[border...], "other names"))

  let model = try Model(
    inputs: [Model.Input(name: "letters", shape: [length], elementType: .int64)]
  ) { inputs in
    let steps = try LSTM(128, output: .all)(Embedding(letters.count + 1, 32)(inputs[0]))
    return try Dense(letters.count + 2)(steps)
  }
  let nothing = letters.count + 1
  let learner = try Learner(
    model, data: data, loss: .crossEntropy(ignoredLabel: nothing, classAxis: 2),
    optimizer: Adam(), callbacks: .standard)
  try learner.fitOneCycle(epochs: epochs, maxLR: 5e-3)
  print("loss by letter:", try learner.evaluate().loss)
}
