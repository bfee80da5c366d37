import Crest
import CrestFiles
import CrestImages
import Foundation

extension Predict {
  /// As many images are in memory at once.
  private static let imagesAtOnce = 256
  /// The classes that are printed of each image.
  private static let shownCount = 3

  /// Predicts for images, and prints or writes their classes.
  func predictImages(
    _ source: ModelSource, _ engine: Engine, _ augmentations: TestTimeAugmentation?
  ) throws {
    let known: Preprocessing?
    let names: [String]?
    var sizes: [Int?]?
    switch source {
    case .file(let file, let weights):
      let metadata = try file.metadata()
      known = weights?.preprocessing ?? metadata.preprocessing
      names = weights?.classNames ?? metadata.classNames
      if let name = file.inputNames.first, file.inputNames.count == 1 {
        sizes = file.exampleSizes(ofInput: name)
      }
    case .builtIn(_, let weights): (known, names) = (weights?.preprocessing, weights?.classNames)
    }
    let form = try imageForm(known, sizes)
    let paths = try ImageReader.files(in: images)
    let reader = ImageReader(form)
    var table = ClassTable(of: "file", names: names)
    var values: [Tensor] = []
    for start in stride(from: 0, to: paths.count, by: Self.imagesAtOnce) {
      let chosen = Array(paths[start..<min(start + Self.imagesAtOnce, paths.count)])
      let stored = try reader.read(chosen)
      let prediction = try predict(source, engine, augmentations) { names, _ in
        guard names.count == 1 else { throw CommandError.imagesOfSeveral(inputs: names) }
        return ([names[0]: stored], [names[0]: chosen[0]])
      }
      try table.add(prediction, items: chosen)
      values.append(prediction.values)
      if output == nil || json { try printRows(of: table, from: start) }
    }
    try write(table, values)
  }

  /// Writes what was predicted, if that was asked for.
  func write(_ table: ClassTable, _ values: [Tensor]) throws {
    guard let output else { return }
    Interruption.finish("the predictions are being written")
    if output.lowercased().hasSuffix(".npy") {
      try writeFile(Tensor(joining: values, along: 0).npyBytes(), to: output)
    } else {
      try writeFile(table.csv, to: output)
    }
  }

  /// How files become arrays for a model that knows this, or takes examples of these sizes.
  private func imageForm(
    _ known: Preprocessing?, _ sizes: [Int?]?
  ) throws -> Preprocessing.Images {
    if let images = known?.images { return images }
    guard let input = sizes.flatMap(ImageInput.init), let channels = input.channels,
      let size = input.size
    else { throw CommandError.noImages(model: model) }
    let form = Preprocessing.Images(
      channels: channels, height: size.height, width: size.width)
    Notes.write("the model doesn't say how images became its inputs: they become \(form)")
    return form
  }

  func printRows(of table: ClassTable, from start: Int) throws {
    for row in table.rows[start...] {
      let ranked = row.ranked
      guard !json else {
        let members: [(key: String, value: JSONLine.Value)] = [
          (table.heading, .text(row.item)),
          ("class", ranked.first.map { .text(table.className($0)) } ?? .null),
          (
            "probabilities",
            .object(ranked.sorted().map { (table.className($0), .number(row.probabilities[$0])) })
          ),
        ]
        try StandardOutput.write(JSONLine(event: "prediction", members).text)
        continue
      }
      let shown = ranked.prefix(Self.shownCount).map {
        "\(table.className($0)) \(decimal(row.probabilities[$0], 4))"
      }
      try StandardOutput.write(
        "\(row.item)  \(shown.joined(separator: ", "))\n".shown(keepingLines: true))
    }
  }
}

/// The probabilities of classes, by image or text.
struct ClassTable {
  struct Row {
    let item: String
    let probabilities: [Double]

    /// The classes, the likeliest first; equal ones in their order.
    var ranked: [Int] {
      probabilities.indices.sorted {
        (-probabilities[$0], $0) < (-probabilities[$1], $1)
      }
    }
  }

  /// What the items are called.
  let heading: String
  private let names: [String]?
  private(set) var rows: [Row] = []

  init(of heading: String, names: [String]?) { (self.heading, self.names) = (heading, names) }

  func className(_ index: Int) -> String {
    names.map { $0.indices.contains(index) ? $0[index] : "\(index)" } ?? "\(index)"
  }

  /// Adds the classes of items.
  ///
  /// - Throws: ``CommandError`` when the predictions are no classes.
  mutating func add(_ prediction: Predict.Prediction, items: [String]) throws {
    let shape = prediction.values.shape
    let count = shape.elementCount / max(items.count, 1)
    guard shape.first == items.count, shape.rank <= 2 || count == shape[1],
      names.map({ $0.count <= count || $0.count == 2 && count == 1 }) ?? (count > 1)
    else { throw CommandError.noClassPredictions(shape: shape, classes: names?.count) }
    let values = prediction.values.doubles.map { Float($0) }
    for (place, item) in items.enumerated() {
      let row = Array(values[place * count..<(place + 1) * count])
      rows.append(Row(item: item, probabilities: prediction.form.probabilities(row)))
    }
  }

  /// A line for each item: what it is, its class, and the probability of each class.
  var csv: String {
    let count = rows.first?.probabilities.count ?? 0
    let header = [heading, "class"] + (0..<count).map(className)
    let lines = rows.map { row in
      [row.item, row.ranked.first.map(className) ?? ""] + row.probabilities.map { "\($0)" }
    }
    return ([header] + lines).map { $0.csvLine }.joined()
  }
}
