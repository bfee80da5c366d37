import CrestFiles
public import CrestTensor

/// A CSV file, or another of delimited text, with a row for each example and a column that is predicted.
///
/// ```swift
/// let data = try TableFile("people.csv", target: "income").split()
/// ```
///
/// Columns are numbers, dates or categories, by what all their cells are: a column of numbers without superfluous zeros in
/// front is one of numbers, one of dates becomes fastai's parts of a date, any other is one of categories. They become the
/// inputs of a network as `Preprocessing.Table` says, by the figures of the training rows alone.
public struct TableFile: Sendable {
  /// What is predicted.
  public enum Task: String, Sendable, Hashable, CaseIterable {
    /// One of some classes.
    case classes
    /// A number.
    case values
  }

  /// The file's path.
  public let path: String
  /// The column that is predicted.
  public let target: String
  /// What it holds; nil for classes if it is text or at most 20 different whole numbers, else values.
  public let task: Task?
  /// How it is read.
  public let format: TableFormat
  /// Columns that are categories whatever they hold.
  public let categories: [String]
  /// Columns that are numbers.
  public let numbers: [String]
  /// Columns that are dates.
  public let dates: [String]
  /// Columns that aren't read.
  public let ignored: [String]
  /// Another file of the same columns for validation; nil for a part of this one.
  public var valid: String?
  /// Another file of the same columns for testing.
  public var test: String?
  private let known: Preprocessing.Table?

  /// A file, which is read by ``split(divides:fraction:)``.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - target: The column that is predicted.
  ///   - task: What it holds.
  ///   - format: How it is read.
  ///   - categories: Columns that are categories whatever they hold.
  ///   - numbers: Columns that are numbers.
  ///   - dates: Columns that are dates.
  ///   - ignored: Columns that aren't read.
  /// - Precondition: no column is named twice.
  public init(
    _ path: String, target: String, task: Task? = nil, format: TableFormat = TableFormat(),
    categories: [String] = [], numbers: [String] = [], dates: [String] = [],
    ignored: [String] = []
  ) {
    let named = categories + numbers + dates + ignored + [target]
    programmerError(
      unless: Set(named).count == named.count, "columns of two kinds among \(named)")
    (self.path, self.target, self.task, self.format) = (path, target, task, format)
    (self.categories, self.numbers, self.dates, self.ignored) = (
      categories, numbers, dates, ignored
    )
    known = nil
  }

  /// A file whose columns become what a network was trained on.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - preparation: What the network's `preprocessing` says.
  ///   - format: How the file is read; nil as the training file was.
  public init(
    _ path: String, as preparation: Preprocessing.Table, format: TableFormat? = nil
  ) {
    (self.path, target) = (path, preparation.targetColumn)
    self.format = format ?? preparation.format
    task = nil
    (categories, numbers, dates, ignored) = ([], [], [], [])
    known = preparation
  }

  /// Reads the rows.
  ///
  /// - Parameters:
  ///   - divides: Whether a part is held out when no file for validation is named; if not, validation uses the training
  ///     rows.
  ///   - fraction: The part that is held out, of each class; nil for a fifth.
  /// - Returns: The parts, with inputs `categories` and `numbers`, and notes on what was found.
  /// - Throws: ``DataError``.
  /// - Precondition: `fraction` lies between 0 and 1.
  public func split(divides: Bool = true, fraction: Double? = nil) throws(DataError) -> DataSplit {
    if fraction != nil, let valid { throw .ownValidation(name: "\(path) with \(valid)") }
    let train = try read(path)
    let column = try targetColumn(of: train)
    try TableTarget.checkPresence(of: column, in: path)
    var classes: [String]?
    if let known {
      classes = known.classes
    } else if case .texts = column.values {
      classes = try TableTarget.classes(of: column, in: path)
    }
    let targets = try TableTarget.tensor(column, classes: classes, in: path)
    // The part is drawn before the inputs are known, as their figures are those of the rest.
    let drawn =
      valid == nil && divides
      ? try DataSplit(
        dividing: TensorExamples(
          name: path, inputs: [("row", Tensor(zeros: [train.rowCount, 1], elementType: .uint8))],
          targets: targets, classNames: classes), fraction: fraction ?? 0.2) : nil
    let rows = (drawn?.train as? Subset)?.indices ?? Array(0..<train.rowCount)
    var leftOut: [String: String] = [:]
    let preparation: Preprocessing.Table
    if let known {
      preparation = known
    } else {
      let found = try TablePreparation(
        train, rows: rows, target: target, forced: Set(categories))
      leftOut = found.leftOut
      preparation = try Preprocessing.Table(
        format: format, categories: found.categories, numbers: found.numbers, targetColumn: target,
        target: goal(classes, targets, rows))
    }
    let whole = try examples(train, targets, classes, by: preparation)
    var split: DataSplit
    var notes = whole.notes
    if let valid {
      let other = try examples(of: valid, classes, by: preparation)
      split = DataSplit(train: whole.set, valid: other.set)
      notes += other.notes
    } else if divides {
      split = try DataSplit(dividing: whole.set, fraction: fraction ?? 0.2)
    } else {
      split = DataSplit(measuringOn: whole.set)
    }
    if let test {
      let other = try examples(of: test, classes, by: preparation)
      split.test = other.set
      notes += other.notes
    }
    split.notes = [.table(rowCount: train.rowCount, preparation)]
    if !leftOut.isEmpty { split.notes.append(.columnsLeftOut(leftOut)) }
    split.notes += notes
    if let classes, drawn != nil {
      let left = Set((split.train.labels ?? []).map { Int($0) })
      let untrained = classes.indices.filter { !left.contains($0) }.map { classes[$0] }
      if known == nil, !untrained.isEmpty { split.notes.append(.untrainedClasses(untrained)) }
    }
    return split
  }

  /// The names of the columns of a file.
  ///
  /// - Throws: ``DataError``.
  package static func columnNames(
    of path: String, _ format: TableFormat
  ) throws(DataError) -> [String] {
    let reader = try TableReader(path, format)
    return reader.names
  }

  /// The inputs of a network for all rows, whose target needn't be there.
  ///
  /// - Throws: ``DataError``.
  package func inputs() throws(DataError) -> TableInputs {
    guard let known else { programmerError("inputs for a network that isn't known") }
    return try TableInputs(
      TableColumns(path, headed(known.columns), kinds: known.kinds, chosen: known.columns),
      by: known)
  }

  /// The format for a file that may lack the target.
  private func headed(_ needed: [String]) throws(DataError) -> TableFormat {
    guard let columns = format.columns, columns.contains(target) else { return format }
    let width = try TableReader.width(of: path, format)
    guard width == columns.count - 1 else { return format }
    var format = format
    format.columns = columns.filter { $0 != target }
    return format
  }

  /// The target of training rows.
  private func goal(
    _ classes: [String]?, _ targets: Tensor, _ rows: [Int]
  ) throws(DataError) -> Preprocessing.Table.Target {
    if let classes { return .classes(classes) }
    let values = targets.array(as: Float.self)
    let (mean, deviation) = TablePreparation.moments(rows.map { Double(values[$0]) })
    guard deviation > 0 else {
      throw .unsuitableTable(
        path: path,
        reason:
          "every row that training learns from has the same \(target.shown(limit: 80)), \(mean); there is nothing "
          + "to learn")
    }
    return .values(mean: mean, deviation: deviation)
  }

  private func examples(
    of path: String, _ classes: [String]?, by preparation: Preprocessing.Table
  ) throws(DataError) -> (set: TensorExamples, notes: [DataSplit.Note]) {
    let table = try TableColumns(
      path, format, kinds: preparation.kinds, chosen: preparation.columns + [target])
    guard let column = table.column(target) else { programmerError("a table without \(target)") }
    let targets = try TableTarget.tensor(column, classes: classes, in: path)
    return try examples(table, targets, classes, by: preparation)
  }

  private func examples(
    _ table: TableColumns, _ targets: Tensor, _ classes: [String]?,
    by preparation: Preprocessing.Table
  ) throws(DataError) -> (set: TensorExamples, notes: [DataSplit.Note]) {
    let inputs = try TableInputs(table, by: preparation)
    let set = TensorExamples(
      name: table.path, inputs: inputs.inputs, targets: targets, classNames: classes,
      preprocessing: Preprocessing(table: preparation))
    return (set, inputs.notes)
  }

  private func read(_ path: String) throws(DataError) -> TableColumns {
    if let known {
      return try TableColumns(
        path, format, kinds: known.kinds, chosen: known.columns + [target])
    }
    var kinds: [String: TableColumns.Kind] = [:]
    for (names, kind) in [
      (categories, TableColumns.Kind.category), (numbers, .number), (dates, .date),
    ] {
      for name in names { kinds[name] = kind }
    }
    switch task {
    case .classes: kinds[target] = .category
    case .values: kinds[target] = .number
    case nil: break
    }
    let table = try TableColumns(path, format, kinds: kinds, chosen: nil, ignored: Set(ignored))
    guard task == nil, let column = table.column(target) else { return table }
    if case .dates = column.values {
      throw .unsuitableTable(
        path: path,
        reason:
          "\(target.shown(limit: 80)) holds dates, which aren't predicted; give numbers, or say that it holds classes"
      )
    }
    guard case .numbers = column.values, TableTarget.isOfClasses(column) else { return table }
    // Classes have the names that the file gives them.
    kinds[target] = .category
    let named = try TableColumns(path, format, kinds: kinds, chosen: [target])
    return table.replacing(named.columns[0])
  }

  private func targetColumn(of table: TableColumns) throws(DataError) -> TableColumns.Column {
    guard let column = table.column(target) else {
      throw .unsuitableTable(
        path: table.path,
        reason:
          "there is no column \(target.shown(limit: 80)) to predict, expected one of \(table.names.listed)"
      )
    }
    return column
  }
}

extension Preprocessing.Table {
  /// The classes that are predicted; nil for numbers.
  package var classes: [String]? {
    if case .classes(let names) = target { names } else { nil }
  }
}
