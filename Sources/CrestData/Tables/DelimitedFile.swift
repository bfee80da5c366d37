import CrestFiles
import CrestTensor

/// A file of delimited text (RFC 4180), read row by row, so that memory doesn't grow with it.
///
/// Cells are separated by the delimiter, rows by LF, CRLF or CR. A cell in double quotes may hold all of these, and a
/// quote as two. Text is UTF-8, with or without a byte order mark. Empty lines are skipped. Every row must have as many
/// cells as the first.
package struct DelimitedFile: ~Copyable {
  /// A row.
  package struct Row: Sendable, Hashable {
    /// The line that it begins in, from 1.
    package let line: Int
    /// Its cells, without the quotes around them.
    package let cells: [String]
  }

  /// The file.
  package let path: String
  private let file: RegularFile
  private let delimiter: UInt8
  private var buffer: [UInt8] = []
  private var place = 0
  private var offset = 0
  private var line = 1
  private var columnCount: Int?

  /// The most bytes of a cell.
  package static let cellLimit = 1 << 20
  /// The most cells of a row.
  package static let columnLimit = 1 << 16
  /// As many bytes are read at once.
  private static let pieceByteCount = 1 << 16

  private static let (quote, lineFeed, carriageReturn) = (UInt8(ascii: "\""), UInt8(10), UInt8(13))

  /// Opens the file.
  ///
  /// - Throws: ``DataError/unreadable(path:reason:)``.
  /// - Precondition: the delimiter is an ASCII character, and neither a quote nor the end of a line.
  package init(_ path: String, delimiter: Character = ",") throws(DataError) {
    guard let byte = delimiter.asciiValue, byte != Self.quote, !delimiter.isNewline else {
      programmerError("cells separated by \(delimiter)")
    }
    file = try Self.open(path)
    self.path = path
    self.delimiter = byte
  }

  private static func open(_ path: String) throws(DataError) -> RegularFile {
    do throws(RegularFile.Failure) {
      return try .settled(path)
    } catch {
      throw .unreadable(path: path, reason: error.message)
    }
  }

  /// The next row; nil after the last.
  ///
  /// - Throws: ``DataError/malformedTable(path:line:column:reason:)``, ``DataError/unreadable(path:reason:)``.
  package mutating func next() throws(DataError) -> Row? {
    if offset == 0, buffer.isEmpty { try begin() }
    while let byte = try peek(), byte == Self.lineFeed || byte == Self.carriageReturn {
      try endLine()
    }
    guard try peek() != nil else { return nil }
    let start = line
    var cells: [String] = []
    while true {
      let (cell, isLast) = try cell(number: cells.count + 1)
      cells.append(cell)
      if isLast { break }
      guard cells.count < Self.columnLimit else {
        throw wrong("more than \(Self.columnLimit) cells", column: cells.count + 1, line: start)
      }
    }
    let expected = columnCount ?? cells.count
    guard cells.count == expected else {
      throw wrong(
        "\(cells.count) \(cells.count == 1 ? "cell" : "cells"), expected \(expected) as in the first row",
        line: start)
    }
    columnCount = expected
    return Row(line: start, cells: cells)
  }

  private mutating func begin() throws(DataError) {
    try fill()
    if buffer.starts(with: [0xff, 0xfe]) || buffer.starts(with: [0xfe, 0xff]) {
      throw wrong("the text is UTF-16, expected UTF-8; save it as that")
    }
    if buffer.starts(with: [0xef, 0xbb, 0xbf]) { place = 3 }
  }

  /// A cell, and whether the row ends with it; what ends it is taken, too.
  private mutating func cell(number: Int) throws(DataError) -> (text: String, isLast: Bool) {
    let start = line
    var bytes: [UInt8] = []
    let isQuoted = try peek() == Self.quote
    if isQuoted { try readQuoted(into: &bytes, cell: number) }
    while let byte = try peek() {
      if byte == delimiter {
        place += 1
        return (try text(bytes, cell: number, line: start), false)
      }
      if byte == Self.lineFeed || byte == Self.carriageReturn {
        try endLine()
        break
      }
      guard !isQuoted else {
        throw wrong(
          "text after the closing quote; write a quote within a cell as two", column: number)
      }
      try add(byte, to: &bytes, cell: number)
      place += 1
    }
    return (try text(bytes, cell: number, line: start), true)
  }

  /// A cell in quotes, up to the closing one.
  private mutating func readQuoted(into bytes: inout [UInt8], cell number: Int) throws(DataError) {
    let start = line
    place += 1
    while let byte = try peek() {
      place += 1
      if byte == Self.quote {
        guard try peek() == Self.quote else { return }
        place += 1
      } else if byte == Self.lineFeed {
        line += 1
      }
      try add(byte, to: &bytes, cell: number)
    }
    throw wrong("a quote that nothing closes", column: number, line: start)
  }

  private func add(_ byte: UInt8, to bytes: inout [UInt8], cell number: Int) throws(DataError) {
    guard byte != 0 else { throw wrong("a NUL byte, expected text", column: number) }
    guard bytes.count < Self.cellLimit else {
      throw wrong("a cell of more than \(Self.cellLimit) bytes", column: number)
    }
    bytes.append(byte)
  }

  private func text(_ bytes: [UInt8], cell: Int, line: Int) throws(DataError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw wrong("bytes that aren't UTF-8; save the file as that", column: cell, line: line)
    }
    return text
  }

  private mutating func endLine() throws(DataError) {
    let byte = buffer[place]
    place += 1
    if byte == Self.carriageReturn, try peek() == Self.lineFeed { place += 1 }
    line += 1
  }

  /// The next byte; nil at the end.
  private mutating func peek() throws(DataError) -> UInt8? {
    if place == buffer.count { try fill() }
    return place < buffer.count ? buffer[place] : nil
  }

  private mutating func fill() throws(DataError) {
    offset += buffer.count
    place = 0
    do throws(RegularFile.Failure) {
      buffer = try file.bytes(
        count: min(Self.pieceByteCount, file.byteCount - offset), at: offset)
    } catch {
      throw .unreadable(path: path, reason: error.message)
    }
  }

  private func wrong(_ reason: String, column: Int? = nil, line: Int? = nil) -> DataError {
    .malformedTable(path: path, line: line ?? self.line, column: column, reason: reason)
  }
}
