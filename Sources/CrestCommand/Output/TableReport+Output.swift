import Crest
import CrestFiles
import Foundation

extension TableReport {
  private var delimiterText: String {
    delimiter == 9 ? "a tab" : "\"\(Unicode.Scalar(delimiter))\""
  }

  /// The rows, and a line for each column.
  var lines: [String] {
    let head = [
      "table   \(path)",
      "rows    \(rowCount), cells separated by \(delimiterText)",
    ]
    let rows = [["column", "kind", "missing", "different", "values"]] + columns.map(\.cells)
    let body = table(rows, rightAligned: [2, 3])
    return head + [""] + body
  }

  /// The members of a JSON object.
  var members: [(key: String, value: JSONLine.Value)] {
    [
      ("name", .text(path)), ("rows", .integer(rowCount)),
      ("delimiter", .text(String(Unicode.Scalar(delimiter)))),
      ("columns", .list(columns.map { .object($0.members) })),
    ]
  }
}

extension TableReport.Column {
  /// As many values are in a line.
  private static let listedCount = 5
  /// As many values are in JSON.
  private static let memberCount = 100

  fileprivate var cells: [String] {
    let parts = [remark, summary].compactMap(\.self)
    return [
      name.shown(limit: 40), kind.rawValue, "\(missingCount)", "\(differentCount)",
      parts.joined(separator: ": "),
    ]
  }

  /// A whole number as it is, another with four digits.
  private static func text(_ number: Double) -> String {
    if let whole = Int(exactly: number), abs(whole) < 1 << 53 { return "\(whole)" }
    return String(format: "%.4g", number)
  }

  private var summary: String? {
    switch values {
    case .none: nil
    case .dates(let first, let last): "\(first) to \(last)"
    case .numbers(let figures):
      "\(Self.text(figures.minimum)) to \(Self.text(figures.maximum)), mean \(Self.text(figures.mean)), median "
        + "\(Self.text(figures.median)), deviation \(Self.text(figures.deviation))"
    case .texts(let ranked):
      ranked.prefix(Self.listedCount).map { "\($0.text.shown(limit: 40)) \($0.count)" }
        .joined(separator: ", ")
        + (ranked.count > Self.listedCount ? " and \(ranked.count - Self.listedCount) more" : "")
    }
  }

  fileprivate var members: [(key: String, value: JSONLine.Value)] {
    let known: [(key: String, value: JSONLine.Value)] = [
      ("name", .text(name)), ("kind", .text(kind.rawValue)), ("missing", .integer(missingCount)),
      ("different", .integer(differentCount)),
      ("remark", remark.map { .text($0) } ?? .null),
    ]
    switch values {
    case .none: return known
    case .dates(let first, let last):
      return known + [("first", .text(first)), ("last", .text(last))]
    case .numbers(let figures):
      return known + [
        ("minimum", .number(figures.minimum)), ("maximum", .number(figures.maximum)),
        ("mean", .number(figures.mean)), ("median", .number(figures.median)),
        ("deviation", .number(figures.deviation)),
      ]
    case .texts(let ranked):
      let counts = ranked.prefix(Self.memberCount).map { row in
        JSONLine.Value.object([("value", .text(row.text)), ("count", .integer(row.count))])
      }
      return known + [("values", .list(counts))]
    }
  }
}
