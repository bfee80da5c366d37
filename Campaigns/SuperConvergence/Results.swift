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

  /// What stays of a log.
  mutating func add(_ run: Run, _ log: EpochLog, source: String) throws {
    guard log.accuracies.count == run.recipe.epochs else {
      throw CampaignError("\(log.accuracies.count) epochs were logged of \(run.command)")
    }
    let columns = [log.accuracies, log.validationLosses, log.trainingLosses].map { values in
      values.map { String(format: "%.4f", $0) }.joined(separator: " ")
    }
    try table.add([run.command, source] + columns)
  }

  /// The accuracies of those of some seeds that are done.
  func accuracies(_ recipe: Recipe, seeds: [Int]) -> [[Double]] {
    seeds.compactMap { accuracies(Run(recipe: recipe, seed: $0)) }
  }

  /// The recipe with the highest last accuracy, and of equal ones the first; nil before all are done.
  func best(of recipes: [Recipe], seed: Int) -> Recipe? {
    let last = recipes.map { accuracies(Run(recipe: $0, seed: seed))?.last }
    guard !last.contains(nil) else { return nil }
    let highest = last.compactMap(\.self).max()
    return zip(recipes, last).first { $0.1 == highest }?.0
  }
}

/// The rows of a log that `crest train --log` wrote.
struct EpochLog {
  let accuracies, validationLosses, trainingLosses: [Double]

  init(_ url: URL) throws {
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
