import CrestTensor

/// A CSV or TSV file with a column of texts and one of their classes.
///
/// The first row names the columns; cells are as of RFC 4180, in UTF-8. A file whose name ends in `.tsv` has tabs
/// between cells, any other commas. A fifth of each class is held out for validation, the same in every run; tokens
/// are those of the other texts. Texts are filled up with padding to one length, that of the longest training text,
/// at most ``lengthLimit``; longer ones lose their ends, which are counted in a note. Classes are in the order of
/// their numbers if all are whole, else of their scalars.
///
/// ```swift
/// let data = try TextTable("reviews.csv", text: "review", target: "stars").split()
/// let model = try TextModel.make("text-transformer", for: data)
/// ```
public struct TextTable: Sendable {
  /// The file's path.
  public let path: String
  /// The name of the column of texts.
  public let text: String
  /// The name of the column of classes.
  public let target: String
  /// How texts are cut.
  public let cut: TextCut
  /// The tokens of an example; nil for those of the longest training text, or as the model was trained.
  public let length: Int?

  /// The most tokens of an example if nobody says.
  public static let lengthLimit = 256

  /// A table, which ``split(divides:fraction:)`` reads.
  ///
  /// - Precondition: `length` is at least 1 and at most 1,048,576.
  public init(
    _ path: String, text: String, target: String, cut: TextCut = .words, length: Int? = nil
  ) {
    programmerError(
      unless: length.map(Preprocessing.Texts.lengths.contains) ?? true,
      "examples of \(length ?? 0) tokens")
    (self.path, self.text, self.target) = (path, text, target)
    (self.cut, self.length) = (cut, length)
  }

  /// Reads the table and cuts its texts.
  ///
  /// - Parameters:
  ///   - divides: Whether a part is held out for validation; if not, validation uses the training examples.
  ///   - fraction: The part of each class that is held out.
  /// - Returns: Both parts, and notes on them.
  /// - Throws: ``DataError/malformedTable(path:line:column:reason:)``, ``DataError/noColumn(path:name:known:)``, and what
  ///   ``Tokenizer/init(file:length:)`` throws.
  /// - Precondition: `fraction` lies between 0 and 1.
  public func split(divides: Bool = true, fraction: Double = 0.2) throws(DataError) -> DataSplit {
    let table = try TextColumns(path, [text, target])
    let (rows, labels) = (table.columns[0], table.columns[1])
    if let empty = labels.firstIndex(of: "") {
      throw .malformedTable(
        path: path, line: table.lines[empty], column: table.places[1] + 1,
        reason: "no class; remove the row, or give it one")
    }
    let names = Self.classNames(labels)
    guard names.count >= 2 else {
      throw .malformedTable(
        path: path, line: table.lines[0], column: table.places[1] + 1,
        reason: "every row has the class \"\(names[0])\", expected two classes or more")
    }
    let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { (Array($1.utf8), $0) })
    let classes = labels.map { Int64(numbers[Array($0.utf8)] ?? 0) }
    let unread = UncutTexts(name: path, classes: classes, classNames: names)
    let parts =
      divides
      ? try DataSplit(dividing: unread, fraction: fraction) : DataSplit(measuringOn: unread)
    let chosen = (parts.train as? Subset)?.indices ?? Array(rows.indices)
    let tokenizer = try self.tokenizer(for: chosen.map { rows[$0] })
    let dataset = try LabelledTexts(
      name: path, rows, classes: classes, classNames: names, by: tokenizer
    ) { table.withoutTokens(row: $0) }
    var split = try parts.mapped { _ in dataset }
    split.notes = [
      .textTable(
        path: path, count: rows.count, classes: names, dataset.texts, cutCount: dataset.cutCount,
        unknownCount: dataset.unknownCount, tokenCount: dataset.tokenCount)
    ]
    let trained = Set(chosen.map { classes[$0] })
    let untrained = names.indices.filter { !trained.contains(Int64($0)) }.map { names[$0] }
    if !untrained.isEmpty { split.notes.append(.untrainedClasses(untrained)) }
    return split
  }

  /// The tokenizer for training texts, which also says how long examples are.
  private func tokenizer(for texts: [String]) throws(DataError) -> Tokenizer {
    let tokenizer = try cut.tokenizer(
      forTraining: texts.map { $0[...] }, length: length, else: Self.lengthLimit)
    if case .known = cut { return tokenizer }
    guard length == nil else { return tokenizer }
    let longest = texts.lazy.map { tokenizer.boundedIDs(of: $0).ids.count }.max() ?? 1
    return try Tokenizer(tokenizer.texts.with(length: max(longest, 1)))
  }

  /// The names of classes in order: of whole numbers by their values, else by their scalars.
  private static func classNames(_ labels: [String]) -> [String] {
    var seen: Set<[UInt8]> = []
    let names = labels.filter { seen.insert(Array($0.utf8)).inserted }
    let numbers = names.compactMap { name in Int(name).map { ($0, name) } }
    if numbers.count == names.count, Set(numbers.map(\.0)).count == names.count {
      return numbers.sorted { $0.0 < $1.0 }.map(\.1)
    }
    return names.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
  }
}

/// Texts before anybody knows their tokens, by which they are divided.
private struct UncutTexts: Dataset {
  let name: String
  let classes: [Int64]
  let classNames: [String]
  var count: Int { classes.count }
  var inputs: [Field] { [] }
  var target: Target { .classes(names: classNames, shape: []) }
  var labels: [Int64]? { classes }

  func write(_ examples: ArraySlice<Int>, into batch: inout Batch) {
    programmerError("texts that aren't cut")
  }
}

/// Some columns of a table, by their names.
package struct TextColumns: Sendable {
  /// The cells of each column that was asked for.
  package let columns: [[String]]
  /// The line in which each row begins.
  package let lines: [Int]
  /// Where the columns stand, from 0.
  let places: [Int]
  private let path: String

  /// Reads a table.
  ///
  /// - Throws: ``DataError/malformedTable(path:line:column:reason:)``, ``DataError/noColumn(path:name:known:)``,
  ///   ``DataError/noExamples(path:)``.
  package init(_ path: String, _ names: [String]) throws(DataError) {
    let isTabbed = path.lowercased().hasSuffix(".tsv")
    var file = try DelimitedFile(path, delimiter: isTabbed ? "\t" : ",")
    guard let header = try file.next() else { throw .noExamples(path: path) }
    var places: [Int] = []
    for name in names {
      let found = header.cells.indices.filter { header.cells[$0] == name }
      guard let place = found.first else {
        throw .noColumn(path: path, name: name, known: header.cells)
      }
      guard found.count == 1 else {
        throw .malformedTable(
          path: path, line: header.line, column: found[1] + 1,
          reason: "the column \"\(name)\" again; rename one of them")
      }
      places.append(place)
    }
    var columns = [[String]](repeating: [], count: names.count)
    var lines: [Int] = []
    while let row = try file.next() {
      for (column, place) in places.enumerated() { columns[column].append(row.cells[place]) }
      lines.append(row.line)
    }
    guard !lines.isEmpty else { throw .noExamples(path: path) }
    (self.columns, self.lines, self.places, self.path) = (columns, lines, places, path)
  }

  /// The error for a text without tokens in the first column.
  package func withoutTokens(row: Int) -> DataError {
    .malformedTable(
      path: path, line: lines[row], column: places[0] + 1,
      reason: "the text has no token; remove the row")
  }
}
