import Foundation

/// What the finder suggested.
struct Rates {
  private(set) var table: TableFile

  static let methods = ["valley", "slide", "steepest", "minimum"]

  /// The file `rates.tsv` of a folder.
  init(folder: URL) throws {
    table = try TableFile(
      folder.appending(path: "rates.tsv"), columns: ["command", "source"] + Rates.methods)
  }

  /// The rates by method.
  subscript(_ test: FinderTest) -> [String]? {
    table.row(of: test.command).map { Array($0.dropFirst(2)) }
  }

  /// Tests, and keeps the drawing of each network's first test.
  mutating func add(
    _ test: FinderTest, _ command: Command, in folder: URL, places: Places
  ) throws {
    let drawing = folder.appending(path: "rates-\(test.recipe.model).svg").absoluteURL.path
    let isFirst = Plan.rangeTests.first { $0.recipe.model == test.recipe.model } == test
    let suggestions: Suggestions = try command.result(
      test.arguments + ["--threads", "\(places.threads)", "--json", "--seeds", "1"]
        + (isFirst ? ["--plot", drawing] : []))
    let rates = [
      suggestions.valley, suggestions.slide, suggestions.steepest, suggestions.minimum,
    ]
    try table.add(
      [test.command, places.source] + rates.map { $0.map { String(format: "%.2g", $0) } ?? "–" })
  }

  /// A suggestion is null where there are too few points for it.
  private struct Suggestions: Decodable {
    let valley, slide, steepest, minimum: Double?
  }
}
