import CrestData
import CrestTensor
import Foundation
import ProcessSupport
import Testing

@Suite struct `A file of text` {
  private static func file(_ bytes: [UInt8]) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try Data(bytes).write(to: folder["book.txt"])
    return folder
  }

  @Test func `becomes windows and the tokens that follow`() throws {
    // 30 characters: 24 for training, 6 for validation, which alone has an x.
    let folder = try Self.file(Array("abcabcabcabcabcabcabcabcabxabc".utf8))
    let path = folder["book.txt"].path
    let split = try TextFile(path, length: 5).split(fraction: 0.2)
    #expect(split.origin == .lastPart)
    // Padding, the unknown, a, b, c.
    #expect(split.train.target == .classes(names: ["[PAD]", "[UNK]", "a", "b", "c"], shape: [5]))
    #expect(split.train.inputs == [Field(name: "tokens", elementType: .int64, shape: [5])])
    #expect(split.train.count == 4 && split.valid.count == 1)
    let batch = try split.train.batch([1, 3])
    #expect(batch.inputs[0].array(as: Int64.self) == [4, 2, 3, 4, 2, 2, 3, 4, 2, 3])
    #expect(batch.targets.array(as: Int64.self) == [2, 3, 4, 2, 3, 3, 4, 2, 3, 4])
    let held = try split.valid.batch([0])
    #expect(held.inputs[0].array(as: Int64.self) == [2, 3, 1, 2, 3])
    #expect(held.targets.array(as: Int64.self) == [3, 1, 2, 3, 4])
    #expect(
      split.notes.map(\.description) == [
        "\(path) has 24 tokens for training and, at its end, 6 for validation (characters, 5 tokens, 5 at once); "
          + "1 of them are unknown"
      ])
    #expect(split.train.fingerprint != split.valid.fingerprint)
    #expect(
      split.train.fingerprint
        == (try TextFile(path, length: 5).split(fraction: 0.2)).train.fingerprint)
    let all = try TextFile(path, length: 5).split(divides: false)
    #expect(all.origin == .trainingExamples && all.train.count == 5)
  }

  @Test func `is cut as a model knows`() throws {
    let folder = try Self.file(Array("cab cab cab cab".utf8))
    let texts = try #require(
      Preprocessing.Texts(
        checking: .characters, tokens: ["[PAD]", "[UNK]", "a", "b"], padding: 0, unknown: 1,
        length: 2))
    let split = try TextFile(folder["book.txt"].path, cut: .known(texts)).split(fraction: 0.3)
    #expect(split.train.preprocessing.texts == texts)
    #expect(try split.train.batch([0]).inputs[0].array(as: Int64.self) == [1, 2])
  }

  @Test func `keeps scalars that canonically are one apart`() throws {
    let folder = try Self.file(Array("e\u{301}é e\u{301}é e\u{301}é e\u{301}é".utf8))
    let split = try TextFile(folder["book.txt"].path, length: 1).split(fraction: 0.2)
    #expect(split.train.target.classNames?.count == 6)
  }

  static let refused: [(bytes: [UInt8], problem: @Sendable (String) -> DataError)] = [
    (
      [], { .shortText(path: $0, part: "training", count: 0, length: 4) }
    ),
    (
      Array("abcde".utf8), { .shortText(path: $0, part: "training", count: 4, length: 4) }
    ),
    (
      Array("abcdefghijk".utf8), { .shortText(path: $0, part: "validation", count: 3, length: 4) }
    ),
    (
      Array("a\nbé".utf8) + [0xC3, 0x28] + Array("c\n".utf8),
      {
        .notText(
          path: $0, line: 2, byte: 4, reason: "bytes that aren't UTF-8; save the file as that")
      }
    ),
    (
      Array("abc".utf8) + [0xE2, 0x82],
      {
        .notText(
          path: $0, line: 1, byte: 4, reason: "bytes that aren't UTF-8; save the file as that")
      }
    ),
    (
      [0xEF, 0xBB, 0xBF, 0x80],
      {
        .notText(
          path: $0, line: 1, byte: 4, reason: "bytes that aren't UTF-8; save the file as that")
      }
    ),
    (
      [0xFF, 0xFE, 0x61, 0],
      {
        .notText(
          path: $0, line: 1, byte: 1,
          reason: "the text is UTF-16, expected UTF-8; save it as that")
      }
    ),
    (
      Array("a\nb\0".utf8),
      { .notText(path: $0, line: 2, byte: 2, reason: "a NUL byte, expected text") }
    ),
  ]

  @Test(arguments: refused.indices) func `is refused where it can't be learned from`(row: Int)
    throws
  {
    let (bytes, problem) = Self.refused[row]
    let folder = try Self.file(bytes)
    let path = folder["book.txt"].path
    #expect(throws: problem(path)) { try TextFile(path, length: 4).split(fraction: 0.2) }
  }

  @Test func `is as long as its byte order mark isn't`() throws {
    let folder = try Self.file([0xEF, 0xBB, 0xBF] + Array("abababababab".utf8))
    let split = try TextFile(folder["book.txt"].path, length: 1).split(fraction: 0.5)
    #expect(split.train.target.classNames == ["[PAD]", "[UNK]", "a", "b"])
  }
}

@Suite struct `A table of texts` {
  private static func table(_ text: String, name: String = "a.csv") throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try text.write(to: folder[name], atomically: true, encoding: .utf8)
    return folder
  }

  private static let reviews =
    "id,review,stars\n"
    + (0..<10).map { "\($0),\"good, good film \($0)\",10\n\($0),bad film,9\n" }.joined()

  @Test func `becomes ids of one length and classes`() throws {
    let folder = try Self.table(Self.reviews)
    let path = folder["a.csv"].path
    let split = try TextTable(path, text: "review", target: "stars").split()
    #expect(split.origin == .drawnPart && split.train.count == 16 && split.valid.count == 4)
    #expect(split.train.target == .classes(names: ["9", "10"], shape: []))
    #expect(split.train.inputs == [Field(name: "tokens", elementType: .int64, shape: [5])])
    let texts = try #require(split.train.preprocessing.texts)
    // By descending frequency; numbers occur once.
    #expect(texts.tokens == ["[PAD]", "[UNK]", "film", "good", ",", "bad"])
    let batch = try #require(split.whole).batch([0, 1])
    #expect(batch.inputs[0].array(as: Int64.self) == [3, 4, 3, 2, 1, 5, 2, 0, 0, 0])
    #expect(batch.targets.array(as: Int64.self) == [1, 0])
    #expect(
      split.notes.map(\.description) == [
        "\(path) has 20 texts of 2 classes (9, 10) (words, 6 tokens, 5 at once); 10 of 70 tokens are unknown"
      ])
  }

  @Test func `counts the texts that lose their ends`() throws {
    let folder = try Self.table(Self.reviews)
    let path = folder["a.csv"].path
    let split = try TextTable(path, text: "review", target: "stars", length: 2).split()
    #expect(try #require(split.whole).batch([0]).inputs[0].array(as: Int64.self) == [3, 4])
    #expect(
      split.notes[0].description.contains("; 10 lose their ends, which --sequence-length prevents"))
  }

  @Test func `may have tabs, characters and names as classes`() throws {
    let rows = (0..<5).map { _ in "ab\tyes\nba\tno\n" }.joined()
    let folder = try Self.table("name\tsex\n" + rows, name: "a.tsv")
    let split = try TextTable(folder["a.tsv"].path, text: "name", target: "sex", cut: .characters)
      .split()
    #expect(split.train.target.classNames == ["no", "yes"])
    #expect(split.train.preprocessing.texts?.tokens == ["[PAD]", "[UNK]", "a", "b"])
  }

  static let refused: [(text: String, problem: @Sendable (String) -> DataError)] = [
    ("", { .noExamples(path: $0) }),
    ("review,stars\n", { .noExamples(path: $0) }),
    (
      "text,stars\na,1\n", { .noColumn(path: $0, name: "review", known: ["text", "stars"]) }
    ),
    (
      "review,stars,review\na,1,b\n",
      {
        .malformedTable(
          path: $0, line: 1, column: 3, reason: "the column \"review\" again; rename one of them")
      }
    ),
    (
      "review,stars\na,1\nb,\n",
      {
        .malformedTable(
          path: $0, line: 3, column: 2, reason: "no class; remove the row, or give it one")
      }
    ),
    (
      "review,stars\na,1\nb,1\n",
      {
        .malformedTable(
          path: $0, line: 2, column: 2,
          reason: "every row has the class \"1\", expected two classes or more")
      }
    ),
    (
      "review,stars\na,1\n\" \",2\na,1\na,2\na,1\n",
      {
        .malformedTable(
          path: $0, line: 3, column: 1, reason: "the text has no token; remove the row")
      }
    ),
    (
      "review,stars\na,1,2\n",
      {
        .malformedTable(
          path: $0, line: 2, column: nil, reason: "3 cells, expected 2 as in the first row")
      }
    ),
  ]

  @Test(arguments: refused.indices) func `is refused with line and column`(row: Int) throws {
    let (text, problem) = Self.refused[row]
    let folder = try Self.table(text)
    let path = folder["a.csv"].path
    #expect(throws: problem(path)) {
      try TextTable(path, text: "review", target: "stars").split()
    }
  }
}
