public import ArgumentParser
public import Crest

/// How texts become ids of tokens.
struct TextOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The column of a CSV or TSV file that has texts to be classified; --target has their classes.",
      valueName: "column"))
  var text: String?

  @Option(
    help: ArgumentHelp(
      "How texts are cut into tokens: characters; words; or as a tokenizer.json of Hugging Face's library says (default: "
        + "as the model was trained; characters of a text, words of a table).",
      valueName: "characters|words|file.json"))
  var tokenizer: TokenizerOption?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "The tokens that a network sees at once (default: as the model was trained; \(TextFile.standardLength) of a text, "
        + "those of the longest training text of a table, at most \(TextTable.lengthLimit)).",
      valueName: "n"))
  var sequenceLength: Int?

  /// A kind of texts.
  enum Kind {
    /// A text from which a language model learns.
    case file
    /// Texts of classes.
    case table
  }

  /// The kind of texts that data are; nil if they are none.
  ///
  /// A file that ends in `.txt` is a table if a column of it is to be predicted.
  func kind(of data: String, target: String?) -> Kind? {
    text != nil ? .table : target == nil && TextFile.isRecognised(data) ? .file : nil
  }

  /// Refuses options that only texts have.
  func checkUnused(by data: String) throws(CommandError) {
    for (option, isGiven) in [
      ("--tokenizer", tokenizer != nil), ("--sequence-length", sequenceLength != nil),
    ] where isGiven {
      throw .needs(
        option: option, other: "a text", advice: "omit it, as \(data) is none, or add --text")
    }
  }

  /// Reads texts.
  ///
  /// - Parameters:
  ///   - data: The file.
  ///   - target: The column of classes, if given.
  ///   - known: How a model's texts become ids, if it says so.
  ///   - size: The tokens that a model takes, if it says so.
  ///   - divides: Whether a part is held out for validation.
  ///   - fraction: That part, if given.
  /// - Returns: The texts; nil if the data are none.
  /// - Throws: ``CommandError`` for options that don't fit, `DataError`.
  func split(
    _ data: String, target: String?, known: Preprocessing.Texts?, size: Int?, divides: Bool,
    fraction: Double?
  ) throws -> DataSplit? {
    guard let kind = kind(of: data, target: target) else {
      try checkUnused(by: data)
      return nil
    }
    if let sequenceLength, !(1...1_048_576).contains(sequenceLength) {
      throw CommandError.sequenceLength(sequenceLength)
    }
    if known != nil, tokenizer != nil {
      throw CommandError.needs(
        option: "--tokenizer", other: "a new network",
        advice: "omit it, as the model has learned tokens of its own")
    }
    let length = sequenceLength ?? (known == nil ? size : nil)
    let chosen = known.map { .known($0) } ?? tokenizer?.cut
    switch kind {
    case .file:
      return try TextFile(data, cut: chosen ?? .characters, length: length).split(
        divides: divides, fraction: fraction ?? TextFile.standardFraction)
    case .table:
      guard let text, let target else {
        throw CommandError.needs(
          option: "--text", other: "--target", advice: "name the column of their classes")
      }
      return try TextTable(
        data, text: text, target: target, cut: chosen ?? .words, length: length
      ).split(divides: divides, fraction: fraction ?? 0.2)
    }
  }
}

/// A way to cut texts as typed.
struct TokenizerOption: ExpressibleByArgument {
  let cut: TextCut
  let path: String?

  init?(argument: String) {
    let ways: [String: TextCut] = ["characters": .characters, "words": .words]
    guard let way = ways[argument] else {
      guard argument.hasSuffix(".json") else { return nil }
      (cut, path) = (.file(argument), argument)
      return
    }
    (cut, path) = (way, nil)
  }
}
