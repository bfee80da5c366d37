extension Preprocessing {
  /// How the rows of a table become the inputs `categories`, `int64` [K], and `numbers`, `float32` [M], of a network,
  /// by the figures of its training rows.
  ///
  /// A category is its place among the values of training, from 1; what is missing or isn't among them is 0 (fastai's
  /// `Categorify`). A number is (x - mean) / (deviation + 10⁻⁷), a missing one the median before that; where training
  /// has missing ones, a category of its own says which are (fastai's `FillMissing` and `Normalize`).
  public struct Table: Sendable, Hashable {
    /// A category of a row: text, a part of a date, or whether a number is missing.
    public struct Category: Sendable, Hashable {
      /// What of the column it is.
      public enum Kind: Sendable, Hashable {
        /// Its text.
        case text
        /// A part of its date.
        case date(DatePart)
        /// Whether its number is missing: `False` or `True`.
        case missing
      }

      /// The column of the file.
      public let column: String
      /// What of it.
      public let kind: Kind
      /// The values of training in their order; the first is 1.
      public let values: [String]

      /// A category.
      public init(column: String, kind: Kind = .text, values: [String]) {
        (self.column, self.kind, self.values) = (column, kind, values)
      }

      /// As in `workclass`, `soldMonth` or `age_na`.
      public var name: String {
        switch kind {
        case .text: column
        case .date(let part): part.name(of: column)
        case .missing: column + "_na"
        }
      }
    }

    /// A number of a row: a column, or a part of a date.
    public struct Number: Sendable, Hashable {
      /// The column of the file.
      public let column: String
      /// The part of its date; nil for a number.
      public let part: DatePart?
      /// The median of training, without the missing ones.
      public let median: Double
      /// The mean of training, with the median where one is missing.
      public let mean: Double
      /// The deviation (of the population) of training, with the median where one is missing.
      public let deviation: Double

      /// A number.
      public init(
        column: String, part: DatePart? = nil, median: Double, mean: Double, deviation: Double
      ) {
        (self.column, self.part) = (column, part)
        (self.median, self.mean, self.deviation) = (median, mean, deviation)
      }

      /// As in `age` or `soldYear`.
      public var name: String { part.map { $0.name(of: column) } ?? column }

      /// The normalised value; of the median where x is NaN.
      package func normalized(_ x: Double) -> Float {
        Float(((x.isNaN ? median : x) - mean) / (deviation + 1e-7))
      }
    }

    /// What is predicted.
    public enum Target: Sendable, Hashable {
      /// One of these classes.
      case classes([String])
      /// A number, of which training has this mean and deviation.
      case values(mean: Double, deviation: Double)
    }

    /// How the file was read.
    public let format: TableFormat
    /// The categories, in the order of the input.
    public let categories: [Category]
    /// The numbers, in the order of the input.
    public let numbers: [Number]
    /// The column that is predicted.
    public let targetColumn: String
    /// What it holds.
    public let target: Target

    /// A preparation.
    ///
    /// - Precondition: there is a category or a number, names are different, figures are finite, and no deviation is below 0.
    public init(
      format: TableFormat = TableFormat(), categories: [Category], numbers: [Number],
      targetColumn: String, target: Target
    ) {
      (self.format, self.categories, self.numbers) = (format, categories, numbers)
      (self.targetColumn, self.target) = (targetColumn, target)
      if let objection { programmerError("a table of which \(objection)") }
    }

    /// The name of the input of categories.
    public static let categoriesInput = "categories"
    /// The name of the input of numbers.
    public static let numbersInput = "numbers"

    /// The columns that the inputs come from, in their order.
    public var columns: [String] {
      var seen: Set<String> = []
      return (categories.map(\.column) + numbers.map(\.column)).filter { seen.insert($0).inserted }
    }

    /// What is wrong with the figures; nil if nothing is.
    var objection: String? {
      if categories.isEmpty, numbers.isEmpty { return "nothing is left to predict from" }
      let names = categories.map(\.name) + numbers.map(\.name)
      if Set(names).count < names.count { return "two inputs have one name" }
      if columns.contains(targetColumn) { return "the target is an input" }
      for category in categories
      where Set(category.values.map { Array($0.utf8) }).count < category.values.count {
        return "\(category.name) has a value twice"
      }
      for number in numbers {
        let figures = [number.median, number.mean, number.deviation]
        guard figures.allSatisfy(\.isFinite), number.deviation >= 0 else {
          return "\(number.name) has the figures \(figures)"
        }
      }
      switch target {
      case .classes(let names): return names.isEmpty ? "there is no class" : nil
      case .values(let mean, let deviation):
        return mean.isFinite && deviation.isFinite && deviation > 0
          ? nil : "the target has the mean \(mean) and the deviation \(deviation)"
      }
    }
  }

  /// The preprocessing of rows of a table, whose values are used as they are otherwise.
  public init(table: Table) {
    self = .identity
    self.table = table
  }
}

extension Preprocessing.Table: CustomStringConvertible {
  /// As in `8 categories and 6 numbers of a table, for income`.
  public var description: String {
    "\(categories.count) \(categories.count == 1 ? "category" : "categories") and \(numbers.count) "
      + "\(numbers.count == 1 ? "number" : "numbers") of a table, for \(targetColumn)"
  }
}

/// A part of a date, as fastai's `add_datepart` makes it.
public enum DatePart: String, Sendable, Hashable, CaseIterable {
  /// The year.
  case year = "Year"
  /// The month, from 1.
  case month = "Month"
  /// ISO 8601's week, from 1: the last days of December may be in week 1.
  case week = "Week"
  /// The day of the month, from 1.
  case day = "Day"
  /// The day of the week: Monday is 0.
  case dayOfWeek = "Dayofweek"
  /// The day of the year, from 1.
  case dayOfYear = "Dayofyear"
  /// Whether it is the last day of a month.
  case isMonthEnd = "Is_month_end"
  /// Whether it is the first day of a month.
  case isMonthStart = "Is_month_start"
  /// Whether it is the last day of a quarter.
  case isQuarterEnd = "Is_quarter_end"
  /// Whether it is the first day of a quarter.
  case isQuarterStart = "Is_quarter_start"
  /// Whether it is the last day of a year.
  case isYearEnd = "Is_year_end"
  /// Whether it is the first day of a year.
  case isYearStart = "Is_year_start"
  /// The hour.
  case hour = "Hour"
  /// The minute.
  case minute = "Minute"
  /// The second.
  case second = "Second"
  /// The seconds since 1970.
  case elapsed = "Elapsed"

  /// Whether it is a category and not a number.
  package var isCategory: Bool {
    switch self {
    case .month, .dayOfWeek: true
    default: isFlag
    }
  }

  /// Whether it is `True` or `False`.
  package var isFlag: Bool {
    switch self {
    case .isMonthEnd, .isMonthStart, .isQuarterEnd, .isQuarterStart, .isYearEnd, .isYearStart: true
    default: false
    }
  }

  /// The name of the part of a column, as in `saleMonth` of `saleDate`.
  func name(of column: String) -> String {
    let isDated = column.hasSuffix("Date") || column.hasSuffix("date")
    return (isDated ? String(column.dropLast(4)) : column) + rawValue
  }
}
