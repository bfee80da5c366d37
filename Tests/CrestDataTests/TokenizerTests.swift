import CrestData
import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// Where `make_tokenizers.py` wrote.
private let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().appending(path: "Fixtures/tokenizers")

@Suite struct `A tokenizer` {
  struct Case: Decodable, CustomTestStringConvertible {
    let tokenizer: String
    let text: String
    let ids: [Int]
    let full: [Int]
    let decoded: String

    var testDescription: String { "\(tokenizer): \(text)" }
  }

  static let cases: [Case] =
    (try? JSONDecoder().decode(
      [Case].self, from: Data(contentsOf: fixtures.appending(path: "cases.json")))) ?? []

  @Test func `has cases`() { #expect(Self.cases.count == 48) }

  @Test(arguments: cases) func `cuts and joins texts as Hugging Face's library`(row: Case) throws {
    let path = fixtures.appending(path: "\(row.tokenizer).json").path
    let tokenizer = try Tokenizer(file: path, length: 256)
    #expect(tokenizer.ids(of: row.text) == row.ids)
    #expect(tokenizer.boundedIDs(of: row.text).ids.map { Int($0) } == row.full)
    #expect(tokenizer.text(of: row.ids) == row.decoded)
    // What travels with a model is the whole tokenizer.
    let copy = try Tokenizer(Preprocessing.Texts(json: tokenizer.texts.json))
    #expect(copy.texts == tokenizer.texts)
    #expect(copy.ids(of: row.text) == row.ids)
  }

  @Test func `keeps what stands around a text that is cut off`() throws {
    let path = fixtures.appending(path: "word-pieces.json").path
    let tokenizer = try Tokenizer(file: path, length: 5)
    let whole = tokenizer.ids(of: "lower the tower and shower")
    let (ids, cut) = tokenizer.boundedIDs(of: "lower the tower and shower")
    #expect(ids.map { Int($0) } == [2] + whole.prefix(3) + [3])
    #expect(cut == whole.count - 3 && cut > 0)
  }

  @Test func `of byte pairs without padding gets some`() throws {
    let path = fixtures.appending(path: "byte-pairs.json").path
    let texts = try Tokenizer(file: path, length: 8).texts
    #expect(texts.padding == texts.tokens.count - 1 && texts.tokens.last == "[PAD]")
    #expect(texts.unknown == nil && texts.added == [0])
  }

  @Test func `of words takes letters, digits and joined apostrophes together`() throws {
    let texts = try #require(
      Preprocessing.Texts(
        checking: .words, tokens: ["[PAD]", "[UNK]", "don't", "stop", "é", "!", "’"],
        normalization: {
          var normalization = Preprocessing.Texts.Normalization()
          normalization.lowercases = true
          return normalization
        }(), padding: 0, unknown: 1, length: 4))
    let tokenizer = try Tokenizer(texts)
    #expect(tokenizer.ids(of: "Don't  STOP!\né ’e\u{301}") == [2, 3, 5, 4, 6, 1])
    #expect(tokenizer.text(of: [2, 3, 5, 0, 1]) == "don't stop ! \u{FFFD}")
  }

  // MARK: Files that lie

  private static let pieces = """
    {"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":0,"content":"[UNK]","normalized":false}],
    "normalizer":{"type":"BertNormalizer","lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},
    "post_processor":null,"decoder":null,
    "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##",
    "max_input_chars_per_word":100,"vocab":{"[UNK]":0,"a":1,"##b":2}}}
    """

  static let refused: [(from: String, to: String, reason: String)] = [
    ("{\"version\"", "[\"version\"", "it is not JSON at byte 10: expected ']'"),
    (
      "\"type\":\"WordPiece\"", "\"type\":\"Unigram\"",
      "its model is \"Unigram\", expected \"BPE\" of bytes or \"WordPiece\""
    ),
    (
      "\"type\":\"WordPiece\",", "",
      "its model is of no type, expected \"BPE\" of bytes or \"WordPiece\""
    ),
    (
      "BertPreTokenizer", "Metaspace",
      "its pre_tokenizer is \"Metaspace\", expected \"BertPreTokenizer\""
    ),
    (
      "{\"type\":\"BertPreTokenizer\"}", "null",
      "its pre_tokenizer is none, expected \"BertPreTokenizer\""
    ),
    (
      "BertNormalizer", "NFKC", "its normalizer is \"NFKC\", expected \"BertNormalizer\" or none"
    ),
    (
      "\"lowercase\":true", "\"lowercase\":1",
      "\"normalizer.lowercase\" is 1, expected true or false"
    ),
    (
      "\"normalized\":false", "\"normalized\":true",
      "the added token \"[UNK]\" is \"normalized\", which isn't supported beside a normalizer"
    ),
    (
      "\"normalized\":false", "\"lstrip\":true",
      "the added token \"[UNK]\" has \"lstrip\", which isn't supported"
    ),
    (
      "{\"id\":0,\"content\"", "{\"id\":1,\"content\"",
      "the token \"[UNK]\" has the ids 0 and 1, expected one"
    ),
    ("\"a\":1", "\"a\":2", "the tokens \"##b\" and \"a\" have the id 2, expected one each"),
    (
      "\"a\":1", "\"a\":7",
      "the token \"a\" has the id 7, expected the 3 tokens to have 0 to 2"
    ),
    ("\"a\":1", "\"a\":-1", "the token \"a\" has the id -1, expected a number from 0 up"),
    ("\"a\":1", "\"a\":1.5", "the token \"a\" has the id 1.5, expected a number from 0 up"),
    (
      "\"unk_token\":\"[UNK]\"", "\"unk_token\":\"?\"", "its unk_token \"?\" is no token"
    ),
    ("\"unk_token\":\"[UNK]\",", "", "its model has no unk_token"),
    (
      "\"padding\":null", "\"padding\":{\"pad_id\":9}",
      "the id of its padding is that of no token"
    ),
    (
      "\"padding\":null", "\"padding\":{\"pad_id\":0}",
      "its tokens contradict each other, expected different ones, and other ids for padding and the unknown"
    ),
    (
      "\"post_processor\":null", "\"post_processor\":{\"type\":\"RobertaProcessing\"}",
      "its post_processor is \"RobertaProcessing\", expected \"TemplateProcessing\", \"BertProcessing\", "
        + "\"ByteLevel\" or none"
    ),
    (
      "\"post_processor\":null",
      "\"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",3],\"cls\":[\"[CLS]\",2]}",
      "its post_processor adds \"[CLS]\", which is no token"
    ),
    (
      "\"post_processor\":null",
      "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"a\"}}]}",
      "its post_processor has a template without the text"
    ),
    ("\"vocab\":{", "\"vocab\":[],\"v\":{", "\"model.vocab\" is no object"),
  ]

  @Test(arguments: refused.indices) func `of a file that lies is refused`(row: Int) throws {
    let (from, to, reason) = Self.refused[row]
    #expect(Self.pieces.contains(from))
    try Self.expectRefusal(of: Self.pieces.replacingOccurrences(of: from, with: to), reason)
  }

  static let refusedPairs: [(from: String, to: String, reason: String)] = [
    (
      "\"pre_tokenizer\":{\"type\":\"ByteLevel\"", "\"pre_tokenizer\":{\"type\":\"Sequence\"",
      "its pre_tokenizer is \"Sequence\", expected \"ByteLevel\""
    ),
    (
      "\"normalizer\":null", "\"normalizer\":{\"type\":\"NFC\"}",
      "its normalizer is \"NFC\", expected none"
    ),
    (
      "\"use_regex\":true", "\"use_regex\":false",
      "its pre_tokenizer has \"use_regex\": false, which isn't supported; expected byte pairs as of GPT-2"
    ),
    (
      "\"byte_fallback\":false", "\"byte_fallback\":true",
      "its model has \"byte_fallback\", which isn't supported; expected byte pairs as of GPT-2"
    ),
    (
      "\"end_of_word_suffix\":null", "\"end_of_word_suffix\":\"</w>\"",
      "its model has \"end_of_word_suffix\", which isn't supported; expected byte pairs as of GPT-2"
    ),
    (
      "\"merges\":[", "\"merges\":[[\"t\",\"zz\"],",
      "merge 0 is \"t zz\", expected two tokens that give a third"
    ),
    ("\"merges\":[", "\"merges\":[\"t h e\",", "merge 0 is \"t h e\", expected two tokens"),
    ("\"merges\":[", "\"merges\":[[\"t\"],", "merge 0 is [\"t\"], expected two tokens"),
    ("\"merges\":[", "\"m\":[", "its model has no merges"),
    (
      "\"!\":1,", "\"!!\":1,",
      "the byte 33 has no token, expected \"!\" among them, as of a byte-level tokenizer"
    ),
  ]

  @Test(arguments: refusedPairs.indices) func `of byte pairs that lie is refused`(row: Int) throws {
    let (from, to, reason) = Self.refusedPairs[row]
    let pairs = try String(
      contentsOf: fixtures.appending(path: "byte-pairs.json"), encoding: .utf8)
    #expect(pairs.contains(from))
    let changed = pairs.replacingOccurrences(of: from, with: to)
    try Self.expectRefusal(of: changed, reason)
  }

  private static func expectRefusal(of text: String, _ reason: String) throws {
    let folder = try TemporaryFolder()
    try text.write(to: folder["t.json"], atomically: true, encoding: .utf8)
    let path = folder["t.json"].path
    #expect(throws: DataError.tokenizer(name: path, reason: reason)) {
      try Tokenizer(file: path, length: 8)
    }
  }

  @Test func `that isn't a file's is refused`() throws {
    let folder = try TemporaryFolder()
    let path = folder["none.json"].path
    #expect(throws: DataError.unreadable(path: path, reason: "No such file or directory")) {
      try Tokenizer(file: path, length: 8)
    }
  }

  @Test(arguments: [
    "{}", "[]", "\"\"", "{\"kind\":\"words\"}", "nonsense",
    #"{"kind":"words","tokens":["a","b"],"merges":[],"clean":false,"separateIdeographs":false,"stripAccents":false,"#
      + #""lowercase":false,"addSpace":false,"continuation":"","wordLimit":1,"padding":0,"unknown":2,"added":[],"#
      + #""prefix":[],"suffix":[],"length":4}"#,
    #"{"kind":"words","tokens":["a","a"],"merges":[],"clean":false,"separateIdeographs":false,"stripAccents":false,"#
      + #""lowercase":false,"addSpace":false,"continuation":"","wordLimit":1,"padding":0,"unknown":1,"added":[],"#
      + #""prefix":[],"suffix":[],"length":4}"#,
    #"{"kind":"words","tokens":["a","b"],"merges":[],"clean":false,"separateIdeographs":false,"stripAccents":false,"#
      + #""lowercase":false,"addSpace":false,"continuation":"","wordLimit":1,"padding":0,"unknown":1,"added":[],"#
      + #""prefix":[],"suffix":[],"length":0}"#,
  ]) func `of a model that lies is refused`(json: String) {
    #expect(throws: JSONScanner.Fault.self) { try Preprocessing.Texts(json: json) }
  }
}
