import CrestFiles
import CrestTensor

/// Reads the columns of a file of delimited text: first what they hold, then their values.
struct TableReader: ~Copyable {
  let path: String
  /// The names of the columns, in the file's order.
  private(set) var names: [String]
  let delimiter: UInt8
  private(set) var rowCount = 0
  private var file: DelimitedFile
  private let hasHeader: Bool
  private let cells: TableCells
  private let order: TableFormat.DateOrder

  /// Opens a file and reads the names of its columns.
  init(_ path: String, _ format: TableFormat) throws(DataError) {
    let dialect = try Self.dialect(of: path, format)
    var opened = try DelimitedFile(path, dialect)
    guard try opened.readRow() else {
      throw .unsuitableTable(path: path, reason: "it holds no row")
    }
    let (count, line) = (opened.cells.count, opened.rowLine)
    var names: [String] = []
    if let given = format.columns {
      guard given.count == count else {
        throw .malformedTable(
          path: path, line: line, column: nil,
          reason:
            "\(count) \(count == 1 ? "cell" : "cells"), expected one for each of the \(given.count) columns named"
        )
      }
      names = given
    } else {
      for number in 0..<count {
        let name = try opened.text(number)
        func wrong(_ reason: String) -> DataError {
          .malformedTable(
            path: path, line: line, column: number + 1,
            reason: reason + "; if the file has no line of names, name its columns")
        }
        guard !name.isEmpty else { throw wrong("a column without a name") }
        guard !names.contains(name) else {
          throw wrong("the column \(name.shown(limit: 80)) again; give each a name of its own")
        }
        names.append(name)
      }
    }
    self.names = names
    self.path = path
    hasHeader = format.columns == nil
    delimiter = dialect.delimiter
    cells = TableCells(format)
    order = format.dateOrder
    file = opened
  }

  /// The dialect of a file.
  private static func dialect(
    of path: String, _ format: TableFormat
  ) throws(DataError) -> DelimitedFile.Dialect {
    var dialect = DelimitedFile.Dialect()
    dialect.trimsSpaces = true
    dialect.comment = Array((format.comment ?? "").utf8)
    dialect.trimmedEnd = Array((format.trimmedEnd ?? "").utf8)
    guard let byte = format.delimiter?.asciiValue else {
      return try dialect.findingDelimiter(of: path)
    }
    dialect.delimiter = byte
    return dialect
  }

  /// How many cells the first row of a file has.
  static func width(of path: String, _ format: TableFormat) throws(DataError) -> Int {
    var file = try DelimitedFile(path, dialect(of: path, format))
    return try file.readRow() ? file.cells.count : 0
  }

  /// Goes before the first row.
  private mutating func rewind() throws(DataError) {
    file.rewind()
    rowCount = 0
    if hasHeader { _ = try file.readRow() }
  }

  private func wrong(_ number: Int, _ reason: String) -> DataError {
    .malformedTable(
      path: path, line: file.cells[number].line, column: number + 1, reason: reason)
  }

  /// The text of a cell for a message.
  private func shown(_ number: Int) -> String {
    "\"" + String(decoding: file.bytes(number).prefix(200), as: UTF8.self).shown(limit: 40) + "\""
  }
}

/// What the cells of a column are, as far as it was looked at.
private struct ColumnLook {
  var (filled, numbers, dates) = (0, 0, 0)
  var hasCode = false
  /// The first cell that is no number, and the first with a date that isn't in the calendar.
  var noNumber: (line: Int, text: String)?
  var noDate: (line: Int, text: String)?
}

extension TableReader {
  /// The least part of numbers in a column that is taken for one of numbers with an error in it.
  private static let numberPart = 0.9

  /// What columns hold, those that aren't given by looking at all rows.
  ///
  /// Only numbers, without superfluous zeros in front, are numbers; only dates are dates; all else is categories. A
  /// column of which 9 in 10 are numbers, or that has the form of dates, is refused with its first other cell.
  mutating func kinds(
    of places: [Int], given: [String: TableColumns.Kind]
  ) throws(DataError) -> [TableColumns.Kind] {
    try rewind()
    let open = places.filter { given[names[$0]] == nil }
    var looks = [ColumnLook](repeating: ColumnLook(), count: open.count)
    while try file.readRow() {
      for (index, place) in open.enumerated() {
        let bytes = file.bytes(place)
        if cells.isMissing(bytes, isQuoted: file.cells[place].isQuoted) { continue }
        looks[index].filled += 1
        if cells.number(bytes) != nil {
          looks[index].numbers += 1
          if !looks[index].hasCode { looks[index].hasCode = TableNumbers.isCode(bytes) }
          continue
        }
        if looks[index].noNumber == nil {
          looks[index].noNumber = (file.cells[place].line, shown(place))
        }
        guard looks[index].dates == looks[index].filled - 1 else { continue }
        switch TableDate.reading(bytes, order: order) {
        case .date: looks[index].dates += 1
        case .impossible:
          looks[index].dates += 1
          if looks[index].noDate == nil {
            looks[index].noDate = (file.cells[place].line, shown(place))
          }
        case .other: break
        }
      }
    }
    var found: [Int: TableColumns.Kind] = [:]
    for (place, look) in zip(open, looks) { found[place] = try kind(look, of: place) }
    return places.map { place in given[names[place]] ?? found[place] ?? .category }
  }

  private func kind(_ look: ColumnLook, of place: Int) throws(DataError) -> TableColumns.Kind {
    func wrong(_ line: Int, _ reason: String) -> DataError {
      .malformedTable(path: path, line: line, column: place + 1, reason: reason)
    }
    let name = names[place].shown(limit: 80)
    if look.filled > 0, look.dates == look.filled {
      guard let bad = look.noDate else { return .date }
      throw wrong(
        bad.line,
        "\(bad.text) of \(name) is no day of the calendar; correct it, or take the column as categories, or ignore it"
      )
    }
    if look.numbers == look.filled { return look.hasCode || look.filled == 0 ? .category : .number }
    if let bad = look.noNumber, Double(look.numbers) >= Self.numberPart * Double(look.filled) {
      throw wrong(
        bad.line,
        "\(bad.text) of \(name) is no number, as \(look.numbers) of its \(look.filled) cells are; correct it, name it "
          + "as a missing value, or take the column as categories")
    }
    return .category
  }

  /// The values of columns.
  mutating func columns(
    _ places: [Int], _ kinds: [TableColumns.Kind]
  ) throws(DataError) -> [TableColumns.Column] {
    try rewind()
    // A number of some digits and its delimiter become 12 bytes.
    try DataError.checkMemory(file.byteCount * 2, path)
    var builders = zip(places, kinds).map { ColumnBuilder(place: $0, kind: $1) }
    while try file.readRow() {
      rowCount += 1
      for index in builders.indices {
        let place = builders[index].place
        let (bytes, line) = (file.bytes(place), file.cells[place].line)
        if cells.isMissing(bytes, isQuoted: file.cells[place].isQuoted) {
          builders[index].addMissing(line)
          continue
        }
        switch builders[index].kind {
        case .number:
          guard let number = cells.number(bytes) else {
            throw wrong(
              place,
              "\(shown(place)) of \(names[place].shown(limit: 80)) is no number, expected one, or a missing value"
            )
          }
          builders[index].numbers.append(number)
        case .date:
          switch TableDate.reading(bytes, order: order) {
          case .date(let date): builders[index].dates.append(date)
          case .impossible:
            throw wrong(
              place,
              "\(shown(place)) of \(names[place].shown(limit: 80)) is no day of the calendar; correct it"
            )
          case .other:
            throw wrong(
              place,
              "\(shown(place)) of \(names[place].shown(limit: 80)) is no date, expected one in the order \(order.rawValue)"
            )
          }
        case .category:
          let code = builders[index].texts.code(of: bytes)
          if code == builders[index].lines.count {
            _ = try file.text(place)
            builders[index].lines.append(line)
          }
          builders[index].codes.append(code)
        }
      }
    }
    guard rowCount > 0 else {
      throw .unsuitableTable(
        path: path, reason: "it holds the names of columns and no row; add rows")
    }
    return builders.map { $0.column(named: names[$0.place]) }
  }
}

/// The values of a column as they are read.
private struct ColumnBuilder {
  let place: Int
  let kind: TableColumns.Kind
  var numbers: [Double] = []
  var dates: [TableDate] = []
  var codes: [Int32] = []
  var texts = TextCodes()
  var lines: [Int] = []
  private var missingCount = 0
  private var firstMissing: Int?

  init(place: Int, kind: TableColumns.Kind) { (self.place, self.kind) = (place, kind) }

  mutating func addMissing(_ line: Int) {
    missingCount += 1
    if firstMissing == nil { firstMissing = line }
    switch kind {
    case .number: numbers.append(.nan)
    case .date: dates.append(.missing)
    case .category: codes.append(-1)
    }
  }

  func column(named name: String) -> TableColumns.Column {
    let values: TableColumns.Values =
      switch kind {
      case .number: .numbers(numbers)
      case .date: .dates(dates)
      case .category: .texts(codes: codes, texts: texts.texts, lines: lines)
      }
    return TableColumns.Column(
      name: name, place: place + 1, missingCount: missingCount, firstMissing: firstMissing,
      values: values)
  }
}

/// How the cells of a table are understood.
struct TableCells {
  private let missing: [[UInt8]]
  private let countsQuoted: Bool
  private let longest: Int
  private let numbers: TableNumbers

  init(_ format: TableFormat) {
    missing = (format.missing ?? TableFormat.standardMissing).map { Array($0.utf8) }
    countsQuoted = format.missing != nil
    longest = missing.map(\.count).max() ?? 0
    numbers = TableNumbers(decimal: format.decimal.asciiValue ?? UInt8(ascii: "."))
  }

  /// Whether a cell says that a value is missing: it is empty, or one of the words for that, without quotes unless somebody
  /// gave the words.
  func isMissing(_ bytes: UnsafeBufferPointer<UInt8>, isQuoted: Bool) -> Bool {
    if bytes.isEmpty { return true }
    guard bytes.count <= longest, countsQuoted || !isQuoted else { return false }
    // Most cells begin otherwise.
    return missing.contains {
      $0.count == bytes.count && $0[0] == bytes[0] && bytes.elementsEqual($0)
    }
  }

  func number(_ bytes: UnsafeBufferPointer<UInt8>) -> Double? {
    numbers.value(bytes)
  }
}
