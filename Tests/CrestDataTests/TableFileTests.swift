import CrestData
import CrestTensor
import Foundation
import ProcessSupport
import Testing

@Suite struct `A table in a file` {
  /// What `body` makes of a file, whose path is `t.csv` in its error.
  private static func with<Result>(
    _ text: String, _ body: (String) throws -> Result
  ) throws -> Result {
    let folder = try TemporaryFolder()
    let path = try folder.write(text, to: "t.csv")
    do {
      return try body(path)
    } catch DataError.malformedTable(path, let line, let column, let reason) {
      throw DataError.malformedTable(path: "t.csv", line: line, column: column, reason: reason)
    } catch DataError.unsuitableTable(path, let reason) {
      throw DataError.unsuitableTable(path: "t.csv", reason: reason)
    } catch DataError.tooFewExamples(path, let count) {
      throw DataError.tooFewExamples(name: "t.csv", count: count)
    }
  }

  // MARK: Numbers

  @Test func `has the numbers that Python reads, to the bit`() throws {
    let exact = TableFixtures.all.numbersExact.sorted { $0.key < $1.key }
    #expect(exact.count > 90)
    for decimal in [Character("."), ","] {
      let lines = exact.map { decimal == "." ? $0.key : $0.key.replacing(".", with: ",") }
      try Self.with((["x;y"] + lines.map { $0 + ";1" }).joined(separator: "\n")) { path in
        let table = try TableColumns(
          path, TableFormat(delimiter: ";", decimal: decimal), kinds: ["x": .number])
        guard case .numbers(let values) = table.columns[0].values else {
          Issue.record("no numbers")
          return
        }
        for ((text, bits), value) in zip(exact, values) {
          #expect(
            String(value.bitPattern, radix: 16) == String(UInt64(bits, radix: 16) ?? 1, radix: 16),
            "\(text)")
        }
      }
    }
  }

  static let noNumbers = [
    "abc", "1 2", "0x10", "1_000", "1e", "e5", ".", "-", "+-1", "1.2.3", "inf", "1,5", "1e999", "½",
    "１",
  ]

  @Test(arguments: noNumbers) func `has no number in other texts`(text: String) throws {
    let error = #expect(throws: DataError.self) {
      try Self.with("x;y\n1;1\n\(text);2\n") { path in
        _ = try TableColumns(path, TableFormat(delimiter: ";"), kinds: ["x": .number])
      }
    }
    #expect(
      error?.description
        == "t.csv, line 3, column 1: \"\(text)\" of x is no number, expected one, or a missing value"
    )
  }

  // MARK: Kinds

  struct KindCase: Sendable {
    /// The cells of a column.
    let cells: [String]
    let kind: TableColumns.Kind
    var missing = 0
    var format = TableFormat()
  }

  static let kinds: [KindCase] = [
    KindCase(cells: ["1", "2.5", "-3e2"], kind: .number),
    KindCase(cells: ["1", "", "NA"], kind: .number, missing: 2),
    KindCase(cells: ["?", "nan", "null", "None", "<NA>", "4"], kind: .number, missing: 5),
    KindCase(cells: ["a", "1", "2"], kind: .category),
    KindCase(cells: ["007", "123"], kind: .category),
    KindCase(cells: ["0", "0.5", "10"], kind: .number),
    KindCase(cells: ["\"1\"", "\"2\""], kind: .number),
    KindCase(cells: ["\"NA\"", "b"], kind: .category),
    KindCase(
      cells: ["\"NA\"", "3"], kind: .number, missing: 1, format: TableFormat(missing: ["NA"])),
    KindCase(cells: ["NA", "b"], kind: .category, format: TableFormat(missing: ["-"])),
    KindCase(cells: ["2024-02-29", "1999/12/31", "2023.01.05 13:05"], kind: .date),
    KindCase(
      cells: ["2024-02-29T13:05:09.5+01:00", "", "2024-02-29T13:05Z"], kind: .date, missing: 1),
    KindCase(cells: ["29.02.2024", "1/3/2023"], kind: .category),
    KindCase(
      cells: ["29.02.2024", "1/3/2023"], kind: .date, format: TableFormat(dateOrder: .dayMonthYear)),
    KindCase(cells: ["02/29/2024"], kind: .date, format: TableFormat(dateOrder: .monthDayYear)),
    KindCase(cells: ["2024-02-29", "soon"], kind: .category),
    KindCase(cells: ["20240229"], kind: .number),
    KindCase(cells: ["", ""], kind: .category, missing: 2),
    KindCase(cells: ["1.", "2."], kind: .number, format: TableFormat(trimmedEnd: ".")),
  ]

  @Test(arguments: kinds.indices) func `is looked at for what its columns hold`(row: Int) throws {
    let row = Self.kinds[row]
    let text = "x;y\n" + row.cells.map { "\($0);1\n" }.joined()
    try Self.with(text) { path in
      let column = try TableColumns(path, row.format).columns[0]
      #expect(column.kind == row.kind)
      #expect(column.missingCount == row.missing)
    }
  }

  static let looks: [(cells: [String], message: String)] = [
    (
      ["1", "2", "3", "4", "5", "6", "7", "8", "9", "x"],
      "t.csv, line 11, column 1: \"x\" of x is no number, as 9 of its 10 cells are; correct it, name it as a missing value, "
        + "or take the column as categories"
    ),
    (
      ["2024-01-31", "2023-02-29"],
      "t.csv, line 3, column 1: \"2023-02-29\" of x is no day of the calendar; correct it, or take the column as categories, "
        + "or ignore it"
    ),
    (
      ["2024-01-31 24:00"],
      "t.csv, line 2, column 1: \"2024-01-31 24:00\" of x is no day of the calendar; correct it, or take the column as "
        + "categories, or ignore it"
    ),
    (
      ["0000-01-01"],
      "t.csv, line 2, column 1: \"0000-01-01\" of x is no day of the calendar; correct it, or take the column as categories, or ignore it"
    ),
  ]

  @Test(arguments: looks.indices) func `is refused with what is most likely wrong`(row: Int) throws
  {
    let (cells, message) = Self.looks[row]
    let error = #expect(throws: DataError.self) {
      try Self.with("x;y\n" + cells.map { "\($0);1\n" }.joined()) { path in
        _ = try TableColumns(path, TableFormat())
      }
    }
    #expect(error?.description == message)
  }

  // MARK: Dialects

  static let dialects: [(text: String, delimiter: String, names: [String], rows: Int)] = [
    ("a,b\n1,2\n", ",", ["a", "b"], 1),
    ("a;b\n1,5;2,5\n", ";", ["a", "b"], 1),
    ("a\tb\n1;2\t3;4\n", "\t", ["a", "b"], 1),
    ("a|b|c\r\n1|2|3\r\n4|5|6", "|", ["a", "b", "c"], 2),
    ("a\n1\n2\n", ",", ["a"], 2),
    ("a,b\n\"x;y\",2\nz,3\n", ",", ["a", "b"], 2),
    ("\u{FEFF} a , b \n 1 , 2 \n", ",", ["a", "b"], 1),
    (" \"a\" , \"b,c\" \n1,2\n", ",", ["a", "b,c"], 1),
  ]

  @Test(arguments: dialects.indices) func `is looked at for what separates its cells`(row: Int)
    throws
  {
    let row = Self.dialects[row]
    try Self.with(row.text) { path in
      let table = try TableColumns(path, TableFormat())
      #expect(String(Unicode.Scalar(table.delimiter)) == row.delimiter)
      #expect(table.names == row.names && table.rowCount == row.rows)
    }
  }

  @Test func `has comments, names given beside it, and ends that are taken off`() throws {
    try Self.with("|1x3 Cross validator\n25, Private, <=50K.\n\n38, ?, >50K.\n|end") { path in
      let format = TableFormat(columns: ["age", "work", "income"], comment: "|", trimmedEnd: ".")
      let table = try TableColumns(path, format)
      #expect(table.rowCount == 2)
      guard case .numbers(let ages) = table.columns[0].values,
        case .texts(let works, let names, let lines) = table.columns[1].values,
        case .texts(_, let incomes, _) = table.columns[2].values
      else {
        Issue.record("other kinds")
        return
      }
      #expect(ages == [25, 38] && works == [0, -1] && names == ["Private"] && lines == [2])
      #expect(incomes == ["<=50K", ">50K"])
    }
  }

  // MARK: Refusals

  struct Refusal: Sendable {
    let text: String
    let message: String
    var target = "y"
    var task: TableFile.Task?
    var format = TableFormat()
  }

  static let refusals: [Refusal] = [
    Refusal(text: "", message: "t.csv: it holds no row"),
    Refusal(text: "x,y\n", message: "t.csv: it holds the names of columns and no row; add rows"),
    Refusal(
      text: "x,\n1,2\n",
      message:
        "t.csv, line 1, column 2: a column without a name; if the file has no line of names, name its columns"
    ),
    Refusal(
      text: "x,x\n1,2\n",
      message:
        "t.csv, line 1, column 2: the column x again; give each a name of its own; if the file has no line of names, name "
        + "its columns"),
    Refusal(
      text: "1,2,3\n",
      message: "t.csv, line 1: 3 cells, expected one for each of the 2 columns named",
      format: TableFormat(columns: ["x", "y"])),
    Refusal(
      text: "x,y\n1,2\n3\n", message: "t.csv, line 3: 1 cell, expected 2 as in the first row"),
    Refusal(
      text: "x,y\n1,\"2\n3,4\n", message: "t.csv, line 2, column 2: a quote that nothing closes"),
    Refusal(
      text: "x,y\n1,2\n1,3\n", message: "t.csv: there is no column z, expected one of x, y",
      target: "z",
      task: .classes),
    Refusal(
      text: "x,y\n1,2\n1,3\n",
      message: "t.csv: there is no column z to predict, expected one of x, y", target: "z"),
    Refusal(
      text: "x,y\n1,a\n2,\n",
      message:
        "t.csv, line 3, column 2: no y, which is what a row is learned from; add it, or remove the row"
    ),
    Refusal(
      text: "x,y\n1,a\n2,a\n",
      message: "t.csv: every row has the same y, \"a\"; there is nothing to learn"),
    Refusal(
      text: "x,y\n1,3\n2,3\n",
      message:
        "t.csv: every row that training learns from has the same y, 3.0; there is nothing to learn",
      task: .values),
    Refusal(
      text: "x,y\n1,3\n2,b\n",
      message: "t.csv, line 3, column 2: \"b\" of y is no number, expected one, or a missing value",
      task: .values),
    Refusal(
      text: "x,y\n1,2024-01-01\n2,2024-01-02\n",
      message:
        "t.csv: y holds dates, which aren't predicted; give numbers, or say that it holds classes"),
    Refusal(
      text: "x,z,y\n1,,a\n1,,b\n",
      message:
        "t.csv: no column is left to predict from: x (every cell is the same), z (every cell is missing)"
    ),
    Refusal(
      text: "x,x_na,y\n1,a,a\n,b,b\n2,a,a\n4,b,b\n,a,a\n",
      message: "t.csv: x_na and x both become x_na; rename one, or ignore it"),
    Refusal(
      text: "x,y\n-1e308,a\n1e308,b\n1e308,a\n-1e308,b\n",
      message:
        "t.csv: the numbers of x are too far apart to be normalised; take the column as categories, or ignore it"
    ),
    Refusal(
      text: "x,y\n1,a\n",
      message: "t.csv: every row has the same y, \"a\"; there is nothing to learn"),
    Refusal(
      text: "x,y\n1,2.5\n",
      message:
        "t.csv has 1 example and no validation set, too few to hold some out; add a validation set"),
  ]

  @Test(arguments: refusals.indices) func `is refused with the place and the reason`(row: Int)
    throws
  {
    let row = Self.refusals[row]
    let error = #expect(throws: DataError.self) {
      try Self.with(row.text) { path in
        _ = try TableFile(path, target: row.target, task: row.task, format: row.format).split(
          divides: row.text.contains("2.5"))
      }
    }
    #expect(error?.description == row.message)
  }

  // MARK: Tasks

  static let tasks: [(cells: [String], classes: [String]?)] = [
    (["b", "a", "b", "a"], ["a", "b"]),
    (["10", "9", "10", "9"], ["9", "10"]),
    (["1.0", "2.0", "1.0"], ["1.0", "2.0"]),
    (["1.5", "2", "1"], nil),
    ((1...21).map { "\($0)" }, nil),
    ((1...20).map { "\($0)" }, (1...20).map { "\($0)" }),
  ]

  @Test(arguments: tasks.indices) func `is one of classes or values by its target`(row: Int) throws
  {
    let (cells, classes) = Self.tasks[row]
    let text = "x,y\n" + cells.enumerated().map { "\($0 % 7),\($1)\n" }.joined()
    try Self.with(text) { path in
      let split = try TableFile(path, target: "y").split(divides: false)
      #expect(
        split.train.target == (classes.map { .classes(names: $0, shape: []) } ?? .values(shape: []))
      )
    }
  }
}
