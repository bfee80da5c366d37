import CrestTensor

/// Word pieces as of BERT: the longest known beginning of a word, then the longest known piece that goes on with it.
struct WordPieces: Sendable {
  private let texts: Preprocessing.Texts
  private let ids: [[UInt8]: Int32]
  private let mark: [UInt8]
  private let unknown: Int32
  private let longest: Int

  init(_ texts: Preprocessing.Texts) {
    self.texts = texts
    ids = texts.idsByBytes
    mark = Array(texts.continuation.utf8)
    unknown = Int32(texts.unknown ?? texts.padding)
    longest = texts.tokens.map(\.utf8.count).max() ?? 0
  }

  func append(_ text: Substring, to result: inout [Int32]) {
    let scalars = TextCutting.normalized(text, by: texts.normalization)
    TextCutting.bertWords(of: scalars) { word in
      if let pieces = pieces(of: word) { result += pieces } else { result.append(unknown) }
    }
  }

  /// The pieces of a word; nil if one of them isn't known.
  private func pieces(of word: ArraySlice<Unicode.Scalar>) -> [Int32]? {
    guard word.count <= texts.wordLimit else { return nil }
    var bytes: [UInt8] = []
    // Where characters end.
    var ends: [Int] = []
    for scalar in word {
      bytes += Array(String(scalar).utf8)
      ends.append(bytes.count)
    }
    var pieces: [Int32] = []
    var start = 0
    while start < bytes.count {
      let begin = start == 0 ? [] : mark
      let end = ends.last { end in
        end > start && end - start <= longest && ids[begin + bytes[start..<end]] != nil
      }
      guard let end, let id = ids[begin + bytes[start..<end]] else { return nil }
      pieces.append(id)
      start = end
    }
    return pieces
  }
}
