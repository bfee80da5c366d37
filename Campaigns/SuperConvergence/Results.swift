import Foundation

/// A file of lines with tabs, of which the first column is a command line and found by it.
struct TableFile {
  let url: URL
  let columns: [String]
  private(set) var rows: [[String]] = []

  /// Reads the file, or begins one where there is none.
  init(_ url: URL, columns: [String]) throws {
    self.url = url
    self.columns = columns
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
    rows = lines.map { line in
      line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
    guard rows.first == columns, rows.allSatisfy({ $0.count == columns.count }) else {
      throw CampaignError("\(url.path) isn't a table of \(columns.joined(separator: ", "))")
    }
    rows.removeFirst()
    guard Set(rows.map { $0[0] }).count == rows.count else {
      throw CampaignError("\(url.path) has a command twice")
    }
  }

  func row(of command: String) -> [String]? { rows.first { $0[0] == command } }

  /// Appends a row, and writes the file again so that no row is ever half there.
  mutating func add(_ row: [String]) throws {
    precondition(row.count == columns.count, "\(row.count) fields for \(columns.count) columns")
    rows.append(row)
    let text = ([columns] + rows).map { $0.joined(separator: "\t") + "\n" }.joined()
    try Data(text.utf8).write(to: url, options: .atomic)
  }
}

/// What the runs that are done ended with.
struct Results {
  private(set) var table: TableFile

  /// The file `runs.tsv` of a folder.
  init(folder: URL) throws {
    table = try TableFile(
      folder.appending(path: "runs.tsv"),
      columns: ["command", "source", "accuracy", "validation loss", "training loss"])
    for row in table.rows {
      for column in 2..<5
      where row[column].split(separator: " ").contains(where: { Double($0) == nil }) {
        throw CampaignError("\(table.url.path) has other than numbers for \(row[0])")
      }
    }
  }

  func has(_ run: Run) -> Bool { table.row(of: run.command) != nil }

  /// The accuracy after each epoch, a part of 1; nil before the run is done.
  func accuracies(_ run: Run) -> [Double]? {
    table.row(of: run.command)?[2].split(separator: " ").compactMap { Double($0) }
  }

  /// How a run ended; nil before it is done.
  func ending(_ run: Run) -> Ending? {
    accuracies(run).map { accuracies in
      guard accuracies.count == run.recipe.epochs, let last = accuracies.last else {
        return .diverged
      }
      return .accuracy(last)
    }
  }

  /// Adds what stays of a log.
  ///
  /// A run with fewer epochs than its recipe has is one that diverged.
  mutating func add(_ run: Run, _ log: EpochLog, source: String) throws {
    let count = log.accuracies.count
    guard log.isDiverged ? count < run.recipe.epochs : count == run.recipe.epochs else {
      throw CampaignError("\(count) epochs were logged of \(run.command)")
    }
    let columns = [log.accuracies, log.validationLosses, log.trainingLosses].map { values in
      values.map { String(format: "%.4f", $0) }.joined(separator: " ")
    }
    try table.add([run.command, source] + columns)
  }

  /// The recipe with the highest last accuracy, and of equal ones the first; nil before all are done, or when
  /// all diverged.
  func best(of recipes: [Recipe], seed: Int) -> Recipe? {
    let endings = recipes.map { ending(Run(recipe: $0, seed: seed)) }
    guard !endings.contains(nil) else { return nil }
    let accuracies = endings.map(\.?.value)
    guard let highest = accuracies.compactMap(\.self).max() else { return nil }
    return zip(recipes, accuracies).first { $0.1 == highest }?.0
  }
}

/// What a run came to.
enum Ending: Equatable, CustomStringConvertible {
  /// After the last epoch.
  case accuracy(Double)
  /// A loss was no finite number.
  case diverged

  var value: Double? {
    if case .accuracy(let value) = self { value } else { nil }
  }

  var description: String {
    switch self {
    case .accuracy(let value): String(format: "%.2f", 100 * value)
    case .diverged: "diverged"
    }
  }
}

/// The rows of a log that `crest train --log` wrote.
struct EpochLog {
  let accuracies, validationLosses, trainingLosses: [Double]
  /// Whether the run ended because a loss was no finite number.
  let isDiverged: Bool

  init(_ url: URL, isDiverged: Bool) throws {
    self.isDiverged = isDiverged
    let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
    let rows = lines.map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    func column(_ name: String) throws -> [Double] {
      guard let place = rows.first?.firstIndex(where: { $0 == name }) else {
        throw CampaignError("\(url.path) has no column \(name)")
      }
      return try rows.dropFirst().map { row in
        guard row.indices.contains(place), let value = Double(row[place]) else {
          throw CampaignError("\(url.path) has no number for \(name) in every row")
        }
        return value
      }
    }
    accuracies = try column("accuracy")
    validationLosses = try column("valid_loss")
    trainingLosses = try column("train_loss")
  }
}

/// Something that ends the campaign.
struct CampaignError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
