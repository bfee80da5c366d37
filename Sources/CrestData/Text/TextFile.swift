public import CrestTensor

/// How texts are to be cut into tokens.
public enum TextCut: Sendable, Hashable {
  /// Every Unicode scalar of the training text is a token.
  case characters
  /// Words that the training texts have at least twice are tokens, the 30,000 most frequent ones, in small letters; and
  /// so are other characters.
  case words
  /// As a `tokenizer.json` says; see ``Tokenizer/init(file:length:)``.
  case file(String)
  /// As a model was trained.
  case known(Preprocessing.Texts)
}

/// A file of text in UTF-8, from which a language model learns to write.
///
/// The tokens before the last tenth of the text's characters are for training, that tenth is for validation. Each
/// part is cut into windows of `length` tokens, one after the other; the target of a window is the token after each
/// of its own. What is left over at the end of a part is no example. Tokens are those of the training part; others
/// are unknown.
///
/// ```swift
/// let data = try TextFile("book.txt", length: 128).split()
/// let model = try TextModel.make("gpt", for: data)
/// ```
public struct TextFile: Sendable {
  /// The file's path.
  public let path: String
  /// How it is cut.
  public let cut: TextCut
  /// The tokens of an example; nil for ``standardLength``, or as the model was trained.
  public let length: Int?

  /// The tokens of an example if nobody says.
  public static let standardLength = 64
  /// The part for validation if nobody says.
  public static let standardFraction = 0.1

  /// A file, which ``split(divides:fraction:)`` reads.
  ///
  /// - Precondition: `length` is at least 1 and at most 1,048,576.
  public init(_ path: String, cut: TextCut = .characters, length: Int? = nil) {
    programmerError(
      unless: length.map(Preprocessing.Texts.lengths.contains) ?? true,
      "examples of \(length ?? 0) tokens")
    (self.path, self.cut, self.length) = (path, cut, length)
  }

  /// Whether a path is that of a text: a file whose name ends in `.txt`.
  public static func isRecognised(_ path: String) -> Bool { path.lowercased().hasSuffix(".txt") }

  /// Reads the text and cuts it.
  ///
  /// - Parameters:
  ///   - divides: Whether the end is held out for validation; if not, validation uses the training examples.
  ///   - fraction: The part of the characters that is held out.
  /// - Returns: Both parts, and notes on them.
  /// - Throws: ``DataError/notText(path:line:byte:reason:)``, ``DataError/shortText(path:part:count:length:)``, and what
  ///   ``Tokenizer/init(file:length:)`` throws.
  /// - Precondition: `fraction` lies between 0 and 1.
  public func split(
    divides: Bool = true, fraction: Double = TextFile.standardFraction
  ) throws(DataError) -> DataSplit {
    programmerError(
      unless: fraction > 0 && fraction < 1, "the fraction \(fraction) is not between 0 and 1")
    let text = try TextReader.text(of: path)
    let scalars = text.unicodeScalars
    let (count, held) = (scalars.count, divides ? fraction : 0)
    let end = scalars.index(scalars.startIndex, offsetBy: Int(Double(count) * (1 - held)))
    let (first, last) = (text[..<end], text[end...])
    let tokenizer = try cut.tokenizer(
      forTraining: CollectionOfOne(first), length: length, else: Self.standardLength)
    let train = try windows(of: first, by: tokenizer, "training")
    guard divides else {
      var split = DataSplit(measuringOn: train)
      split.notes = [note(train, nil)]
      return split
    }
    let valid = try windows(of: last, by: tokenizer, "validation")
    var split = DataSplit(train: train, lastPart: valid)
    split.notes = [note(train, valid)]
    return split
  }

  private func windows(
    of text: Substring, by tokenizer: Tokenizer, _ part: String
  ) throws(DataError) -> TextWindows {
    let windows = TextWindows(
      name: "\(path) (\(part))", texts: tokenizer.texts, ids: tokenizer.ids32(of: String(text)))
    guard windows.count >= 1 else {
      throw .shortText(
        path: path, part: part, count: windows.ids.count, length: tokenizer.texts.length)
    }
    return windows
  }

  private func note(_ train: TextWindows, _ valid: TextWindows?) -> DataSplit.Note {
    let ids = train.ids + (valid?.ids ?? [])
    return .textFile(
      path: path, train.texts, trainCount: train.ids.count, validCount: valid?.ids.count,
      unknownCount: ids.count { train.texts.unknown == Int($0) })
  }
}

extension TextCut {
  /// The tokenizer for texts.
  ///
  /// - Parameters:
  ///   - texts: The training texts, of which tokens are taken if there is no list of them.
  ///   - length: The tokens of an example, if given.
  ///   - standard: Their number otherwise, unless the model knows it.
  /// - Returns: The tokenizer.
  /// - Throws: ``DataError/tokenizer(name:reason:)``, and what ``Tokenizer/init(file:length:)`` throws.
  func tokenizer(
    forTraining texts: some Sequence<Substring>, length: Int?,
    else standard: @autoclosure () -> Int
  ) throws(DataError) -> Tokenizer {
    let found: Preprocessing.Texts?
    switch self {
    case .file(let path):
      return try Tokenizer(file: path, length: length ?? standard())
    case .known(let known):
      return try Tokenizer(length.map { known.with(length: $0) } ?? known)
    case .characters: found = Vocabulary.characters(of: texts, length: length ?? standard())
    case .words: found = Vocabulary.words(of: texts, length: length ?? standard())
    }
    guard let found else {
      throw .tokenizer(
        name: "the training text",
        reason:
          "it has more than \(Preprocessing.Texts.tokenLimit) different characters, expected fewer; "
          + "give a tokenizer.json")
    }
    return try Tokenizer(found)
  }
}
