extension DelimitedFile.Dialect {
  /// What may separate cells, in the order in which it is taken if several do.
  private static let delimiters: [UInt8] = [
    UInt8(ascii: "\t"), UInt8(ascii: ";"), UInt8(ascii: "|"), UInt8(ascii: ","),
  ]
  /// As many rows are looked at.
  private static let rowCount = 100

  /// This with the delimiter that gives each of the first rows the same number of cells, and more than one.
  ///
  /// If none does, the one that gives the first row the most, so that the error is that of a row.
  package func findingDelimiter(of path: String) throws(DataError) -> Self {
    var (best, most) = (UInt8(ascii: ","), 1)
    for delimiter in Self.delimiters {
      var dialect = self
      dialect.delimiter = delimiter
      var file = try DelimitedFile(path, dialect)
      var (first, isEven) = (0, true)
      do throws(DataError) {
        for _ in 0..<Self.rowCount {
          guard try file.readRow() else { break }
          first = file.cells.count
        }
      } catch {
        guard case .malformedTable = error else { throw error }
        isEven = false
      }
      if isEven, first > 1 { return dialect }
      if first > most { (best, most) = (delimiter, first) }
    }
    var dialect = self
    dialect.delimiter = best
    return dialect
  }
}
