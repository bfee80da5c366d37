import Crest

/// What is chosen for a kind of data where nobody chose.
struct StandardRun {
  /// The data, as in `photographs`.
  let data: String
  let model: String
  let epochs: Int
  /// The highest learning rate.
  let rate: Double
  /// The optimiser; nil for the one of all other runs.
  var optimizer: String?

  static let photographs = StandardRun(
    data: "photographs", model: "resnet18", epochs: 10, rate: 0.05)
  static let text = StandardRun(
    data: "a text", model: "gpt", epochs: 10, rate: 0.003, optimizer: "adamw")
  static let texts = StandardRun(
    data: "texts of classes", model: "text-transformer", epochs: 10, rate: 0.001,
    optimizer: "adamw")

  /// fastai's optimiser.
  static let table = StandardRun(
    data: "a table", model: Tabular.name, epochs: 10, rate: 0.01, optimizer: "adamw")

  /// All of them.
  static let all = [photographs, table, text, texts]

  /// A choice for each kind of data, as in `resnet18 for photographs`.
  static func list(_ choice: (StandardRun) -> String?) -> String {
    all.compactMap { run in choice(run).map { "\($0) for \(run.data)" } }.joined(separator: ", ")
  }
}

extension ModelOptions {
  /// What is chosen for the data where nobody chose; nil where everybody has to.
  var standard: StandardRun? {
    switch textKind {
    case .file: .text
    case .table: .texts
    case nil: isTable ? .table : areImages ? .photographs : nil
    }
  }

  /// The kind of texts that the data are; nil if they are none.
  var textKind: TextOptions.Kind? { texts.kind(of: data, target: table.target) }
}
