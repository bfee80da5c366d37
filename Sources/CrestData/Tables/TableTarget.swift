import CrestFiles
import CrestTensor

/// The targets of the rows of a table.
enum TableTarget {
  /// One number for each class that a column has, at most, to be taken for one of classes.
  static let classLimit = 20

  /// Whether a column is one of classes: texts, or at most ``classLimit`` different whole numbers.
  static func isOfClasses(_ column: TableColumns.Column) -> Bool {
    guard case .numbers(let values) = column.values else { return true }
    var different: Set<Double> = []
    for value in values where !value.isNaN {
      guard value == value.rounded() else { return false }
      different.insert(value)
      if different.count > classLimit { return false }
    }
    return true
  }

  /// The classes of a column, in order.
  ///
  /// - Throws: ``DataError/unsuitableTable(path:reason:)`` when there is only one.
  static func classes(
    of column: TableColumns.Column, in path: String
  ) throws(DataError) -> [String] {
    guard case .texts(_, let texts, _) = column.values else {
      programmerError("classes of \(column.name), which was read as \(column.kind)")
    }
    guard texts.count > 1 else {
      throw .unsuitableTable(
        path: path,
        reason:
          "every row has the same \(column.name.shown(limit: 80)), \"\(texts.first?.shown(limit: 40) ?? "")\"; "
          + "there is nothing to learn")
    }
    return texts.inOrder
  }

  /// Refuses a row without a target.
  static func checkPresence(
    of column: TableColumns.Column, in path: String
  ) throws(DataError) {
    guard let line = column.firstMissing else { return }
    throw .malformedTable(
      path: path, line: line, column: column.place,
      reason:
        "no \(column.name.shown(limit: 80)), which is what a row is learned from; add it, or remove the row"
    )
  }

  /// The targets of all rows.
  ///
  /// - Throws: ``DataError/malformedTable(path:line:column:reason:)`` at a row without one, or of another class.
  static func tensor(
    _ column: TableColumns.Column, classes: [String]?, in path: String
  ) throws(DataError) -> Tensor {
    let name = column.name.shown(limit: 80)
    func wrong(_ line: Int, _ reason: String) -> DataError {
      .malformedTable(path: path, line: line, column: column.place, reason: reason)
    }
    try checkPresence(of: column, in: path)
    switch column.values {
    case .texts(let codes, let texts, let lines):
      guard let classes else { break }
      let known = Dictionary(
        uniqueKeysWithValues: zip(classes.map { Array($0.utf8) }, Int64(0)...))
      var mapped: [Int64] = []
      for (text, line) in zip(texts, lines) {
        guard let label = known[Array(text.utf8)] else {
          throw wrong(
            line,
            "\"\(text.shown(limit: 40))\" of \(name) is no class of training, expected one of \(classes.listed)"
          )
        }
        mapped.append(label)
      }
      return Tensor(codes.map { mapped[Int($0)] })
    case .numbers(let values):
      let floats = values.map { Float($0) }
      if let place = floats.firstIndex(where: { !$0.isFinite }) {
        throw .valueOutOfRange(path: path, index: place, value: values[place])
      }
      return Tensor(floats)
    case .dates: break
    }
    programmerError("targets of \(column.name), which was read as \(column.kind)")
  }
}
