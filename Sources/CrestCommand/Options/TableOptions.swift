public import ArgumentParser
public import Crest
import CrestFiles

/// How a file is read as a table.
struct TableFormatOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The names of the columns of a table, whose first line is a row then (default: those in its first line).",
      valueName: "name,name…"))
  var columns: String?

  @Option(
    help: ArgumentHelp(
      "What separates the cells of a table: a character, or tab (default: a tab, ;, | or a comma, by its first lines).",
      valueName: "character"))
  var delimiter: String?

  @Option(
    help: ArgumentHelp(
      "What lines of a table begin with that don't count (default: none do).", valueName: "text"))
  var comment: String?

  @Option(
    help: ArgumentHelp(
      "What stands for a missing value in a table, beside an empty cell (default: "
        + "\(TableFormat.standardMissing.joined(separator: ",")), without quotes).",
      valueName: "text,text…"))
  var missing: String?

  @Option(
    help: ArgumentHelp(
      "What separates the whole of a number from its fraction: a point or a comma (default: a point).",
      valueName: "character"))
  var decimal: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "What is taken off the end of each cell of a table, if it is there (default: nothing).",
      valueName: "text"))
  var trimEnd: String?

  @Option(
    help: ArgumentHelp(
      "The order of year, month and day in dates: ymd, dmy or mdy (default: ymd).",
      valueName: "order"))
  var dateOrder: TableFormat.DateOrder?

  /// Whether one was given, by its name.
  var given: [(option: String, isGiven: Bool)] {
    [
      ("--columns", columns != nil), ("--delimiter", delimiter != nil),
      ("--comment", comment != nil), ("--missing", missing != nil), ("--decimal", decimal != nil),
      ("--trim-end", trimEnd != nil), ("--date-order", dateOrder != nil),
    ]
  }

  /// The format, where what isn't given is as in another.
  func format(elseAs standard: TableFormat = TableFormat()) throws(CommandError) -> TableFormat {
    var format = standard
    if let columns { format.columns = try columns.columnNames(of: "--columns") }
    if let delimiter {
      let character = ["tab", "\\t"].contains(delimiter) ? "\t" : delimiter
      guard character.count == 1 else {
        throw .table(.tableFormat("cells are separated by \"\(delimiter)\""))
      }
      format.delimiter = Character(character)
    }
    if let decimal {
      guard decimal.count == 1 else { throw .table(.tableFormat("the decimal is \"\(decimal)\"")) }
      format.decimal = Character(decimal)
    }
    if let comment { format.comment = comment }
    if let missing { format.missing = try missing.columnNames(of: "--missing") }
    if let trimEnd { format.trimmedEnd = trimEnd }
    if let dateOrder { format.dateOrder = dateOrder }
    if let objection = format.objection { throw .table(.tableFormat(objection)) }
    return format
  }
}

/// What the columns of a table are, and which is predicted.
struct TableOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The column of a table that is predicted (default: the one that the model was trained for).",
      valueName: "name"))
  var target: String?

  @Option(
    help: ArgumentHelp(
      "What that column holds: classes or values (default: classes for text and for at most 20 different whole "
        + "numbers).", valueName: "what"))
  var task: TableFile.Task?

  @Option(
    help: ArgumentHelp(
      "Columns of a table that are categories whatever they hold (default: all that hold neither numbers nor dates "
        + "alone, and more categories than names of rows).", valueName: "name,name…"))
  var categories: String?

  @Option(help: ArgumentHelp("Columns of a table that are numbers.", valueName: "name,name…"))
  var numbers: String?

  @Option(help: ArgumentHelp("Columns of a table that are dates.", valueName: "name,name…"))
  var dates: String?

  @Option(help: ArgumentHelp("Columns of a table that aren't read.", valueName: "name,name…"))
  var ignore: String?

  @Option(
    help: ArgumentHelp(
      "Another table of the same columns for validation (default: a part of the table is held out).",
      valueName: "file.csv"))
  var valid: String?

  @OptionGroup var format: TableFormatOptions

  /// The options that say what columns are, by their names.
  private var kinds: [(option: String, isGiven: Bool)] {
    [
      ("--task", task != nil), ("--categories", categories != nil), ("--numbers", numbers != nil),
      ("--dates", dates != nil), ("--ignore", ignore != nil),
    ]
  }

  /// Refuses options that only tables have.
  ///
  /// Texts of classes have a target, too.
  func checkUnused(by data: String, ofTexts: Bool = false) throws(CommandError) {
    let all =
      [("--target", target != nil && !ofTexts)] + kinds + [("--valid", valid != nil)] + format.given
    for (option, isGiven) in all where isGiven {
      throw .needs(option: option, other: "a table", advice: "omit it, as \(data) isn't one")
    }
  }

  /// Whether a path is one of a table: a file, whose name says so if there is no column to predict.
  func isTable(_ path: String) -> Bool {
    guard !DataSource.builtInNames.contains(path) else { return false }
    let name = path.lowercased()
    let isNamed = Self.endings.contains(where: name.hasSuffix)
    switch FileStatus(of: path)?.kind {
    case .regular: return isNamed || target != nil
    case nil: return isNamed
    default: return false
    }
  }

  private static let endings = [".csv", ".tsv", ".tab", ".psv", ".txt", ".data"]

  /// The table for training, by its own figures.
  func file(_ path: String) throws -> TableFile {
    let format = try format.format()
    guard let target else {
      throw CommandError.table(
        .missingTarget(
          path: path, columns: try TableFile.columnNames(of: path, format).listed))
    }
    let columns = try columnKinds()
    return TableFile(
      path, target: target, task: task, format: format, categories: columns.categories,
      numbers: columns.numbers, dates: columns.dates, ignored: columns.ignored)
  }

  /// The columns that are named by what they hold.
  private func columnKinds() throws(CommandError) -> (
    categories: [String], numbers: [String], dates: [String], ignored: [String]
  ) {
    let (categories, numbers, dates, ignored) = (
      try categories?.columnNames(of: "--categories") ?? [],
      try numbers?.columnNames(of: "--numbers") ?? [],
      try dates?.columnNames(of: "--dates") ?? [],
      try ignore?.columnNames(of: "--ignore") ?? []
    )
    var seen: Set<String> = target.map { [$0] } ?? []
    for name in categories + numbers + dates + ignored where !seen.insert(name).inserted {
      throw .table(.columnTwice(name))
    }
    return (categories, numbers, dates, ignored)
  }

  /// What the columns of a table hold.
  func report(_ path: String) throws -> TableReport {
    let columns = try columnKinds()
    var kinds: [String: TableColumns.Kind] = [:]
    for name in columns.categories { kinds[name] = .category }
    for name in columns.numbers { kinds[name] = .number }
    for name in columns.dates { kinds[name] = .date }
    if let target, let task { kinds[target] = task == .classes ? .category : .number }
    return try TableReport(path, format.format(), kinds: kinds, ignored: Set(columns.ignored))
  }

  /// The table for a model, by the figures that it was trained with.
  func file(_ path: String, as known: Preprocessing.Table) throws(CommandError) -> TableFile {
    if let target, target != known.targetColumn {
      throw .table(.otherTarget(got: target, trained: known.targetColumn))
    }
    for (option, isGiven) in kinds where isGiven {
      throw .needs(
        option: option, other: "--preprocessing data",
        advice: "omit it, as the model says what columns are")
    }
    return TableFile(path, as: known, format: try format.format(elseAs: known.format))
  }
}

extension String {
  /// Names separated by commas, in double quotes if they hold one.
  func columnNames(of option: String) throws(CommandError) -> [String] {
    var (names, name) = ([String](), "")
    var isQuoted = false
    for character in self {
      if character == "\"" {
        isQuoted.toggle()
      } else if character == ",", !isQuoted {
        names.append(name)
        name = ""
      } else {
        name.append(character)
      }
    }
    names.append(name)
    guard !isQuoted, !names.contains("") else { throw .table(.columnList(option: option, self)) }
    return names
  }
}

extension TableFormat.DateOrder: ExpressibleByArgument {}
extension TableFile.Task: ExpressibleByArgument {}

extension ModelOptions {
  /// The batch size for a table of many rows, and how many those are at least.
  private static let largeTable = (batchSize: 256, rowCount: 10_000)

  /// The batch size for a set of examples of a table; nil for the usual one.
  static func tableBatchSize(for dataset: any Dataset) -> Int? {
    dataset.preprocessing.table != nil && dataset.count >= largeTable.rowCount
      ? largeTable.batchSize : nil
  }

  /// Whether the data are a table in a file.
  var isTable: Bool { textKind == nil && table.isTable(data) }

  /// Reads a table for a model.
  func loadTable(divides: Bool, test: TestPart?, for source: ModelSource) throws -> DataSplit {
    guard preprocessing != .none else { throw CommandError.table(.tableAsStored) }
    var known: Preprocessing.Table?
    if preprocessing == .model { known = try source.preprocessing()?.table }
    var file = try known.map { try table.file(data, as: $0) } ?? table.file(data)
    file.valid = table.valid
    switch test {
    case .own:
      throw CommandError.needs(
        option: "--test", other: "a file", advice: "name another table of the same columns")
    case .file(let path): file.test = path
    case nil: break
    }
    return try file.split(divides: divides, fraction: validFraction)
  }
}

extension Tabular {
  /// The part of the embeddings and layers that is zeroed in training where classes are predicted; values were predicted
  /// worse with it.
  private static let classDropout = 0.1

  /// The networks that the command makes for a table: the one that it trains, and the one with the library's own settings.
  static func networks(for table: Preprocessing.Table, outputs: Int) -> [Tabular] {
    let plain = Tabular(for: table, outputs: outputs)
    guard table.classes != nil else { return [plain] }
    let dropping = Tabular(
      for: table, outputs: outputs, dropout: classDropout, embeddingDropout: classDropout)
    return [dropping, plain]
  }
}

extension ModelSource {
  /// The preprocessing with which the network was trained; nil if unknown.
  func preprocessing() throws -> Preprocessing? {
    switch self {
    case .file(let file, let weights): try weights?.preprocessing ?? file.metadata().preprocessing
    case .builtIn(_, let weights): weights?.preprocessing
    }
  }
}

/// What is wrong with a table, or with how it is to be read.
enum TableProblem: Equatable {
  /// A table without the column to predict.
  case missingTarget(path: String, columns: String)
  /// Another target than the one that the model was trained for.
  case otherTarget(got: String, trained: String)
  /// A way to read a table that makes no sense.
  case tableFormat(String)
  /// A column of two kinds.
  case columnTwice(String)
  /// A list of columns that ends in the middle of a name, or has an empty one.
  case columnList(option: String, String)
  /// A table without preprocessing.
  case tableAsStored
  /// A table for a model that doesn't say what its columns become.
  case noTable(model: String)
  /// An input of a model that the columns of a table don't become.
  case noTableInput(String, model: String)
  /// Predictions of a table that aren't of its target.
  case tablePredictions(shape: Shape, target: String, expected: Int)

  var code: FailureCode {
    switch self {
    case .noTable, .noTableInput, .tablePredictions: .data
    case .missingTarget, .otherTarget, .tableFormat, .columnTwice, .columnList, .tableAsStored:
      .usage
    }
  }
}

extension TableProblem: CustomStringConvertible {
  /// What, where, expected, got, what to do.
  var description: String {
    switch self {
    case .missingTarget(let path, let columns):
      "--target: name the column to predict; \(path) has \(columns)"
    case .otherTarget(let got, let trained):
      "--target: the model was trained to predict \(trained), got \(got); omit it, or add --preprocessing data"
    case .tableFormat(let reason):
      "the table is read as one of which \(reason); expected a delimiter and a decimal of one ASCII character each that can "
        + "be told apart, and different names of columns"
    case .columnTwice(let name):
      "\(name) is named twice by --target, --categories, --numbers, --dates and --ignore; name it once"
    case .columnList(let option, let text):
      "\(option): expected names separated by commas, in double quotes if they hold one, got \"\(text)\""
    case .tableAsStored:
      "--preprocessing: the columns of a table are prepared as the model's or by their own figures, got none; choose "
        + "model or data"
    case .noTable(let model):
      "\(model) doesn't say what the columns of a table become; give arrays with --input, or a model that crest train made "
        + "from a table"
    case .noTableInput(let name, let model):
      "\(model) has an input \"\(name)\", which the columns of a table don't become; give arrays with --input"
    case .tablePredictions(let shape, let target, let expected):
      "--data: expected predictions of \(expected) \(expected == 1 ? "number" : "numbers") for \(target), got \(shape); "
        + "give arrays with --input and --output"
    }
  }
}
