import CrestFiles
package import CrestTensor

/// What the columns of a table hold, in figures.
package struct TableReport: Sendable {
  /// A column.
  package struct Column: Sendable {
    package let name: String
    package let kind: TableColumns.Kind
    /// How many cells are missing.
    package let missingCount: Int
    /// How many different values there are.
    package let differentCount: Int
    package let values: Values
    /// What to know of it; nil if nothing.
    package let remark: String?
  }

  /// The values of a column.
  package enum Values: Sendable {
    /// How often each text occurs, the most frequent first, and equal ones in order.
    case texts([(text: String, count: Int)])
    case numbers(Figures)
    /// The first and the last date.
    case dates(first: String, last: String)
    /// None.
    case none
  }

  /// Figures of numbers.
  package struct Figures: Sendable {
    package let minimum, maximum, mean, median: Double
    /// Of the population.
    package let deviation: Double
  }

  package let path: String
  package let rowCount: Int
  package let delimiter: UInt8
  package let columns: [Column]

  /// Reads a table.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - format: How it is read.
  ///   - kinds: What columns hold; those that aren't named are looked at.
  ///   - ignored: Columns that aren't read.
  /// - Throws: ``DataError``.
  package init(
    _ path: String, _ format: TableFormat, kinds: [String: TableColumns.Kind] = [:],
    ignored: Set<String> = []
  ) throws(DataError) {
    let table = try TableColumns(path, format, kinds: kinds, ignored: ignored)
    (self.path, rowCount, delimiter) = (path, table.rowCount, table.delimiter)
    columns = table.columns.map { Self.column($0, rowCount: table.rowCount) }
  }

  private static func column(_ column: TableColumns.Column, rowCount: Int) -> Column {
    let (values, different): (Values, Int) =
      switch column.values {
      case .texts(let codes, let texts, _): Self.texts(codes, texts)
      case .numbers(let numbers): Self.numbers(numbers)
      case .dates(let dates): Self.dates(dates)
      }
    let filled = rowCount - column.missingCount
    let remark: String? =
      if filled == 0 {
        "every cell is missing"
      } else if different == 1, filled == rowCount {
        "every cell is the same"
      } else if column.kind == .category, TablePreparation.areNames(different, of: filled) {
        "more names of rows than categories"
      } else {
        nil
      }
    return Column(
      name: column.name, kind: column.kind, missingCount: column.missingCount,
      differentCount: different, values: values, remark: remark)
  }

  private static func texts(_ codes: [Int32], _ texts: [String]) -> (Values, Int) {
    var counts = [Int](repeating: 0, count: texts.count)
    for code in codes where code >= 0 { counts[Int(code)] += 1 }
    let places = Dictionary(
      uniqueKeysWithValues: zip(texts.inOrder.map { Array($0.utf8) }, 0...))
    let ranked = texts.indices.sorted { first, second in
      counts[first] != counts[second]
        ? counts[first] > counts[second]
        : places[Array(texts[first].utf8)] ?? 0 < places[Array(texts[second].utf8)] ?? 0
    }
    return (ranked.isEmpty ? .none : .texts(ranked.map { (texts[$0], counts[$0]) }), texts.count)
  }

  private static func numbers(_ values: [Double]) -> (Values, Int) {
    let known = values.filter { !$0.isNaN }.sorted()
    guard let first = known.first, let last = known.last else { return (.none, 0) }
    var different = 1
    for place in known.indices.dropFirst() where known[place] != known[place - 1] { different += 1 }
    let (mean, deviation) = TablePreparation.moments(known)
    return (
      .numbers(
        Figures(
          minimum: first, maximum: last, mean: mean, median: TablePreparation.median(known),
          deviation: deviation)), different
    )
  }

  private static func dates(_ dates: [TableDate]) -> (Values, Int) {
    let known = dates.filter { !$0.isMissing }
    let ordered = known.sorted { $0.value(of: .elapsed) < $1.value(of: .elapsed) }
    guard let first = ordered.first, let last = ordered.last else { return (.none, 0) }
    return (.dates(first: "\(first)", last: "\(last)"), Set(known).count)
  }
}

extension TableDate: CustomStringConvertible {
  /// As in `2024-02-29`, or `2024-02-29 13:05:09`.
  package var description: String {
    func padded(_ part: DatePart, _ width: Int = 2) -> String {
      let digits = "\(value(of: part))"
      return String(repeating: "0", count: max(width - digits.count, 0)) + digits
    }
    let day = [padded(.year, 4), padded(.month), padded(.day)].joined(separator: "-")
    let time = [padded(.hour), padded(.minute), padded(.second)].joined(separator: ":")
    return time == "00:00:00" ? day : "\(day) \(time)"
  }
}
