import CrestFiles
import CrestTensor

/// What the columns of a table become, by its training rows.
struct TablePreparation {
  private(set) var categories: [Preprocessing.Table.Category] = []
  private(set) var numbers: [Preprocessing.Table.Number] = []
  /// The columns that aren't used, each with the reason.
  private(set) var leftOut: [String: String] = [:]
  private let rows: [Int]
  private let path: String

  /// The most categories of all columns.
  private static let categoryLimit = 1_000_000
  /// Texts of a column with more than so many different ones may be the names of rows.
  private static let namesAbove = 20

  /// Looks at the training rows.
  ///
  /// - Parameters:
  ///   - table: All rows.
  ///   - rows: Those of training.
  ///   - target: The column that is predicted, and none of the inputs.
  ///   - forced: The columns that are used whatever they hold.
  /// - Throws: ``DataError/unsuitableTable(path:reason:)`` when nothing is left.
  init(
    _ table: TableColumns, rows: [Int], target: String, forced: Set<String>
  ) throws(DataError) {
    (self.rows, path) = (rows, table.path)
    var flags: [Preprocessing.Table.Category] = []
    for column in table.columns where column.name != target {
      switch column.values {
      case .texts(let codes, let texts, _):
        addTexts(column.name, codes, texts, isForced: forced.contains(column.name))
      case .numbers(let values):
        if let flag = try addNumbers(column.name, values) { flags.append(flag) }
      case .dates(let dates): try addDates(column.name, dates)
      }
    }
    categories += flags
    guard !categories.isEmpty || !numbers.isEmpty else {
      throw .unsuitableTable(
        path: table.path,
        reason: "no column is left to predict from"
          + (leftOut.isEmpty
            ? ""
            : ": " + leftOut.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }.listed))
    }
    let names = categories.map { ($0.name, $0.column) } + numbers.map { ($0.name, $0.column) }
    let owners = Dictionary(grouping: names, by: \.0).filter { $0.value.count > 1 }
    if let (name, twins) = owners.min(by: { $0.key < $1.key }) {
      throw .unsuitableTable(
        path: path,
        reason:
          "\(twins.map { $0.1.shown(limit: 80) }.joined(separator: " and ")) both become \(name.shown(limit: 80)); "
          + "rename one, or ignore it")
    }
    let count = categories.reduce(0) { $0 + $1.values.count }
    guard count <= Self.categoryLimit else {
      throw .unsuitableTable(
        path: table.path,
        reason:
          "its columns hold \(count) categories, expected at most \(Self.categoryLimit); ignore columns that "
          + "name rows")
    }
  }

  private mutating func addTexts(
    _ name: String, _ codes: [Int32], _ texts: [String], isForced: Bool
  ) {
    var (isUsed, filled) = ([Bool](repeating: false, count: texts.count), 0)
    for row in rows where codes[row] >= 0 {
      isUsed[Int(codes[row])] = true
      filled += 1
    }
    let values = texts.indices.filter { isUsed[$0] }.map { texts[$0] }
    if values.isEmpty {
      leftOut[name] = "every cell is missing"
    } else if values.count == 1, filled == rows.count {
      leftOut[name] = "every cell is the same"
    } else if !isForced, Self.areNames(values.count, of: filled) {
      leftOut[name] =
        "\(values.count) different texts in \(filled) cells, more names of rows than categories"
    } else {
      categories.append(Preprocessing.Table.Category(column: name, values: values.inOrder))
    }
  }

  /// Adds a column of numbers, and gives the category of those that are missing, if some are.
  private mutating func addNumbers(
    _ name: String, part: DatePart? = nil, _ values: [Double]
  ) throws(DataError) -> Preprocessing.Table.Category? {
    var known = rows.map { values[$0] }.filter { !$0.isNaN }
    let missing = rows.count - known.count
    guard !known.isEmpty else {
      if part == nil { leftOut[name] = "every cell is missing" }
      return nil
    }
    known.sort()
    if known[0] == known[known.count - 1] {
      if part == nil, missing == 0 { leftOut[name] = "every cell is the same" }
    } else {
      let median = Self.median(known)
      let (mean, deviation) = Self.moments(rows.lazy.map { values[$0].isNaN ? median : values[$0] })
      guard mean.isFinite, deviation.isFinite else {
        throw .unsuitableTable(
          path: path,
          reason:
            "the numbers of \(name.shown(limit: 80)) are too far apart to be normalised; take the column as "
            + "categories, or ignore it")
      }
      numbers.append(
        Preprocessing.Table.Number(
          column: name, part: part, median: median, mean: mean, deviation: deviation))
    }
    guard missing > 0, part == nil else { return nil }
    return Preprocessing.Table.Category(column: name, kind: .missing, values: ["False", "True"])
  }

  private mutating func addDates(
    _ name: String, _ dates: [TableDate]
  ) throws(DataError) {
    guard rows.contains(where: { !dates[$0].isMissing }) else {
      leftOut[name] = "every cell is missing"
      return
    }
    let before = categories.count + numbers.count
    for part in DatePart.allCases {
      if part.isCategory {
        let values = Set(rows.map { Self.category(part, of: dates[$0]) }.compactMap(\.self))
        guard values.count > 1 else { continue }
        categories.append(
          Preprocessing.Table.Category(
            column: name, kind: .date(part), values: Array(values).inOrder))
      } else {
        _ = try addNumbers(
          name, part: part,
          dates.map { $0.isMissing ? .nan : Double($0.value(of: part)) })
      }
    }
    if before == categories.count + numbers.count { leftOut[name] = "every cell is the same" }
  }

  /// The category that a part of a date is; nil where it is missing.
  ///
  /// A missing date is no first or last of anything.
  static func category(_ part: DatePart, of date: TableDate) -> String? {
    guard !date.isMissing else { return part.isFlag ? "False" : nil }
    let value = date.value(of: part)
    return part.isFlag ? (value == 1 ? "True" : "False") : "\(value)"
  }

  /// Whether so many different texts in so many cells are names of rows more than categories.
  static func areNames(_ different: Int, of filled: Int) -> Bool {
    different > namesAbove && different * 2 > filled
  }

  /// The median of ordered numbers: of an even number of them, the middle between two.
  static func median(_ ordered: [Double]) -> Double {
    let middle = ordered.count / 2
    return ordered.count.isMultiple(of: 2)
      ? ordered[middle - 1] / 2 + ordered[middle] / 2 : ordered[middle]
  }

  /// The mean and the deviation of the population.
  static func moments(_ values: some Collection<Double>) -> (mean: Double, deviation: Double) {
    let count = Double(values.count)
    // Of a difference to the first, so that large numbers of one size keep their digits.
    guard let first = values.first else { return (0, 0) }
    let mean = first + values.reduce(0) { $0 + ($1 - first) } / count
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / count).squareRoot())
  }
}
