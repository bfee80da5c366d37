import CrestData
import Foundation
import ProcessSupport
import Testing

@Suite struct `A file of delimited text` {
  /// The cells of every row, with the line that it begins in.
  private static func rows(_ bytes: [UInt8], delimiter: Character = ",") throws -> [(Int, [String])]
  {
    let folder = try TemporaryFolder()
    try Data(bytes).write(to: folder["a.csv"])
    do {
      var file = try DelimitedFile(folder["a.csv"].path, delimiter: delimiter)
      var rows: [(Int, [String])] = []
      while let row = try file.next() { rows.append((row.line, row.cells)) }
      return rows
    } catch DataError.malformedTable(let path, let line, let column, let reason) {
      #expect(path == folder["a.csv"].path)
      throw DataError.malformedTable(path: "a.csv", line: line, column: column, reason: reason)
    }
  }

  struct Case: Sendable {
    let text: String
    let rows: [[String]]
    var lines: [Int]?
    var delimiter: Character = ","
  }

  static let read: [Case] = [
    Case(text: "", rows: []),
    Case(text: "\n\n", rows: []),
    Case(text: "a", rows: [["a"]]),
    Case(text: "a,b\nc,d\n", rows: [["a", "b"], ["c", "d"]]),
    Case(text: "a,b\r\nc,d\r\n", rows: [["a", "b"], ["c", "d"]]),
    Case(text: "a,b\rc,d\r", rows: [["a", "b"], ["c", "d"]], lines: [1, 2]),
    Case(text: "\u{FEFF}a,b", rows: [["a", "b"]]),
    Case(text: ",\n,", rows: [["", ""], ["", ""]]),
    Case(
      text: "a,\"b,\"\"c\"\"\r\nd\"\ne,f", rows: [["a", "b,\"c\"\r\nd"], ["e", "f"]], lines: [1, 3]),
    Case(text: "\"\",\"\"", rows: [["", ""]]),
    Case(text: "\"\"", rows: [[""]]),
    Case(text: "a b , c\n", rows: [["a b ", " c"]]),
    Case(text: "5\" disk,x", rows: [["5\" disk", "x"]]),
    Case(text: "a;b,c\nd;e", rows: [["a", "b,c"], ["d", "e"]], delimiter: ";"),
    Case(
      text: "a\tb\n\n\nc\td", rows: [["a", "b"], ["c", "d"]], lines: [1, 4], delimiter: "\t"),
    Case(text: "名,ü\n\u{202E}x,👩‍👩‍👧", rows: [["名", "ü"], ["\u{202E}x", "👩‍👩‍👧"]]),
  ]

  @Test(arguments: read.indices) func `is read as RFC 4180 says`(row: Int) throws {
    let row = Self.read[row]
    let found = try Self.rows(Array(row.text.utf8), delimiter: row.delimiter)
    #expect(found.map(\.1) == row.rows)
    if let lines = row.lines { #expect(found.map(\.0) == lines) }
  }

  static let refused: [(bytes: [UInt8], message: String)] = [
    (Array("a,\"b\nc\n".utf8), "a.csv, line 1, column 2: a quote that nothing closes"),
    (
      Array("a,b\n\"c\"d,e".utf8),
      "a.csv, line 2, column 1: text after the closing quote; write a quote within a cell as two"
    ),
    (Array("a,b\nc\n".utf8), "a.csv, line 2: 1 cell, expected 2 as in the first row"),
    (Array("a,b\nc,d,e\n".utf8), "a.csv, line 2: 3 cells, expected 2 as in the first row"),
    (Array("a,b\nc,\0\n".utf8), "a.csv, line 2, column 2: a NUL byte, expected text"),
    (
      Array("a,b\n".utf8) + [0x63, 0x2c, 0xff],
      "a.csv, line 2, column 2: bytes that aren't UTF-8; save the file as that"
    ),
    ([0xff, 0xfe, 0x61, 0], "a.csv, line 1: the text is UTF-16, expected UTF-8; save it as that"),
    (
      [UInt8](repeating: 0x61, count: 1 << 20 | 1),
      "a.csv, line 1, column 1: a cell of more than 1048576 bytes"
    ),
    (
      [UInt8](repeating: 0x2c, count: 1 << 16),
      "a.csv, line 1, column 65537: more than 65536 cells"
    ),
  ]

  @Test(arguments: refused.indices) func `says where it is wrong`(row: Int) throws {
    let (bytes, message) = Self.refused[row]
    let error = #expect(throws: DataError.self) { _ = try Self.rows(bytes) }
    #expect(error?.description == message)
  }

  @Test func `is read in pieces, whose ends don't show`() throws {
    // A quoted cell, CRLF and a letter of three bytes across every place of a piece's end.
    for shift in 0..<40 {
      let first = String(repeating: "x", count: (1 << 16) - 30 + shift)
      let text = "\(first),\"y\"\"ä€\"\r\n名,\"\r\n\"\r\n"
      #expect(
        try Self.rows(Array(text.utf8)).map(\.1) == [[first, "y\"ä€"], ["名", "\r\n"]], "\(shift)")
    }
  }
}
