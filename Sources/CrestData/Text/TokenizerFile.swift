import CrestTensor

extension Tokenizer {
  /// The most bytes of a file with a tokenizer.
  static let fileLimit = 256 << 20

  /// The tokenizer of a `tokenizer.json` of Hugging Face's library: byte pairs as of GPT-2, or word pieces as of BERT.
  ///
  /// A file without a token for padding gets `[PAD]` after its last token. Its own limits of length are left out of
  /// account.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - length: The tokens that a network sees at once.
  /// - Throws: ``DataError/tokenizer(name:reason:)`` when it is of another kind or contradicts itself;
  ///   ``DataError/unreadable(path:reason:)`` and the like.
  /// - Precondition: `length` is at least 1 and at most 1,048,576.
  public init(file path: String, length: Int) throws(DataError) {
    programmerError(
      unless: Preprocessing.Texts.lengths.contains(length), "texts of \(length) tokens")
    let bytes = try TextReader.bytes(of: path, limit: Self.fileLimit)
    let limits = JSONValue.Limits(depth: 16, count: 8_000_000, numbers: .asValues)
    let parsed = bytes.withUnsafeBytes { bytes in
      Result { () throws(JSONScanner.Fault) in try JSONValue(parsing: bytes, within: limits) }
    }
    switch parsed {
    case .failure(let fault): throw .tokenizer(name: path, reason: "\(fault)")
    case .success(let json):
      try self.init(try TokenizerFile(path, json).texts(length: length), name: path)
    }
  }
}

/// What a `tokenizer.json` says.
private struct TokenizerFile {
  private let path: String
  private let members: [String: JSONValue]

  init(_ path: String, _ json: JSONValue) throws(DataError) {
    guard case .object(let members) = json else {
      throw .tokenizer(name: path, reason: "it is no JSON object, expected a tokenizer")
    }
    (self.path, self.members) = (path, members)
  }

  func texts(length: Int) throws(DataError) -> Preprocessing.Texts {
    let model = try object(members["model"], "model")
    let kind = try kind(of: model)
    var tokens = try tokens(of: model)
    let added = try addedTokens(&tokens)
    var texts = try list(of: tokens)
    try check(kind)
    let padding = try padding(&texts, added)
    let unknown = try unknown(model, kind, tokens)
    let (prefix, suffix) = try surroundings(tokens)
    let result = Preprocessing.Texts(
      checking: kind, tokens: texts,
      merges: kind == .bytePairs ? try merges(of: model) : [],
      normalization: try normalization(kind), addsSpace: try addsSpace(kind),
      continuation: kind == .wordPieces ? try text(model, "continuing_subword_prefix") ?? "##" : "",
      wordLimit: model["max_input_chars_per_word"]?.integer ?? 100, padding: padding,
      unknown: unknown, added: added.map(\.id), prefix: prefix, suffix: suffix, length: length)
    guard let result else {
      throw wrong(
        "its tokens contradict each other, expected different ones, and other ids for padding and the unknown"
      )
    }
    return result
  }

  private func wrong(_ reason: String) -> DataError { .tokenizer(name: path, reason: reason) }

  // MARK: Kinds

  private func type(of key: String) throws(DataError) -> String? {
    guard let value = members[key], value != .null else { return nil }
    guard case .object(let object) = value, let type = object["type"]?.text else {
      throw wrong("\"\(key)\" has no type")
    }
    return type
  }

  private func kind(of model: [String: JSONValue]) throws(DataError) -> Preprocessing.Texts.Kind {
    switch model["type"]?.text {
    case "BPE": return .bytePairs
    case "WordPiece": return .wordPieces
    case let other:
      throw wrong(
        "its model is \(other.map { "\"\($0)\"" } ?? "of no type"), expected \"BPE\" of bytes or \"WordPiece\""
      )
    }
  }

  /// Refuses what cuts texts in ways that Crest doesn't.
  private func check(_ kind: Preprocessing.Texts.Kind) throws(DataError) {
    let cuts = kind == .bytePairs ? "ByteLevel" : "BertPreTokenizer"
    let found = try type(of: "pre_tokenizer")
    guard found == cuts else {
      throw wrong(
        "its pre_tokenizer is \(found.map { "\"\($0)\"" } ?? "none"), expected \"\(cuts)\"")
    }
    let normalizer = try type(of: "normalizer")
    let isKnown = normalizer == nil || kind == .wordPieces && normalizer == "BertNormalizer"
    guard isKnown else {
      throw wrong(
        "its normalizer is \"\(normalizer ?? "")\", expected "
          + (kind == .bytePairs ? "none" : "\"BertNormalizer\" or none"))
    }
    guard kind == .bytePairs else { return }
    let model = try object(members["model"], "model")
    for (key, isOn) in [
      ("dropout", model["dropout"]?.number ?? 0 != 0),
      ("continuing_subword_prefix", !(model["continuing_subword_prefix"]?.text ?? "").isEmpty),
      ("end_of_word_suffix", !(model["end_of_word_suffix"]?.text ?? "").isEmpty),
      ("byte_fallback", model["byte_fallback"] == .bool(true)),
      ("ignore_merges", model["ignore_merges"] == .bool(true)),
    ] where isOn {
      throw wrong(
        "its model has \"\(key)\", which isn't supported; expected byte pairs as of GPT-2")
    }
    if case .object(let cutter) = members["pre_tokenizer"], cutter["use_regex"] == .bool(false) {
      throw wrong(
        "its pre_tokenizer has \"use_regex\": false, which isn't supported; expected byte pairs as of GPT-2"
      )
    }
  }

  // MARK: Tokens

  private func tokens(of model: [String: JSONValue]) throws(DataError) -> [[UInt8]: Int] {
    var tokens: [[UInt8]: Int] = [:]
    for (token, id) in try object(model["vocab"], "model.vocab") {
      guard let id = id.integer, id >= 0 else {
        throw wrong("the token \"\(token)\" has the id \(id.json), expected a number from 0 up")
      }
      tokens[Array(token.utf8)] = id
    }
    return tokens
  }

  private func addedTokens(
    _ tokens: inout [[UInt8]: Int]
  ) throws(DataError) -> [(text: String, id: Int)] {
    guard let value = members["added_tokens"], value != .null else { return [] }
    guard case .list(let entries) = value else { throw wrong("\"added_tokens\" is no list") }
    let hasNormalizer = try type(of: "normalizer") != nil
    var added: [(text: String, id: Int)] = []
    for entry in entries {
      let entry = try object(entry, "added_tokens")
      guard let text = entry["content"]?.text, !text.isEmpty, let id = entry["id"]?.integer, id >= 0
      else { throw wrong("an added token has no content or no id") }
      for key in ["single_word", "lstrip", "rstrip"] where entry[key] == .bool(true) {
        throw wrong("the added token \"\(text)\" has \"\(key)\", which isn't supported")
      }
      if hasNormalizer, entry["normalized"] == .bool(true) {
        throw wrong(
          "the added token \"\(text)\" is \"normalized\", which isn't supported beside a normalizer"
        )
      }
      if let known = tokens.updateValue(id, forKey: Array(text.utf8)), known != id {
        throw wrong("the token \"\(text)\" has the ids \(known) and \(id), expected one")
      }
      added.append((text, id))
    }
    return added
  }

  /// The tokens by their ids, which have to be all numbers from 0 up.
  private func list(of tokens: [[UInt8]: Int]) throws(DataError) -> [String] {
    guard !tokens.isEmpty else { throw wrong("it has no tokens") }
    guard tokens.count < Preprocessing.Texts.tokenLimit else {
      throw wrong(
        "it has \(tokens.count) tokens, expected fewer than \(Preprocessing.Texts.tokenLimit)")
    }
    var texts = [String?](repeating: nil, count: tokens.count)
    for (bytes, id) in tokens {
      let text = String(decoding: bytes, as: UTF8.self)
      guard id < texts.count else {
        throw wrong(
          "the token \"\(text)\" has the id \(id), expected the \(tokens.count) tokens to have 0 to \(tokens.count - 1)"
        )
      }
      if let other = texts[id] {
        let both = [other, text].sorted()
        throw wrong(
          "the tokens \"\(both[0])\" and \"\(both[1])\" have the id \(id), expected one each")
      }
      texts[id] = text
    }
    return texts.map { $0 ?? "" }
  }

  private func merges(of model: [String: JSONValue]) throws(DataError) -> [String] {
    guard case .list(let entries) = model["merges"] else { throw wrong("its model has no merges") }
    var merges: [String] = []
    for (place, entry) in entries.enumerated() {
      let parts =
        entry.texts ?? entry.text?.split(separator: " ", omittingEmptySubsequences: false).map {
          String($0)
        } ?? []
      guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(0x20) }) else {
        throw wrong("merge \(place) is \(entry.json), expected two tokens")
      }
      merges.append("\(parts[0]) \(parts[1])")
    }
    return merges
  }

  /// The id of padding: the file's own, or one after all others.
  private func padding(
    _ texts: inout [String], _ added: [(text: String, id: Int)]
  ) throws(DataError) -> Int {
    if let value = members["padding"], value != .null {
      guard let id = try object(value, "padding")["pad_id"]?.integer, texts.indices.contains(id)
      else { throw wrong("the id of its padding is that of no token") }
      return id
    }
    if let own = added.first(where: { ["[PAD]", "<pad>", "<|pad|>"].contains($0.text) }) {
      return own.id
    }
    if let id = texts.firstIndex(of: Vocabulary.special[0]) { return id }
    texts.append(Vocabulary.special[0])
    return texts.count - 1
  }

  private func unknown(
    _ model: [String: JSONValue], _ kind: Preprocessing.Texts.Kind, _ tokens: [[UInt8]: Int]
  ) throws(DataError) -> Int? {
    guard let name = try text(model, "unk_token") else {
      guard kind == .bytePairs else { throw wrong("its model has no unk_token") }
      return nil
    }
    guard let id = tokens[Array(name.utf8)] else {
      throw wrong("its unk_token \"\(name)\" is no token")
    }
    // Bytes always have tokens.
    return kind == .bytePairs ? nil : id
  }

  // MARK: Settings

  private func normalization(
    _ kind: Preprocessing.Texts.Kind
  ) throws(DataError) -> Preprocessing.Texts.Normalization {
    var normalization = Preprocessing.Texts.Normalization()
    guard kind == .wordPieces, let value = members["normalizer"], value != .null else {
      return normalization
    }
    let settings = try object(value, "normalizer")
    func flag(_ key: String, else standard: Bool) throws(DataError) -> Bool {
      switch settings[key] {
      case nil, .null: return standard
      case .bool(let flag): return flag
      case .some(let other):
        throw wrong("\"normalizer.\(key)\" is \(other.json), expected true or false")
      }
    }
    normalization.isCleaned = try flag("clean_text", else: true)
    normalization.separatesIdeographs = try flag("handle_chinese_chars", else: true)
    normalization.lowercases = try flag("lowercase", else: true)
    normalization.stripsAccents = try flag("strip_accents", else: normalization.lowercases)
    return normalization
  }

  private func addsSpace(_ kind: Preprocessing.Texts.Kind) throws(DataError) -> Bool {
    guard kind == .bytePairs else { return false }
    return try object(members["pre_tokenizer"], "pre_tokenizer")["add_prefix_space"] != .bool(false)
  }

  /// The ids around a text that is to be classified.
  private func surroundings(
    _ tokens: [[UInt8]: Int]
  ) throws(DataError) -> (prefix: [Int], suffix: [Int]) {
    func id(_ token: String) throws(DataError) -> Int {
      guard let id = tokens[Array(token.utf8)] else {
        throw wrong("its post_processor adds \"\(token)\", which is no token")
      }
      return id
    }
    guard let kind = try type(of: "post_processor"), kind != "ByteLevel" else { return ([], []) }
    let processor = try object(members["post_processor"], "post_processor")
    switch kind {
    case "BertProcessing":
      func token(_ key: String) -> String? {
        guard case .list(let pair) = processor[key] else { return nil }
        return pair.first?.text
      }
      guard let first = token("cls"), let last = token("sep") else {
        throw wrong("its post_processor has no cls or no sep")
      }
      return ([try id(first)], [try id(last)])
    case "TemplateProcessing":
      guard case .list(let parts) = processor["single"] else {
        throw wrong("its post_processor has no template for a single text")
      }
      var (prefix, suffix, hasText): ([Int], [Int], Bool) = ([], [], false)
      for part in parts {
        guard case .object(let part) = part, let (key, value) = part.first, part.count == 1,
          case .object(let content) = value
        else { throw wrong("its post_processor has a template that isn't of tokens and a text") }
        if key == "Sequence", !hasText {
          hasText = true
        } else if key == "SpecialToken", let name = content["id"]?.text {
          if hasText { suffix.append(try id(name)) } else { prefix.append(try id(name)) }
        } else {
          throw wrong("its post_processor has a template that isn't of tokens and a text")
        }
      }
      guard hasText else { throw wrong("its post_processor has a template without the text") }
      return (prefix, suffix)
    default:
      throw wrong(
        "its post_processor is \"\(kind)\", expected \"TemplateProcessing\", \"BertProcessing\", \"ByteLevel\" or none"
      )
    }
  }

  // MARK: Members

  private func object(
    _ value: JSONValue?, _ name: String
  ) throws(DataError) -> [String: JSONValue] {
    guard case .object(let members) = value else { throw wrong("\"\(name)\" is no object") }
    return members
  }

  private func text(_ members: [String: JSONValue], _ key: String) throws(DataError) -> String? {
    switch members[key] {
    case nil, .null: return nil
    case .text(let text): return text
    case .some(let other): throw wrong("\"\(key)\" is \(other.json), expected a text")
    }
  }
}
