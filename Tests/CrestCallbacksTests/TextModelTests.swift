import CrestCallbacks
import CrestData
import CrestLayers
import CrestONNX
import CrestOptimizers
import CrestRuntime
import CrestState
import CrestTensor
import CrestTraining
import Foundation
import ProcessSupport
import Testing
import TrainingTestSupport

@Suite struct `Models of texts` {
  private static let folder = try? TemporaryFolder()

  /// A text that goes round, and its windows.
  private static func windows(length: Int) throws -> DataSplit {
    let folder = try #require(folder)
    let path = folder["round-\(UUID().uuidString).txt"].path
    try String(repeating: "abcdefgh", count: 60).write(
      toFile: path, atomically: true, encoding: .utf8)
    return try TextFile(path, length: length).split()
  }

  /// Texts whose class is their first letter.
  private static func table() throws -> DataSplit {
    let folder = try #require(folder)
    let path = folder["table-\(UUID().uuidString).csv"].path
    let rows = (0..<40).map { row in
      let first = row % 2 == 0 ? "a" : "b"
      return first + String(repeating: "xyz", count: row % 3) + ",\(first)"
    }
    try ("name,kind\n" + rows.joined(separator: "\n")).write(
      toFile: path, atomically: true, encoding: .utf8)
    return try TextTable(path, text: "name", target: "kind", cut: .characters).split()
  }

  @Test(arguments: ["gpt", "lstm"]) func `learn which token comes next, and write it`(
    name: String
  ) throws {
    // As many tokens as places: shapes alone don't say where classes lie.
    let data = try Self.windows(length: 10)
    let model = try TextModel.make(name, for: data, seed: 3)
    #expect(model.outputShape == [10, 10] && model.classAxis == 2)
    let learner = try Learner(
      model, data: data, optimizer: AdamW(), metrics: [Accuracy()], batchSize: 8)
    try learner.fitOneCycle(epochs: 12, maxLR: 0.01)
    let accuracy = try #require(try learner.evaluate()["accuracy"])
    #expect(accuracy > 0.95, "\(accuracy)")
    let writer = try TextWriter(model)
    let likeliest = try writer.text(after: "cde", length: 16, temperature: 0)
    #expect(likeliest == "fghabcdefghabcde")
    let drawn = try writer.text(after: "c", length: 30, temperature: 2, topCount: 4, seed: 7)
    #expect(
      drawn == (try writer.text(after: "c", length: 30, temperature: 2, topCount: 4, seed: 7)))
    #expect(
      drawn != (try writer.text(after: "c", length: 30, temperature: 2, topCount: 4, seed: 8)))
    #expect(drawn.count == 30 && drawn.allSatisfy { ("a"..."h").contains($0) })
    #expect(try writer.text(after: "c", length: 9, temperature: 9, topCount: 1) == "defghabcd")
    #expect(throws: TextWriterError.emptyPrompt) { try writer.text(after: "", length: 1) }
    #expect(throws: TextWriterError.unknownTokens(count: 2, of: 3)) {
      try writer.text(after: "axy", length: 1)
    }
    // What it has learned travels in an ONNX file.
    let file = try TemporaryFolder()
    try model.exportONNX(to: file["m.onnx"].path)
    let copy = try Model(onnx: file["m.onnx"].path)
    #expect(copy.preprocessing?.texts == data.train.preprocessing.texts)
    #expect(copy.classAxis == 2)
    #expect(try TextWriter(copy).text(after: "cde", length: 16, temperature: 0) == likeliest)
    let other = try Self.table()
    #expect(throws: (any Error).self) { try Learner(copy, data: other) }
  }

  @Test(arguments: ["text-transformer", "lstm"])
  func `learn the class of a text and see no padding`(
    name: String
  ) throws {
    let data = try Self.table()
    let model = try TextModel.make(name, for: data, seed: 1)
    #expect(model.outputShape == [2])
    let learner = try Learner(
      model, data: data, optimizer: AdamW(), metrics: [Accuracy()], batchSize: 8)
    try learner.fitOneCycle(epochs: 10, maxLR: 0.005)
    #expect(try learner.evaluate()["accuracy"] == 1)
    // a, and nothing but padding.
    let texts = try #require(data.train.preprocessing.texts)
    let a = try Int64(#require(texts.tokens.firstIndex(of: "a")))
    let ids = Tensor(
      [a] + [Int64](repeating: 0, count: texts.length - 1), shape: [1, texts.length])
    let before = try model.predict(ids)
    let entry = try #require(model.store.entry(named: "embedding.weight"))
    let table = model.store.value(of: entry)
    var numbers = table.array(as: Float.self)
    for place in 0..<table.shape[1] { numbers[place] += 5 }
    model.store.write(Tensor(numbers, shape: table.shape), to: entry)
    #expect(try model.predict(ids) == before)
    let folder = try TemporaryFolder()
    try model.exportONNX(to: folder["m.onnx"].path)
    let copy = try Model(onnx: folder["m.onnx"].path)
    #expect(copy.preprocessing?.texts == texts && copy.classNames == ["a", "b"])
    let (own, others) = (
      before.array(as: Float.self), try copy.predict(ids).array(as: Float.self)
    )
    #expect(zip(own, others).allSatisfy { abs($0 - $1) < 1e-4 }, "\(own) \(others)")
    #expect(throws: TextWriterError.output(expected: [texts.length, texts.tokens.count], got: [2]))
    {
      try TextWriter(model)
    }
  }

  @Test func `start as GPT-2's do`() throws {
    let data = try Self.windows(length: 16)
    let model = try TextModel.make("gpt", for: data, seed: 5)
    func deviation(_ name: String) throws -> Double {
      let values = try model.store.value(of: #require(model.store.entry(named: name))).doubles
      return (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
    }
    for (name, expected) in [
      ("embedding.weight", 0.02), ("positions.weight", 0.02),
      ("blocks.0.self_attn.in_proj_weight", 0.02), ("blocks.3.linear1.weight", 0.02),
      ("blocks.1.self_attn.out_proj.weight", 0.02 / 8.0.squareRoot()),
      ("blocks.2.linear2.weight", 0.02 / 8.0.squareRoot()),
    ] {
      let found = try deviation(name)
      #expect(abs(found / expected - 1) < 0.05, "\(name): \(found), expected \(expected)")
    }
    #expect(model.store.entry(named: "head.weight") == nil)
  }

  @Test func `resume at every batch to the same bits`() throws {
    let data = try Self.windows(length: 16)
    func learner() throws -> Learner {
      let learner = try Learner(
        TextModel.make("gpt", for: data, seed: 2), data: data, optimizer: AdamW(), batchSize: 8,
        seed: 4)
      learner.now = { .zero }
      return learner
    }
    let (states, end) = try learner().fitSavingStates(epochs: 2)
    #expect(states.count > 4)
    for (number, state) in states.enumerated() where number % 2 == 1 {
      #expect(try learner().fitResuming(from: state, path: "run", epochs: 2) == end)
    }
  }

  @Test func `that look ahead don't write`() throws {
    let data = try Self.windows(length: 6)
    let texts = try #require(data.train.preprocessing.texts)
    let model = try Model(
      inputs: [Model.Input(name: "tokens", shape: [6], elementType: .int64)]
    ) { inputs in
      let hidden = try Embedding(texts.tokens.count, 8)(inputs[0])
      let seen = try TransformerEncoderBlock(TransformerSettings(heads: 2))(hidden)
      return try Dense(texts.tokens.count)(seen)
    }
    #expect(throws: TextWriterError.noTokens) { try TextWriter(model) }
    model.preprocessing = data.train.preprocessing
    #expect(throws: TextWriterError.looksAhead) { try TextWriter(model) }
  }

  @Test func `of other names or for other targets are refused`() throws {
    let data = try Self.windows(length: 6)
    let texts = try #require(data.train.preprocessing.texts)
    let cases: [(String, Int?, ModelError, String)] = [
      (
        "bert", nil, .unknownTextModel("bert"),
        "model for texts: expected one of gpt, text-transformer, lstm, got \"bert\""
      ),
      (
        "gpt", 2, .otherTextModel("gpt", isForClasses: true),
        "model gpt predicts the next token, but the data have a class for each text; choose one of text-transformer, lstm"
      ),
      (
        "text-transformer", nil, .otherTextModel("text-transformer", isForClasses: false),
        "model text-transformer predicts a class of a text, but the data have the next tokens as targets; choose one of "
          + "gpt, lstm"
      ),
      ("lstm", 0, .classCount(0), "model: expected at least 1 class, got 0"),
    ]
    for (name, classes, error, message) in cases {
      #expect(throws: error) { try TextModel.make(name, for: texts, classes: classes) }
      #expect("\(error)" == message)
    }
  }

  @Test func `say what they can't write from`() {
    let messages: [(TextWriterError, String)] = [
      (
        .noTokens,
        "the model doesn't say which tokens it knows; give one that crest has trained on a text"
      ),
      (
        .input(got: "float32 [4]"),
        "a model that writes has one input, the ids of tokens, int64 [T]; got float32 [4]"
      ),
      (
        .output(expected: [4, 9], got: [2]),
        "a model that writes predicts the token after each, logits [4, 9], got [2]; train one on a text, as gpt"
      ),
      (
        .looksAhead,
        "the model's predictions depend on later tokens, which aren't there yet when it writes; give a causal one, as "
          + "gpt"
      ),
      (.emptyPrompt, "the prompt has no token; give a text to go on with"),
      (
        .unknownTokens(count: 1, of: 3),
        "1 of the 3 tokens of the prompt are unknown to the model; give a text like those it has learned"
      ),
      (.notFinite, "the model's predictions aren't finite; train it again"),
    ]
    for (error, message) in messages { #expect("\(error)" == message) }
  }
}
