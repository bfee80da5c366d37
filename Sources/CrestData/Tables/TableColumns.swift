import CrestFiles
package import CrestTensor

/// A table in memory, column by column.
package struct TableColumns: Sendable {
  /// What a column holds.
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case category, number, date
  }

  /// The values of a column.
  package enum Values: Sendable {
    /// For each row the number of its text, -1 where it is missing; and the texts, each with the line it is first in.
    case texts(codes: [Int32], texts: [String], lines: [Int])
    /// For each row its number, NaN where it is missing.
    case numbers([Double])
    case dates([TableDate])
  }

  /// A column that was read.
  package struct Column: Sendable {
    package let name: String
    /// Its place in a line, from 1.
    package let place: Int
    /// How many of its cells are missing.
    package let missingCount: Int
    /// The line of the first that is missing.
    package let firstMissing: Int?
    package let values: Values

    package var kind: Kind {
      switch values {
      case .texts: .category
      case .numbers: .number
      case .dates: .date
      }
    }
  }

  package let path: String
  package let rowCount: Int
  /// The names of all columns of the file, in its order.
  package let names: [String]
  /// The columns that were read, in the file's order.
  package let columns: [Column]
  /// What separates cells.
  package let delimiter: UInt8

  /// The column of a name, if it was read.
  package func column(_ name: String) -> Column? { columns.first { $0.name == name } }

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: Its path.
  ///   - format: How it is read.
  ///   - kinds: What columns hold; those that aren't named are looked at.
  ///   - chosen: The columns to read; nil for all.
  ///   - ignored: Columns that aren't read.
  /// - Throws: ``DataError``.
  package init(
    _ path: String, _ format: TableFormat, kinds: [String: Kind] = [:], chosen: [String]? = nil,
    ignored: Set<String> = []
  ) throws(DataError) {
    var file = try TableReader(path, format)
    let names = file.names
    for name in (chosen ?? kinds.keys.sorted()) + ignored.sorted() where !names.contains(name) {
      throw .unsuitableTable(
        path: path,
        reason: "there is no column \(name.shown(limit: 80)), expected one of \(names.listed)")
    }
    let wanted = chosen.map { Set($0) }
    let places = names.indices.filter {
      !ignored.contains(names[$0]) && wanted?.contains(names[$0]) ?? true
    }
    let known = places.compactMap { kinds[names[$0]] }
    let found = known.count == places.count ? known : try file.kinds(of: places, given: kinds)
    let columns = try file.columns(places, found)
    self.path = path
    self.names = names
    (rowCount, self.columns, delimiter) = (file.rowCount, columns, file.delimiter)
  }
}

extension TableColumns {
  /// The same with another reading of a column.
  func replacing(_ column: Column) -> TableColumns {
    TableColumns(
      path: path, rowCount: rowCount, names: names,
      columns: columns.map { $0.name == column.name ? column : $0 }, delimiter: delimiter)
  }

  private init(
    path: String, rowCount: Int, names: [String], columns: [Column], delimiter: UInt8
  ) {
    (self.path, self.rowCount, self.names) = (path, rowCount, names)
    (self.columns, self.delimiter) = (columns, delimiter)
  }
}

extension [String] {
  /// The first of these names, for a message.
  package var listed: String {
    prefix(20).map { $0.shown(limit: 40) }.joined(separator: ", ")
      + (count > 20 ? " and \(count - 20) more" : "")
  }
}
