import ArgumentParser
import Crest
import CrestFiles
import CrestImages

struct DataInfo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "Describe a data set: sizes, classes, values.")

  @Argument(
    help: ArgumentHelp(
      "\(DataSource.builtInNames.joined(separator: ", ")), the folder of a data set or of photographs, a text, as book.txt, "
        + "or a table, as a CSV file.",
      valueName: "name|path"))
  var data: String

  @OptionGroup(title: "Tables") var table: TableOptions

  @OptionGroup(title: "Images") var images: ImageOptions

  @OptionGroup(title: "Texts") var texts: TextOptions

  @Flag(help: "Print a JSON object.")
  var json = false

  func run() throws {
    let kind = texts.kind(of: data, target: table.target)
    if kind == nil { try texts.checkUnused(by: data) }
    if kind == nil, table.isTable(data) {
      try images.checkUnused(by: data)
      return try describeTable()
    }
    try table.checkUnused(by: data, ofTexts: kind == .table)
    let split = try load()
    let description = try DataSplit.Description(describing: split)
    try StandardOutput.write(
      json ? JSONLine(event: "result", description.members).text : "\(description)\n")
  }

  /// Describes the columns, and with a column to predict the parts, too.
  private func describeTable() throws {
    let report = try table.report(data)
    var file = try table.target.map { _ in try table.file(data) }
    file?.valid = table.valid
    let description = try file.map { try DataSplit.Description(describing: $0.split()) }
    guard json else {
      let parts = description.map { ["", "\($0)"] } ?? []
      return try StandardOutput.write(
        (report.lines + parts).map { $0 + "\n" }.joined().shown(keepingLines: true))
    }
    let members = description.map { [("split", JSONLine.Value.object($0.members))] } ?? []
    try StandardOutput.write(JSONLine(event: "result", report.members + members).text)
  }

  private func load() throws -> DataSplit {
    if texts.kind(of: data, target: table.target) == nil, ImageFolder.isRecognised(data) {
      return try images.folder(data, known: nil, sizes: nil).split()
    }
    try images.checkUnused(by: data)
    return try texts.split(
      data, target: table.target, known: nil, size: nil, divides: true, fraction: nil)
      ?? DataSource(data).load()
  }
}

extension DataSplit.Origin {
  /// How JSON names it.
  fileprivate var key: String {
    switch self {
    case .ownValidation: "own"
    case .drawnPart: "drawn-fifth"
    case .lastPart: "last-part"
    case .trainingExamples: "training-examples"
    }
  }
}

extension DataSplit.Description {
  fileprivate var members: [(key: String, value: JSONLine.Value)] {
    [
      ("name", .text(name)),
      ("train", .object(train.members)),
      ("valid", .object(valid.members)),
      ("validation_origin", .text(origin.key)),
      ("inputs", .list(inputs.map { .object($0.members) })),
      ("target", .object(target.members)),
      ("class_names", classNames.map { .list($0.map { .text($0) }) } ?? .null),
      ("divisor", .number(preprocessing.divisor)),
      ("mean", .list(preprocessing.mean.map { .number($0) })),
      ("standard_deviation", .list(preprocessing.standardDeviation.map { .number($0) })),
      ("notes", .list(notes.map { .text($0) })),
    ]
  }
}

extension DataSplit.Description.Part {
  fileprivate var members: [(key: String, value: JSONLine.Value)] {
    [
      ("count", .integer(count)),
      ("class_counts", classCounts.map { .list($0.map { .integer($0) }) } ?? .null),
      ("fingerprint", .text(fingerprint)),
    ]
  }
}

extension DataSplit.Description.Values {
  fileprivate var members: [(key: String, value: JSONLine.Value)] {
    [
      ("name", .text(name)),
      ("element_type", .text("\(elementType)")),
      ("shape", .list(shape.map { .integer($0) })),
      ("mean", mean.map { .list($0.map { .number($0) }) } ?? .null),
      ("standard_deviation", standardDeviation.map { .list($0.map { .number($0) }) } ?? .null),
      ("non_finite_count", .integer(nonFiniteCount)),
    ]
  }
}
