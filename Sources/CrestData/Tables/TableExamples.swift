import CrestFiles
package import CrestTensor

/// The inputs that the rows of a table become.
package struct TableInputs {
  /// The inputs by their names, examples along the first dimension.
  package let inputs: [(name: String, tensor: Tensor)]
  /// What was missing or isn't known.
  package let notes: [DataSplit.Note]

  /// Prepares all rows.
  ///
  /// - Throws: ``DataError`` when they take more memory than there is, or a number can't be normalised.
  package init(
    _ table: TableColumns, by preparation: Preprocessing.Table
  ) throws(DataError) {
    let (count, categories, numbers) = (
      table.rowCount, preparation.categories, preparation.numbers
    )
    try DataError.checkMemory(count * (8 * categories.count + 4 * numbers.count), table.path)
    var (inputs, notes): ([(name: String, tensor: Tensor)], [DataSplit.Note]) = ([], [])
    if !categories.isEmpty {
      var codes = [Int64](repeating: 0, count: count * categories.count)
      for (place, category) in categories.enumerated() {
        let column = try Self.column(category.column, table)
        if let note = Self.fill(
          &codes, from: place, by: categories.count, category, column, of: table)
        {
          notes.append(note)
        }
      }
      inputs.append(
        (Preprocessing.Table.categoriesInput, Tensor(codes, shape: [count, categories.count])))
    }
    if !numbers.isEmpty {
      let flagged = Set(categories.lazy.filter { $0.kind == .missing }.map(\.column))
      var values = [Float](repeating: 0, count: count * numbers.count)
      for (place, number) in numbers.enumerated() {
        let column = try Self.column(number.column, table)
        try Self.fill(&values, from: place, by: numbers.count, number, column, of: table)
        if number.part == nil, column.missingCount > 0, !flagged.contains(number.column) {
          notes.append(
            .filledNumbers(path: table.path, column: number.column, count: column.missingCount))
        }
      }
      inputs.append(
        (Preprocessing.Table.numbersInput, Tensor(values, shape: [count, numbers.count])))
    }
    (self.inputs, self.notes) = (inputs, notes)
  }

  private static func column(
    _ name: String, _ table: TableColumns
  ) throws(DataError) -> TableColumns.Column {
    guard let column = table.column(name) else {
      throw .unsuitableTable(
        path: table.path,
        reason: "there is no column \(name.shown(limit: 80)), expected one of \(table.names.listed)"
      )
    }
    return column
  }

  /// Writes the codes of a category, and notes what isn't known.
  private static func fill(
    _ codes: inout [Int64], from place: Int, by width: Int,
    _ category: Preprocessing.Table.Category, _ column: TableColumns.Column, of table: TableColumns
  ) -> DataSplit.Note? {
    let known = Dictionary(
      uniqueKeysWithValues: zip(category.values.map { Array($0.utf8) }, Int64(1)...))
    switch (category.kind, column.values) {
    case (.text, .texts(let found, let texts, _)):
      let mapped = texts.map { known[Array($0.utf8)] ?? 0 }
      var (unseen, first): (Int, Int32?) = (0, nil)
      for (row, code) in found.enumerated() where code >= 0 {
        let value = mapped[Int(code)]
        codes[row * width + place] = value
        guard value == 0 else { continue }
        unseen += 1
        if first == nil { first = code }
      }
      return first.map {
        .unseenCategories(
          path: table.path, column: column.name, count: unseen, first: texts[Int($0)])
      }
    case (.missing, .numbers(let values)):
      for (row, value) in values.enumerated() { codes[row * width + place] = value.isNaN ? 2 : 1 }
    case (.date(let part), .dates(let dates)):
      for (row, date) in dates.enumerated() {
        let value = TablePreparation.category(part, of: date)
        codes[row * width + place] = value.flatMap { known[Array($0.utf8)] } ?? 0
      }
    default: programmerError("\(column.name) was read as \(column.kind), for \(category.name)")
    }
    return nil
  }

  /// Writes the normalised values of a number.
  private static func fill(
    _ values: inout [Float], from place: Int, by width: Int, _ number: Preprocessing.Table.Number,
    _ column: TableColumns.Column, of table: TableColumns
  ) throws(DataError) {
    switch (number.part, column.values) {
    case (nil, .numbers(let found)):
      for (row, value) in found.enumerated() {
        let normalized = number.normalized(value)
        guard normalized.isFinite else {
          throw .unsuitableTable(
            path: table.path,
            reason:
              "\(value) of \(column.name.shown(limit: 80)) is too far from the mean of training, \(number.mean), for "
              + "float32; correct it, or take the column as categories")
        }
        values[row * width + place] = normalized
      }
    case (let part?, .dates(let dates)):
      for (row, date) in dates.enumerated() {
        values[row * width + place] = number.normalized(
          date.isMissing ? .nan : Double(date.value(of: part)))
      }
    default: programmerError("\(column.name) was read as \(column.kind), for \(number.name)")
    }
  }
}

extension Preprocessing.Table {
  /// What the columns that it needs hold.
  package var kinds: [String: TableColumns.Kind] {
    var kinds: [String: TableColumns.Kind] = [:]
    for category in categories {
      kinds[category.column] =
        switch category.kind {
        case .text: .category
        case .date: .date
        case .missing: .number
        }
    }
    for number in numbers { kinds[number.column] = number.part == nil ? .number : .date }
    kinds[targetColumn] =
      switch target {
      case .classes: .category
      case .values: .number
      }
    return kinds
  }
}
