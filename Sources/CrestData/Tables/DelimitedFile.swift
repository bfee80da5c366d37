import CrestFiles
import CrestTensor

/// A file of delimited text (RFC 4180), read row by row, so that memory doesn't grow with it.
///
/// Cells are separated by the delimiter, rows by LF, CRLF or CR. A cell in double quotes may hold all of these, and a
/// quote as two. Text is UTF-8, with or without a byte order mark. Empty lines are skipped. Every row must have as many
/// cells as the first.
package struct DelimitedFile: ~Copyable {
  /// What differs from RFC 4180.
  package struct Dialect: Sendable, Hashable {
    /// What separates cells.
    package var delimiter = UInt8(ascii: ",")
    /// What lines begin with that are skipped; empty for none.
    package var comment: [UInt8] = []
    /// Whether spaces around a cell without quotes, or around its quotes, don't count.
    package var trimsSpaces = false
    /// What is taken off the end of each cell; empty for nothing.
    package var trimmedEnd: [UInt8] = []

    package init() {}
  }

  /// A row.
  package struct Row: Sendable, Hashable {
    /// The line that it begins in, from 1.
    package let line: Int
    /// Its cells, without the quotes around them.
    package let cells: [String]
  }

  /// A cell of the row that was read last.
  package struct Cell: Sendable {
    /// The line that it begins in.
    package let line: Int
    package let isQuoted: Bool
    fileprivate var start: Int
    fileprivate var end: Int
    fileprivate let hasDoubledQuotes: Bool
  }

  /// The file.
  package let path: String
  /// The cells of the row that was read last.
  package private(set) var cells: [Cell] = []
  /// The line that this row begins in.
  package private(set) var rowLine = 1
  private let file: RegularFile
  private let dialect: Dialect
  /// Bytes of the file, of which `place` is the first that isn't read.
  private var memory: UnsafeMutableBufferPointer<UInt8>
  private var filled = 0
  private var place = 0
  /// How much of the file was taken into memory.
  private var offset = 0
  private var line = 1
  private var columnCount: Int?

  /// The most bytes of a cell.
  package static let cellLimit = 1 << 20
  /// The most cells of a row.
  package static let columnLimit = 1 << 16
  /// The most bytes of a row.
  package static let rowLimit = 1 << 24
  /// As many bytes are read at once.
  private static let pieceByteCount = 1 << 18

  // Stored, they would be asked for by a call for each byte.
  private static var quote: UInt8 { UInt8(ascii: "\"") }
  private static var lineFeed: UInt8 { 10 }
  private static var carriageReturn: UInt8 { 13 }
  private static var space: UInt8 { UInt8(ascii: " ") }

  /// Opens the file.
  ///
  /// - Throws: ``DataError/unreadable(path:reason:)``.
  /// - Precondition: the delimiter is an ASCII character, and neither a quote nor the end of a line.
  package init(_ path: String, delimiter: Character = ",") throws(DataError) {
    var dialect = Dialect()
    guard let byte = delimiter.asciiValue else {
      programmerError("cells separated by \(delimiter)")
    }
    dialect.delimiter = byte
    try self.init(path, dialect)
  }

  /// Opens the file.
  ///
  /// - Throws: ``DataError/unreadable(path:reason:)``.
  /// - Precondition: the delimiter is an ASCII character, and neither a quote nor the end of a line.
  package init(_ path: String, _ dialect: Dialect) throws(DataError) {
    let delimiter = dialect.delimiter
    programmerError(
      unless: delimiter != Self.quote && delimiter != Self.lineFeed && delimiter != 0
        && delimiter != Self.carriageReturn && delimiter < 0x80,
      "cells separated by byte \(delimiter)")
    let opened = try Self.open(path)
    memory = .allocate(capacity: max(min(Self.pieceByteCount, opened.byteCount), 1))
    file = opened
    self.path = path
    self.dialect = dialect
  }

  deinit { memory.deallocate() }

  private static func open(_ path: String) throws(DataError) -> RegularFile {
    do throws(RegularFile.Failure) {
      return try .settled(path)
    } catch {
      throw .unreadable(path: path, reason: error.message)
    }
  }

  /// Its size.
  package var byteCount: Int { file.byteCount }

  /// Goes back to the first row.
  package mutating func rewind() {
    (filled, place, offset, line, columnCount) = (0, 0, 0, 1, nil)
    cells = []
  }

  /// The next row; nil after the last.
  ///
  /// - Throws: ``DataError/malformedTable(path:line:column:reason:)``, ``DataError/unreadable(path:reason:)``.
  package mutating func next() throws(DataError) -> Row? {
    guard try readRow() else { return nil }
    var texts: [String] = []
    for number in cells.indices { texts.append(try text(number)) }
    return Row(line: rowLine, cells: texts)
  }

  /// Reads the next row into ``cells``; false after the last.
  ///
  /// - Throws: ``DataError/malformedTable(path:line:column:reason:)``, ``DataError/unreadable(path:reason:)``.
  package mutating func readRow() throws(DataError) -> Bool {
    if offset == 0 { try begin() }
    while true {
      switch try scan() {
      case .row: break
      case .end: return false
      case .incomplete:
        try fill()
        continue
      }
      break
    }
    let expected = columnCount ?? cells.count
    guard cells.count == expected else {
      throw wrong(
        "\(cells.count) \(cells.count == 1 ? "cell" : "cells"), expected \(expected) as in the first row",
        line: rowLine)
    }
    columnCount = expected
    return true
  }

  /// The bytes of a cell, without the quotes around them, until the next row is read.
  package func bytes(_ number: Int) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: memory[cells[number].start..<cells[number].end])
  }

  /// The text of a cell.
  ///
  /// - Throws: ``DataError/malformedTable(path:line:column:reason:)`` when it isn't UTF-8.
  package func text(_ number: Int) throws(DataError) -> String {
    guard let text = String(validating: bytes(number), as: UTF8.self) else {
      throw wrong(
        "bytes that aren't UTF-8; save the file as that", column: number + 1,
        line: cells[number].line)
    }
    return text
  }

  private mutating func begin() throws(DataError) {
    try fill()
    if filled >= 2, memory[0] == 0xff && memory[1] == 0xfe || memory[0] == 0xfe && memory[1] == 0xff
    {
      throw wrong("the text is UTF-16, expected UTF-8; save it as that")
    }
    if filled >= 3, memory[0] == 0xef, memory[1] == 0xbb, memory[2] == 0xbf { place = 3 }
  }

  /// Takes more of the file into memory, behind what isn't read of it.
  private mutating func fill() throws(DataError) {
    let rest = filled - place
    guard rest <= Self.rowLimit else {
      throw wrong(
        "a row of more than \(Self.rowLimit) bytes; is a quote left open, or is it no text?",
        line: line)
    }
    if rest == memory.count {
      let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: memory.count * 2)
      _ = larger.update(fromContentsOf: memory)
      memory.deallocate()
      memory = larger
    } else if place > 0, let base = memory.baseAddress {
      base.update(from: base + place, count: rest)
    }
    (place, filled) = (0, rest)
    let count = min(memory.count - rest, file.byteCount - offset)
    do throws(RegularFile.Failure) {
      try file.read(
        into: UnsafeMutableRawBufferPointer(
          rebasing: UnsafeMutableRawBufferPointer(memory)[rest..<rest + count]), at: offset)
    } catch {
      throw .unreadable(path: path, reason: error.message)
    }
    filled += count
    offset += count
  }

  private enum Scan { case row, end, incomplete }

  /// Finds the cells of the next row, as far as it is in memory.
  private mutating func scan() throws(DataError) -> Scan {
    let isWhole = offset == file.byteCount
    while place < filled {
      let byte = memory[place]
      if byte == Self.lineFeed || byte == Self.carriageReturn {
        guard let next = afterLine(place, isWhole) else { return .incomplete }
        (place, line) = (next, line + 1)
      } else if !dialect.comment.isEmpty, byte == dialect.comment[0] {
        let end = place + dialect.comment.count
        if end > filled, !isWhole { return .incomplete }
        guard end <= filled, memory[place..<end].elementsEqual(dialect.comment) else { break }
        var last = end
        while last < filled, memory[last] != Self.lineFeed, memory[last] != Self.carriageReturn {
          last += 1
        }
        guard last < filled else {
          if isWhole { return .end }
          return .incomplete
        }
        guard let next = afterLine(last, isWhole) else { return .incomplete }
        (place, line) = (next, line + 1)
      } else {
        break
      }
    }
    guard place < filled else { return isWhole ? .end : .incomplete }
    return try scanCells(isWhole)
  }

  /// Where the next line begins, behind the line's end at a place; nil when that isn't in memory.
  private func afterLine(_ end: Int, _ isWhole: Bool) -> Int? {
    guard memory[end] == Self.carriageReturn else { return end + 1 }
    guard end + 1 < filled else { return isWhole ? end + 1 : nil }
    return memory[end + 1] == Self.lineFeed ? end + 2 : end + 1
  }

  private mutating func scanCells(_ isWhole: Bool) throws(DataError) -> Scan {
    cells.removeAll(keepingCapacity: true)
    let (start, delimiter, trims) = (line, dialect.delimiter, dialect.trimsSpaces)
    let bytes = memory
    var (current, at) = (line, place)
    var isShortened = !dialect.trimmedEnd.isEmpty
    while true {
      guard cells.count < Self.columnLimit else {
        throw wrong("more than \(Self.columnLimit) cells", column: cells.count + 1, line: start)
      }
      if trims { while at < filled, bytes[at] == Self.space { at += 1 } }
      if at == filled, !isWhole { return .incomplete }
      let (cellLine, number) = (current, cells.count + 1)
      let isQuoted = at < filled && bytes[at] == Self.quote
      var (first, last, isDoubled) = (at, at, false)
      if isQuoted {
        at += 1
        first = at
        while true {
          while at < filled, bytes[at] != Self.quote {
            if bytes[at] == Self.lineFeed { current += 1 }
            if bytes[at] == 0 {
              throw wrong("a NUL byte, expected text", column: number, line: current)
            }
            at += 1
          }
          if at == filled {
            try checkLength(at - first, number, current)
            guard isWhole else { return .incomplete }
            throw wrong("a quote that nothing closes", column: number, line: cellLine)
          }
          if at + 1 == filled, !isWhole { return .incomplete }
          guard at + 1 < filled, bytes[at + 1] == Self.quote else { break }
          isDoubled = true
          at += 2
        }
        last = at
        at += 1
        if trims { while at < filled, bytes[at] == Self.space { at += 1 } }
        if at == filled, !isWhole { return .incomplete }
        if at < filled, bytes[at] != delimiter, bytes[at] != Self.lineFeed,
          bytes[at] != Self.carriageReturn
        {
          throw wrong(
            "text after the closing quote; write a quote within a cell as two", column: number,
            line: current)
        }
      } else {
        while at < filled {
          let byte = bytes[at]
          if byte == delimiter
            || byte <= Self.carriageReturn
              && (byte == Self.lineFeed || byte == Self.carriageReturn || byte == 0)
          {
            break
          }
          at += 1
        }
        if at < filled, bytes[at] == 0 {
          throw wrong("a NUL byte, expected text", column: number, line: current)
        }
        last = at
        if trims { while last > first, bytes[last - 1] == Self.space { last -= 1 } }
      }
      try checkLength(last - first, number, current)
      if at == filled, !isWhole { return .incomplete }
      isShortened = isShortened || isDoubled
      cells.append(
        Cell(
          line: cellLine, isQuoted: isQuoted, start: first, end: last, hasDoubledQuotes: isDoubled))
      if at < filled, bytes[at] == delimiter {
        at += 1
        continue
      }
      if at < filled {
        guard let next = afterLine(at, isWhole) else { return .incomplete }
        (at, current) = (next, current + 1)
      }
      break
    }
    (rowLine, line, place) = (start, current, at)
    if isShortened { shorten() }
    return .row
  }

  private func checkLength(_ count: Int, _ number: Int, _ line: Int) throws(DataError) {
    guard count > Self.cellLimit else { return }
    throw wrong("a cell of more than \(Self.cellLimit) bytes", column: number, line: line)
  }

  /// Makes one quote of two in the cells of a whole row, and takes their ends off.
  private mutating func shorten() {
    let bytes = memory
    for number in cells.indices {
      var cell = cells[number]
      if cell.hasDoubledQuotes {
        var (read, write) = (cell.start, cell.start)
        while read < cell.end {
          let byte = bytes[read]
          bytes[write] = byte
          read += byte == Self.quote ? 2 : 1
          write += 1
        }
        cell.end = write
      }
      let end = dialect.trimmedEnd
      if !end.isEmpty, cell.end - cell.start >= end.count,
        bytes[cell.end - end.count..<cell.end].elementsEqual(end)
      {
        cell.end -= end.count
      }
      cells[number] = cell
    }
  }

  private func wrong(_ reason: String, column: Int? = nil, line: Int? = nil) -> DataError {
    .malformedTable(path: path, line: line ?? self.line, column: column, reason: reason)
  }
}
