public import CrestTensor

/// Cuts texts into tokens, and joins tokens to texts.
///
/// ```swift
/// let tokenizer = try Tokenizer(file: "tokenizer.json", length: 128)
/// let ids = tokenizer.ids(of: "Unaffable")
/// ```
public struct Tokenizer: Sendable {
  /// How a text is cut, with all tokens.
  public let texts: Preprocessing.Texts
  private let cut: Cut
  private let added: AddedTokens

  /// How the text between added tokens is cut.
  private enum Cut {
    case characters([Unicode.Scalar: Int32], unknown: Int32)
    case words([[UInt8]: Int32], unknown: Int32)
    case bytePairs(BytePairs)
    case wordPieces(WordPieces)
  }

  /// The tokenizer of texts that a model or a data set remembers.
  ///
  /// - Throws: ``DataError/tokenizer(name:reason:)`` when pairs of bytes aren't made of its tokens.
  public init(_ texts: Preprocessing.Texts) throws(DataError) {
    try self.init(texts, name: "the model's tokenizer")
  }

  init(_ texts: Preprocessing.Texts, name: String) throws(DataError) {
    self.texts = texts
    added = AddedTokens(texts)
    let unknown = Int32(texts.unknown ?? texts.padding)
    switch texts.kind {
    case .characters:
      var ids: [Unicode.Scalar: Int32] = [:]
      for (id, token) in texts.tokens.enumerated() where token.unicodeScalars.count == 1 {
        ids[token.unicodeScalars[token.unicodeScalars.startIndex]] = Int32(id)
      }
      cut = .characters(ids, unknown: unknown)
    case .words: cut = .words(texts.idsByBytes, unknown: unknown)
    case .bytePairs: cut = .bytePairs(try BytePairs(texts, name: name))
    case .wordPieces: cut = .wordPieces(WordPieces(texts))
    }
  }

  /// The ids of a text's tokens.
  public func ids(of text: String) -> [Int] { ids32(of: text).map { Int($0) } }

  /// The ids of a text that is to be classified: those around it, too, and no more than a network sees at once.
  ///
  /// - Parameter text: The text.
  /// - Returns: The ids, and how many tokens of the text were cut off at its end.
  package func boundedIDs(of text: String) -> (ids: [Int32], cutCount: Int) {
    let own = ids32(of: text)
    let room = max(texts.length - texts.prefix.count - texts.suffix.count, 0)
    let kept = own.prefix(room)
    let ids = texts.prefix.map { Int32($0) } + kept + texts.suffix.map { Int32($0) }
    return (Array(ids.prefix(texts.length)), own.count - kept.count)
  }

  func ids32(of text: String) -> [Int32] {
    var ids: [Int32] = []
    added.forEachPart(of: text) { part in
      switch part {
      case .token(let id): ids.append(id)
      case .text(let text): append(text, to: &ids)
      }
    }
    return ids
  }

  private func append(_ text: Substring, to ids: inout [Int32]) {
    switch cut {
    case .characters(let known, let unknown):
      ids.reserveCapacity(ids.count + text.utf8.count)
      for scalar in text.unicodeScalars { ids.append(known[scalar] ?? unknown) }
    case .words(let known, let unknown):
      for word in TextCutting.words(of: text, lowercasing: texts.normalization.lowercases) {
        ids.append(known[Array(word.utf8)] ?? unknown)
      }
    case .bytePairs(let pairs): pairs.append(text, to: &ids)
    case .wordPieces(let pieces): pieces.append(text, to: &ids)
    }
  }

  /// The text of tokens.
  ///
  /// Words are separated by single spaces, pieces go on with the word before; padding is left out, and what is no
  /// token or no character becomes U+FFFD.
  ///
  /// - Precondition: the ids are those of tokens.
  public func text(of ids: some Sequence<Int>) -> String {
    let named = Set(texts.added)
    var text = ""
    var bytes: [UInt8] = []
    func flush() {
      text += String(decoding: bytes, as: UTF8.self)
      bytes = []
    }
    for id in ids {
      programmerError(
        unless: texts.tokens.indices.contains(id),
        "token \(id) of a tokenizer of \(texts.tokens.count)")
      let token = texts.tokens[id]
      if id == texts.padding { continue }
      switch texts.kind {
      case .characters: text += id == texts.unknown ? "\u{FFFD}" : token
      case .words:
        text += (text.isEmpty ? "" : " ") + (id == texts.unknown ? "\u{FFFD}" : token)
      case .bytePairs:
        if named.contains(id) {
          flush()
          text += token
        } else {
          bytes += token.unicodeScalars.compactMap { ByteCharacters.byte(of: $0) }
        }
      case .wordPieces:
        let mark = texts.continuation
        let goesOn = !mark.isEmpty && token.hasPrefix(mark) && token != mark
        if goesOn {
          text += token.dropFirst(mark.count)
        } else {
          text += (text.isEmpty ? "" : " ") + token
        }
      }
    }
    flush()
    return text
  }
}

extension Preprocessing.Texts {
  /// The ids of tokens by their bytes: strings are equal where their characters are, though their scalars differ.
  var idsByBytes: [[UInt8]: Int32] {
    var ids: [[UInt8]: Int32] = [:]
    for (id, token) in tokens.enumerated() { ids[Array(token.utf8)] = Int32(id) }
    return ids
  }
}

/// Tokens that are recognised as they stand in a text.
private struct AddedTokens: Sendable {
  enum Part {
    case token(Int32)
    case text(Substring)
  }

  /// Those that begin with a byte, the longest first.
  private var byFirst: [UInt8: [(bytes: [UInt8], id: Int32)]] = [:]

  init(_ texts: Preprocessing.Texts) {
    for id in texts.added {
      let bytes = Array(texts.tokens[id].utf8)
      if let first = bytes.first { byFirst[first, default: []].append((bytes, Int32(id))) }
    }
    for key in byFirst.keys { byFirst[key]?.sort { $0.bytes.count > $1.bytes.count } }
  }

  /// Calls `body` with the tokens in a text and what lies between them.
  func forEachPart(of text: String, _ body: (Part) -> Void) {
    guard !byFirst.isEmpty else { return body(.text(text[...])) }
    let bytes = text.utf8
    var (start, place) = (bytes.startIndex, bytes.startIndex)
    while place < bytes.endIndex {
      let found = byFirst[bytes[place]]?.first { bytes[place...].starts(with: $0.bytes) }
      guard let found else {
        bytes.formIndex(after: &place)
        continue
      }
      if start < place { body(.text(text[start..<place])) }
      body(.token(found.id))
      place = bytes.index(place, offsetBy: found.bytes.count)
      start = place
    }
    if start < place { body(.text(text[start..<place])) }
  }
}
