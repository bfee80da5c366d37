import Crest
import CrestFiles
import Foundation

extension Predict {
  /// Predicts for the rows of a table, and prints or writes what it says of them in its own terms.
  func predictTable(_ path: String, _ source: ModelSource, _ engine: Engine) throws {
    guard let table = try source.preprocessing()?.table else {
      throw CommandError.table(.noTable(model: model))
    }
    let format = try tableFormat.format(elseAs: table.format)
    let found = try TableFile(path, as: table, format: format).inputs()
    for note in found.notes { Notes.write("\(note)") }
    let given = Dictionary(uniqueKeysWithValues: found.inputs.map { ($0.name, $0.tensor) })
    let prediction = try predict(source, engine, nil) { names, _ in
      // A single input needs no name.
      let inputs =
        names.count == 1 && given.count == 1
        ? [names[0]: found.inputs[0].tensor] : given.filter { names.contains($0.key) }
      if let missing = names.first(where: { inputs[$0] == nil }) {
        throw CommandError.table(.noTableInput(missing, model: model))
      }
      return (inputs, inputs.mapValues { _ in path })
    }
    let answers = try TableAnswers(prediction, table, rowCount: found.inputs[0].tensor.shape[0])
    if json {
      for line in answers.jsonLines { try StandardOutput.write(line.text) }
    } else if output == nil {
      try StandardOutput.write(answers.csv.shown(keepingLines: true))
    }
    guard let output else { return }
    Interruption.finish("the predictions are being written")
    if output.lowercased().hasSuffix(".npy") {
      try writeFile(prediction.values.npyBytes(), to: output)
    } else {
      try writeFile(answers.csv, to: output)
    }
  }
}

/// What a network says of the rows of a table, in the table's terms.
private struct TableAnswers {
  private let table: Preprocessing.Table
  private let rows: [Row]

  private enum Row {
    case value(Float)
    /// A class, and the probabilities of all.
    case probabilities(Int, [Double])
  }

  /// - Throws: ``CommandError/tablePredictions(shape:target:expected:)`` when the predictions aren't of the table's target.
  init(_ prediction: Predict.Prediction, _ table: Preprocessing.Table, rowCount: Int) throws {
    self.table = table
    let shape = prediction.values.shape
    let width = shape.elementCount / max(rowCount, 1)
    func wrong(_ expected: Int) -> CommandError {
      .table(.tablePredictions(shape: shape, target: table.targetColumn, expected: expected))
    }
    let values = prediction.values.doubles.map { Float($0) }
    switch table.target {
    case .values:
      guard width == 1, values.count == rowCount else { throw wrong(1) }
      rows = values.map { .value($0) }
    case .classes(let names):
      guard values.count == rowCount * width, width == names.count || width == 1 && names.count == 2
      else { throw wrong(names.count) }
      rows = (0..<rowCount).map { row in
        let probabilities = prediction.form.probabilities(
          Array(values[row * width..<(row + 1) * width]))
        // Of equal ones the first; NaN is never the most.
        let best = probabilities.indices.reduce(0) {
          probabilities[$1] > probabilities[$0] ? $1 : $0
        }
        return .probabilities(best, probabilities)
      }
    }
  }

  private var classes: [String] { table.classes ?? [] }

  /// A line for each row: the value, or the class and the probability of each class.
  var csv: String {
    let header = [table.targetColumn] + classes
    let lines = rows.map { row in
      switch row {
      case .value(let value): ["\(value)"]
      case .probabilities(let best, let all): [classes[best]] + all.map { "\($0)" }
      }
    }
    return ([header] + lines).map { $0.csvLine }.joined()
  }

  /// An object for each row, numbered from 1.
  var jsonLines: [JSONLine] {
    rows.enumerated().map { place, row in
      var members: [(key: String, value: JSONLine.Value)] = [("row", .integer(place + 1))]
      switch row {
      case .value(let value): members.append(("value", .number(Double(value))))
      case .probabilities(let best, let all):
        members.append(("class", .text(classes[best])))
        members.append(
          ("probabilities", .object(zip(classes, all).map { ($0, .number($1)) })))
      }
      return JSONLine(event: "prediction", members)
    }
  }
}
