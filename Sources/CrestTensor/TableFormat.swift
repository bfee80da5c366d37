/// How a file of delimited text is read as a table.
///
/// Cells are separated by a delimiter, and may be in double quotes (RFC 4180). Text is UTF-8. Spaces around a cell without
/// quotes, and empty lines, don't count. The first line names the columns, unless ``columns`` does.
public struct TableFormat: Sendable, Hashable {
  /// The order of the numbers of a date.
  public enum DateOrder: String, Sendable, Hashable, CaseIterable {
    /// As in 2024-02-29, and ISO 8601 with a time.
    case yearMonthDay = "ymd"
    /// As in 29.02.2024 or 29/02/2024.
    case dayMonthYear = "dmy"
    /// As in 02/29/2024.
    case monthDayYear = "mdy"
  }

  /// What separates cells; nil for what is found in the first lines: a tab, `;`, `|` or `,`.
  public var delimiter: Character?
  /// The names of the columns of a file whose first line is a row.
  public var columns: [String]?
  /// What lines begin with that don't count; nil for none.
  public var comment: String?
  /// What stands for a missing value beside an empty cell; nil for ``standardMissing``.
  public var missing: [String]?
  /// What separates the whole from its fraction: `.` or `,`.
  public var decimal: Character
  /// What is taken off the end of each cell; nil for nothing.
  public var trimmedEnd: String?
  /// The order of the numbers of a date.
  public var dateOrder: DateOrder

  /// What stands for a missing value without quotes, as in pandas, and the question mark of many old files.
  public static let standardMissing = [
    "NA", "N/A", "n/a", "<NA>", "#N/A", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None", "?",
  ]

  /// A format.
  ///
  /// - Precondition: the delimiter and the decimal are ASCII characters that can be told apart, columns have different names
  ///   that aren't empty, and no text is empty.
  public init(
    delimiter: Character? = nil, columns: [String]? = nil, comment: String? = nil,
    missing: [String]? = nil, decimal: Character = ".", trimmedEnd: String? = nil,
    dateOrder: DateOrder = .yearMonthDay
  ) {
    (self.delimiter, self.columns, self.comment) = (delimiter, columns, comment)
    (self.missing, self.decimal, self.trimmedEnd) = (missing, decimal, trimmedEnd)
    self.dateOrder = dateOrder
    if let objection { programmerError("a table of which \(objection)") }
  }

  /// What is wrong with it; nil if nothing is.
  package var objection: String? {
    if let delimiter {
      guard delimiter.isASCII, delimiter != "\"", !delimiter.isNewline, delimiter != "\0",
        delimiter != " "
      else { return "cells are separated by \"\(delimiter)\"" }
    }
    guard decimal == "." || decimal == "," else { return "the decimal is \"\(decimal)\"" }
    guard delimiter != decimal else { return "the decimal is the delimiter" }
    if let columns {
      guard !columns.isEmpty, !columns.contains(""), Set(columns).count == columns.count else {
        return "columns have no name, or the same"
      }
    }
    for text in [comment, trimmedEnd] where text == "" { return "a text is empty" }
    return nil
  }
}
