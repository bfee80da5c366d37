import Crest

extension Predict {
  /// As many texts are in memory at once.
  private static let textsAtOnce = 256

  /// Predicts for the texts of a table, and prints or writes their classes.
  func predictTexts(_ source: ModelSource, _ engine: Engine, data: String, column: String) throws {
    let (network, texts) = try source.textNetwork(model, engine)
    guard network.inputs.count == 1, network.inputs[0].shape.rank == 1,
      let names = network.classNames, network.outputShape == [names.count]
    else { throw CommandError.noTextClasses(model: model) }
    let tokenizer = try Tokenizer(texts.with(length: network.inputs[0].shape[0]))
    let rows = try TextColumns(data, [column])
    let cells = rows.columns[0]
    let cut = try CutTexts(cells, by: tokenizer) { rows.withoutTokens(row: $0) }
    if cut.cutCount > 0 {
      Notes.write(
        "\(cut.cutCount) of \(cells.count) texts lose their ends, as the model sees \(tokenizer.texts.length) tokens "
          + "at once")
    }
    let ids = try cut.tensor.converted(to: network.inputs[0].elementType)
    let form = network.graph.outputForm
    var table = ClassTable(of: column, names: names)
    var values: [Tensor] = []
    for start in stride(from: 0, to: cells.count, by: Self.textsAtOnce) {
      let range = start..<min(start + Self.textsAtOnce, cells.count)
      let predictions = try network.predict(ids.slice(range, along: 0))
      try table.add(Prediction(values: predictions, form: form), items: Array(cells[range]))
      values.append(predictions)
      if output == nil || json { try printRows(of: table, from: start) }
    }
    try write(table, values)
  }
}
