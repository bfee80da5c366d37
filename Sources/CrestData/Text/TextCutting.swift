// Decompositions of characters stand in the standard library alone, which gives them to other libraries so.
@_spi(_Unicode) import Swift

import CrestTensor

/// How texts are cut before tokens are looked for.
enum TextCutting {
  /// The words of a text: runs of letters, marks and digits, with apostrophes between them, and every other character
  /// that isn't white space alone.
  static func words(of text: Substring, lowercasing: Bool) -> [String] {
    var words: [String] = []
    var word = String.UnicodeScalarView()
    func flush() {
      if !word.isEmpty { words.append(String(word)) }
      word = String.UnicodeScalarView()
    }
    let scalars = text.unicodeScalars
    var place = scalars.startIndex
    while place < scalars.endIndex {
      let scalar = scalars[place]
      let next = scalars.index(after: place)
      let isJoint = scalar == "'" || scalar == "\u{2019}"
      if scalar.isWordPart
        || isJoint && !word.isEmpty && next < scalars.endIndex && scalars[next].isWordPart
      {
        word.append(contentsOf: scalar.folded(lowercasing))
      } else {
        flush()
        if !scalar.properties.isWhitespace { words.append(String(scalar)) }
      }
      place = next
    }
    flush()
    return words
  }

  /// The pieces by which GPT-2 cuts a text: `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+|
  /// ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
  static func gpt2Pieces(
    of scalars: [Unicode.Scalar], _ body: (ArraySlice<Unicode.Scalar>) -> Void
  ) {
    let kinds = scalars.map(Kind.init)
    var start = 0
    while start < scalars.count {
      let end = pieceEnd(from: start, scalars, kinds)
      body(scalars[start..<end])
      start = end
    }
  }

  private enum Kind {
    case letter, number, space, other

    init(_ scalar: Unicode.Scalar) {
      if scalar.properties.isWhitespace {
        self = .space
        return
      }
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
        self = .letter
      case .decimalNumber, .letterNumber, .otherNumber: self = .number
      default: self = .other
      }
    }
  }

  private static let contractions: [[Unicode.Scalar]] = [
    "s", "t", "re", "ve", "m", "ll", "d",
  ].map { Array($0.unicodeScalars) }

  private static func pieceEnd(
    from start: Int, _ scalars: [Unicode.Scalar], _ kinds: [Kind]
  ) -> Int {
    func run(of kind: Kind, from first: Int) -> Int {
      var end = first
      while end < kinds.count, kinds[end] == kind { end += 1 }
      return end
    }
    if scalars[start] == "'" {
      let rest = scalars[(start + 1)...]
      if let ending = contractions.first(where: { rest.starts(with: $0) }) {
        return start + 1 + ending.count
      }
    }
    let first = scalars[start] == " " && start + 1 < kinds.count ? start + 1 : start
    if kinds[first] != .space { return run(of: kinds[first], from: first) }
    // The last of several spaces belongs to what follows.
    let end = run(of: .space, from: start)
    return end == kinds.count || end == start + 1 ? end : end - 1
  }

  /// A text changed as BERT changes it.
  static func normalized(
    _ text: Substring, by normalization: Preprocessing.Texts.Normalization
  ) -> [Unicode.Scalar] {
    var scalars = Array(text.unicodeScalars)
    if normalization.isCleaned {
      scalars = scalars.compactMap { scalar in
        if scalar.properties.isWhitespace { return " " }
        return scalar.value == 0 || scalar.value == 0xFFFD || scalar.isControl ? nil : scalar
      }
    }
    if normalization.separatesIdeographs {
      scalars = scalars.flatMap { $0.isIdeograph ? [" ", $0, " "] : [$0] }
    }
    if normalization.stripsAccents {
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars)
      scalars = String(view)._nfd.filter { $0.properties.generalCategory != .nonspacingMark }
    }
    if normalization.lowercases { scalars = scalars.flatMap { $0.folded(true) } }
    return scalars
  }

  /// The words by which BERT cuts a text: what lies between white space, with marks of punctuation alone.
  static func bertWords(
    of scalars: [Unicode.Scalar], _ body: (ArraySlice<Unicode.Scalar>) -> Void
  ) {
    var start = 0
    for (place, scalar) in scalars.enumerated() {
      let isSpace = scalar.properties.isWhitespace
      guard isSpace || scalar.isPunctuation else { continue }
      if start < place { body(scalars[start..<place]) }
      if !isSpace { body(scalars[place...place]) }
      start = place + 1
    }
    if start < scalars.count { body(scalars[start...]) }
  }
}

extension Unicode.Scalar {
  /// Whether it is a letter, a mark or a digit.
  fileprivate var isWordPart: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber:
      true
    default: false
    }
  }

  /// The scalar, or its small letter.
  fileprivate func folded(_ lowercases: Bool) -> String.UnicodeScalarView {
    lowercases ? properties.lowercaseMapping.unicodeScalars : String(self).unicodeScalars
  }

  /// Whether it is a control character or none at all.
  fileprivate var isControl: Bool {
    switch properties.generalCategory {
    case .control, .format, .unassigned, .privateUse, .surrogate: true
    default: false
    }
  }

  /// Whether BERT takes it for a mark of punctuation: those of Unicode, and all of ASCII that is no letter, digit or
  /// space.
  fileprivate var isPunctuation: Bool {
    if isASCII {
      return (33...47).contains(value) || (58...64).contains(value) || (91...96).contains(value)
        || (123...126).contains(value)
    }
    switch properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      return true
    default: return false
    }
  }

  /// Whether it is in one of the blocks of Chinese characters that BERT separates.
  fileprivate var isIdeograph: Bool {
    switch value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F,
      0x2B740...0x2B81F, 0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}
