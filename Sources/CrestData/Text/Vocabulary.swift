import CrestTensor

/// Tokens that are found in training texts.
enum Vocabulary {
  /// Padding, and what is no token, before all others.
  static let special = ["[PAD]", "[UNK]"]
  /// A word is a token if the training texts have it so often.
  static let wordCount = 2
  /// The most words, the most frequent ones.
  static let wordLimit = 30_000

  /// The characters of training texts, in the order of their scalars.
  static func characters(of texts: some Sequence<Substring>, length: Int) -> Preprocessing.Texts? {
    var found: Set<Unicode.Scalar> = []
    for text in texts { found.formUnion(text.unicodeScalars) }
    return Preprocessing.Texts(
      checking: .characters, tokens: special + found.sorted().map { String($0) }, padding: 0,
      unknown: 1, length: length)
  }

  /// The words of training texts, in small letters, the most frequent first; of equally frequent ones in the order of
  /// their bytes.
  static func words(of texts: some Sequence<Substring>, length: Int) -> Preprocessing.Texts? {
    var counts: [[UInt8]: Int] = [:]
    for text in texts {
      for word in TextCutting.words(of: text, lowercasing: true) {
        counts[Array(word.utf8), default: 0] += 1
      }
    }
    let words = counts.filter { $0.value >= wordCount }.sorted {
      $0.value != $1.value ? $0.value > $1.value : $0.key.lexicographicallyPrecedes($1.key)
    }
    var normalization = Preprocessing.Texts.Normalization()
    normalization.lowercases = true
    return Preprocessing.Texts(
      checking: .words,
      tokens: special
        + words.prefix(wordLimit - special.count).map { String(decoding: $0.key, as: UTF8.self) },
      normalization: normalization, padding: 0, unknown: 1, length: length)
  }
}
