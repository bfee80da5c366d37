extension Preprocessing {
  /// How a text becomes ids of tokens: what a network has learned of words, and can't read without.
  public struct Texts: Sendable, Hashable {
    /// How a text is cut into tokens.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
      /// Every Unicode scalar is a token.
      case characters
      /// Runs of letters and digits are tokens, and so is every other character but white space.
      case words
      /// Pairs of bytes that were joined most often, as in GPT-2 (Sennrich and others 2016; Radford and others 2019).
      case bytePairs
      /// The longest known pieces of words, as in BERT (Schuster & Nakajima 2012; Devlin and others 2018).
      case wordPieces
    }

    /// How a text is changed before it is cut.
    public struct Normalization: Sendable, Hashable {
      /// Whether control characters are removed, and other white space becomes spaces.
      public var isCleaned = false
      /// Whether Chinese characters are words of their own.
      public var separatesIdeographs = false
      /// Whether accents are removed.
      public var stripsAccents = false
      /// Whether letters become small.
      public var lowercases = false

      /// A text as it is.
      public init() {}
    }

    /// How a text is cut.
    public let kind: Kind
    /// The tokens, by their ids.
    public let tokens: [String]
    /// Of byte pairs, what is joined, the most urgent first, as in `th e`; otherwise empty.
    public let merges: [String]
    /// How a text is changed before.
    public let normalization: Normalization
    /// Whether byte pairs see a space before the text.
    public let addsSpace: Bool
    /// What stands before a piece that goes on with a word; empty for other kinds.
    public let continuation: String
    /// The longest word that is cut into pieces, in characters; longer ones are unknown.
    public let wordLimit: Int
    /// The id that fills up short texts.
    public let padding: Int
    /// The id of what is no token; nil where every text has tokens.
    public let unknown: Int?
    /// The ids of tokens that are recognised as they stand in a text, before it is cut.
    public let added: [Int]
    /// The ids before a text that is to be classified.
    public let prefix: [Int]
    /// The ids after it.
    public let suffix: [Int]
    /// The tokens that a network sees at once.
    public let length: Int

    /// The lengths that there may be.
    package static let lengths = 1...(1 << 20)
    /// The most tokens.
    package static let tokenLimit = 1 << 20

    /// Texts with tokens from a file or a vocabulary; nil if they contradict each other.
    package init?(
      checking kind: Kind, tokens: [String], merges: [String] = [],
      normalization: Normalization = Normalization(), addsSpace: Bool = false,
      continuation: String = "", wordLimit: Int = 100, padding: Int, unknown: Int?,
      added: [Int] = [], prefix: [Int] = [], suffix: [Int] = [], length: Int
    ) {
      let ids = added + prefix + suffix + [padding] + (unknown.map { [$0] } ?? [])
      guard (1...Self.tokenLimit).contains(tokens.count), ids.allSatisfy(tokens.indices.contains),
        Set(tokens.lazy.map { Array($0.utf8) }).count == tokens.count,
        Self.lengths.contains(length), wordLimit >= 1,
        kind == .bytePairs || unknown != nil && unknown != padding,
        kind == .bytePairs || merges.isEmpty,
        merges.allSatisfy({ $0.utf8.lazy.filter { $0 == 0x20 }.count == 1 })
      else { return nil }
      (self.kind, self.tokens, self.merges) = (kind, tokens, merges)
      (self.normalization, self.addsSpace) = (normalization, addsSpace)
      (self.continuation, self.wordLimit) = (continuation, wordLimit)
      (self.padding, self.unknown, self.added) = (padding, unknown, added)
      (self.prefix, self.suffix, self.length) = (prefix, suffix, length)
    }

    /// The same texts, of which a network sees another number of tokens.
    ///
    /// - Precondition: `length` is at least 1 and at most 1,048,576.
    package func with(length: Int) -> Texts {
      guard
        let texts = Texts(
          checking: kind, tokens: tokens, merges: merges, normalization: normalization,
          addsSpace: addsSpace, continuation: continuation, wordLimit: wordLimit, padding: padding,
          unknown: unknown, added: added, prefix: prefix, suffix: suffix, length: length)
      else { programmerError("texts of \(length) tokens") }
      return texts
    }

    /// Whether `other` gives every text the same ids, whatever length of it a network sees.
    package func hasSameTokens(as other: Texts) -> Bool { with(length: 1) == other.with(length: 1) }
  }
}

extension Preprocessing {
  /// Of texts, whose ids are used as they are.
  package static func of(texts: Texts) -> Preprocessing {
    Preprocessing(layout: .asStored, divisor: 1, mean: [], standardDeviation: [], texts: texts)
  }
}

extension Preprocessing.Texts: CustomStringConvertible {
  /// As in `characters, 67 tokens, 64 at once`.
  public var description: String {
    let kind =
      switch self.kind {
      case .characters: "characters"
      case .words: "words"
      case .bytePairs: "byte pairs"
      case .wordPieces: "word pieces"
      }
    return "\(kind), \(tokens.count) tokens, \(length) at once"
  }
}

extension Preprocessing.Texts: Codable {
  /// The JSON in a model's file and in a checkpoint.
  package var json: String {
    func numbers(_ ids: [Int]) -> JSONValue { .list(ids.map { .integer($0) }) }
    return JSONValue.object([
      "kind": .text(kind.rawValue), "tokens": .list(tokens.map { .text($0) }),
      "merges": .list(merges.map { .text($0) }), "clean": .bool(normalization.isCleaned),
      "separateIdeographs": .bool(normalization.separatesIdeographs),
      "stripAccents": .bool(normalization.stripsAccents),
      "lowercase": .bool(normalization.lowercases), "addSpace": .bool(addsSpace),
      "continuation": .text(continuation), "wordLimit": .integer(wordLimit),
      "padding": .integer(padding), "unknown": unknown.map { .integer($0) } ?? .null,
      "added": numbers(added), "prefix": numbers(prefix), "suffix": numbers(suffix),
      "length": .integer(length),
    ]).json
  }

  /// What ``json`` writes, for messages.
  static let expectation =
    "a tokenizer's kind, tokens, merges, settings and ids in the range of its tokens"

  /// Reads what ``json`` wrote, with its keys in any order.
  ///
  /// - Throws: A fault if the text is anything else.
  package init(json: String) throws(JSONScanner.Fault) {
    let limits = JSONValue.Limits(depth: 2, count: 4_000_000, numbers: .asValues)
    guard case .object(let members) = try JSONValue(parsing: json, within: limits),
      members.count == 16, let found = Self(members)
    else { throw JSONScanner.Fault(offset: 0, expected: Self.expectation) }
    self = found
  }

  private init?(_ members: [String: JSONValue]) {
    func ids(_ key: String) -> [Int]? {
      guard case .list(let values) = members[key] else { return nil }
      let ids = values.compactMap(\.integer)
      return ids.count == values.count ? ids : nil
    }
    func flag(_ key: String) -> Bool? {
      if case .bool(let flag) = members[key] { flag } else { nil }
    }
    var normalization = Normalization()
    guard let kind = members["kind"]?.text.flatMap(Kind.init(rawValue:)),
      let tokens = members["tokens"]?.texts, let merges = members["merges"]?.texts,
      let isCleaned = flag("clean"), let separates = flag("separateIdeographs"),
      let strips = flag("stripAccents"), let lowercases = flag("lowercase"),
      let addsSpace = flag("addSpace"), let continuation = members["continuation"]?.text,
      let wordLimit = members["wordLimit"]?.integer, let padding = members["padding"]?.integer,
      let unknown = members["unknown"], unknown == .null || unknown.integer != nil,
      let added = ids("added"), let prefix = ids("prefix"), let suffix = ids("suffix"),
      let length = members["length"]?.integer
    else { return nil }
    normalization.isCleaned = isCleaned
    normalization.separatesIdeographs = separates
    normalization.stripsAccents = strips
    normalization.lowercases = lowercases
    self.init(
      checking: kind, tokens: tokens, merges: merges, normalization: normalization,
      addsSpace: addsSpace, continuation: continuation, wordLimit: wordLimit, padding: padding,
      unknown: unknown.integer, added: added, prefix: prefix, suffix: suffix, length: length)
  }

  /// Reads the texts of a checkpoint.
  ///
  /// - Throws: `DecodingError` if they are invalid.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do {
      self = try Self(json: container.decode(String.self))
    } catch let fault as JSONScanner.Fault {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(fault)")
    }
  }

  /// Writes them as one string of JSON.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(json)
  }
}
