import Crest
import Foundation

let textMisuses: [Misuse] = textDataMisuses + textModelMisuses

/// A file with a text of its own.
private func file(_ text: String, _ name: String) throws -> String {
  let path = FileManager.default.temporaryDirectory.appending(
    path: "\(UUID().uuidString)-\(name)"
  ).path(percentEncoded: false)
  try text.write(toFile: path, atomically: true, encoding: .utf8)
  return path
}

/// A text of its own in windows of two tokens.
private func text() throws -> DataSplit {
  try TextFile(file(String(repeating: "ab", count: 30), "a.txt"), length: 2).split()
}

private func table() throws -> DataSplit {
  let rows = String(repeating: "good,1\nbad,0\n", count: 10)
  return try TextTable(file("text,class\n" + rows, "a.csv"), text: "text", target: "class").split()
}

private func writer() throws -> TextWriter {
  let data = try text()
  return try TextWriter(TextModel.make("gpt", for: data, engine: oneThread()))
}

private let textDataMisuses: [Misuse] = [
  Misuse("text-file.length", says: "examples of 0 tokens") { _ = TextFile("a.txt", length: 0) },
  Misuse("text-file.fraction", says: "the fraction 1.0 is not between 0 and 1") {
    _ = try TextFile("a.txt").split(fraction: 1)
  },
  Misuse("text-table.length", says: "examples of -1 tokens") {
    _ = TextTable("a.csv", text: "a", target: "b", length: -1)
  },
  Misuse("text-file.write", says: "example 99 of ") {
    let data = try text().train
    var batch = Batch(zerosFor: data, count: 1)
    try data.write([99], into: &batch)
  },
  Misuse("text-table.write", says: "example 99 of 20") {
    guard let data = try table().whole else { return }
    var batch = Batch(zerosFor: data, count: 1)
    try data.write([99], into: &batch)
  },
  Misuse("tokenizer.length", says: "texts of 0 tokens") {
    _ = try Tokenizer(file: "tokenizer.json", length: 0)
  },
  Misuse("tokenizer.id", says: "token 9 of a tokenizer of 4") {
    guard let texts = try text().train.preprocessing.texts else { return }
    _ = try Tokenizer(texts).text(of: [2, 9])
  },
]

private let textModelMisuses: [Misuse] = [
  Misuse(
    "gpt.heads", says: "a GPT of 9 tokens, 4 blocks of 128, 3 heads and a dropout of 0.0"
  ) {
    _ = GPT(tokens: 9, heads: 3)
  },
  Misuse(
    "text-transformer.padding",
    says:
      "a TextTransformer of 9 tokens, padding 9, 2 classes, 2 blocks of 128, 4 heads and a dropout of 0.1"
  ) {
    _ = TextTransformer(tokens: 9, classes: 2, padding: 9)
  },
  Misuse(
    "text-lstm.units",
    says: "a TextLSTM of 9 tokens, padding 0, tokens, 2 layers of 0 over 64 and a dropout of 0.0"
  ) {
    _ = TextLSTM(tokens: 9, output: .tokens, units: 0)
  },
  Misuse("text-model.numbers", says: "examples has no texts for the model gpt") {
    _ = try TextModel.make("gpt", for: data())
  },
  Misuse("text-writer.length", says: "0 tokens of the best 1 at the temperature 1.0") {
    _ = try writer().text(after: "a", length: 0)
  },
  Misuse("text-writer.temperature", says: "3 tokens of the best 1 at the temperature -1.0") {
    _ = try writer().text(after: "a", length: 3, temperature: -1)
  },
]
