import ArgumentParser
import CrestCallbacks
import Foundation

/// Makes the tables and drawings of docs/super-convergence.md from the results.
struct WriteReport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Make tables and drawings from the results.")

  @Option(help: "The folder of the results.") var results = Places.resultsFolder
  @Flag(help: "Only tell whether all are as the results say.") var check = false

  func run() throws {
    let report = try Report(folder: URL(filePath: results))
    guard check else { return try report.write() }
    let stale = try report.stale()
    guard stale.isEmpty else {
      throw CampaignError(
        "\(stale.map(\.path).joined(separator: ", ")) must be made anew: "
          + "script/campaign super-convergence-report")
    }
    print("passed report: \(results) and its page agree")
  }
}

/// The page beside a folder of results, and the drawings in it.
struct Report {
  private let page: URL
  private let folder: URL
  private let plan: Plan
  private let rates: Rates
  private let times: Times
  private let verdicts: Verdicts

  init(folder: URL) throws {
    self.folder = folder
    page = folder.deletingLastPathComponent().appending(path: folder.lastPathComponent + ".md")
    plan = Plan(results: try Results(folder: folder))
    rates = try Rates(folder: folder)
    times = try Times(folder: folder)
    verdicts = try Verdicts(folder: folder)
  }

  func write() throws {
    for (url, text) in try files() { try Data(text.utf8).write(to: url, options: .atomic) }
  }

  /// The files that don't say what the results say.
  func stale() throws -> [URL] {
    try files().filter { url, text in
      (try? String(contentsOf: url, encoding: .utf8)) != text
    }.map(\.0)
  }

  private func files() throws -> [(URL, String)] {
    var text = try String(contentsOf: page, encoding: .utf8)
    for (name, table) in tables { text = try replaced(name, in: text, by: table) }
    return [(page, text)] + charts.map { (folder.appending(path: $0 + ".svg"), $1.svg) }
  }

  /// The text with another table between its marks.
  private func replaced(_ name: String, in text: String, by table: [[String]]) throws -> String {
    let parts = text.components(separatedBy: "<!-- table \(name) -->\n")
    guard parts.count == 2, let end = parts[1].range(of: "<!-- end -->") else {
      throw CampaignError(
        "\(page.path) has not one place for the table \(name), which begins with "
          + "<!-- table \(name) --> and ends with <!-- end -->")
    }
    let rule = table[0].map { _ in "---" }
    let rows = [table[0], rule] + table.dropFirst()
    let lines = rows.map { "| " + $0.joined(separator: " | ") + " |\n" }
    return parts[0] + "<!-- table \(name) -->\n" + lines.joined() + parts[1][end.lowerBound...]
  }

  // Tables

  private var tables: [(name: String, rows: [[String]])] {
    let candidates = Plan.firstCandidates + plan.secondCandidates
    return [
      (
        "mnist",
        table([
          (Plan.smith, Plan.seeds), (plan.found, Plan.freshSeeds), (plan.decay, Plan.seeds),
          (plan.constant, Plan.seeds),
        ])
      ),
      ("mnist-search", table(candidates.map { ($0, [0]) })),
      ("mnist-others", table((Plan.decays + Plan.constants).map { ($0, [0]) })),
      ("cifar-10", table([(Plan.cycle, Plan.seeds), (plan.bestStep, Plan.seeds)])),
      ("cifar-10-steps", table(Plan.steps.map { ($0, [0]) })),
      ("cifar-10-whole", table([(Plan.wholeSet, [0])])),
      ("fashion-mnist", table(plan.fashionBest.map { ($0, Plan.freshSeeds) })),
      (
        "fashion-mnist-search", table(Plan.fashionCandidates.flatMap(\.self).map { ($0, [0]) })
      ),
      ("verdicts", verdictTable(ofLimits: false)),
      ("verdicts-of-limits", verdictTable(ofLimits: true)),
      ("rates", rateTable),
      ("times", timeTable),
    ]
  }

  /// A row a recipe, with those columns in which rows differ or a reader looks for.
  private func table(_ rows: [(recipe: Recipe?, seeds: [Int])]) -> [[String]] {
    [["schedule", "batch", "highest rate", "weight decay", "augmentation", "accuracy, %"]]
      + rows.map { recipe, seeds in
        guard let recipe else { return ["not chosen yet", "", "", "", "", "–"] }
        return [
          recipe.policy.title, "\(recipe.batchSize)", recipe.maxRate, recipe.weightDecay,
          recipe.augmentations ?? "none", accuracy(recipe, seeds),
        ]
      }
  }

  /// The mean and the standard deviation after the last epoch, and the runs they come from.
  private func accuracy(_ recipe: Recipe, _ seeds: [Int]) -> String {
    let endings = seeds.compactMap { plan.results.ending(Run(recipe: recipe, seed: $0)) }
    guard !endings.isEmpty else { return "–" }
    let each = endings.map(\.description).joined(separator: ", ")
    guard seeds.count > 1 else { return each }
    let some = endings.count < seeds.count ? ", \(endings.count) of \(seeds.count) runs" : ""
    let values = endings.compactMap(\.value)
    // There is no mean of runs of which some diverged.
    guard values.count == endings.count, let deviation = Self.deviation(values) else {
      return each + some
    }
    return "**\(percent(Self.mean(values))) ± \(percent(deviation))** (\(each)\(some))"
  }

  private var rateTable: [[String]] {
    [["network", "data", "batch", "augmentation", "seed"] + Rates.methods]
      + Plan.rangeTests.map { test in
        [
          test.recipe.model, test.recipe.data.rawValue, "\(test.recipe.batchSize)",
          test.recipe.augmentations ?? "none", "\(test.seed)",
        ] + (rates[test] ?? Rates.methods.map { _ in "–" })
      }
  }

  private func verdictTable(ofLimits: Bool) -> [[String]] {
    [
      ["network", "data", "expected", "verdict", "confidence", "e", "τ", "u", "peak at"]
        + ["maximum for 1cycle", "diverged at"]
    ]
      + Plan.verdicts.filter { $0.isOfLimits == ofLimits }.map { test in
        let row = verdicts[test]
        return [
          test.model, test.data.rawValue, test.expected.rawValue, row?.verdict ?? "not run yet",
        ]
          + (row?.numbers ?? Verdicts.numbers.map { _ in "–" })
      }
  }

  private var timeTable: [[String]] {
    [["pair", "Crest", "PyTorch", "ratio", "accuracy of Crest, %", "accuracy of PyTorch, %"]]
      + times.table.rows.enumerated().map { number, row in
        let values = row.dropFirst(2).compactMap { Double($0) }
        return [
          "\(number + 1)", "\(row[2]) s", "\(row[4]) s",
          String(format: "%.2f", values[0] / values[2]), percent(values[1]), percent(values[3]),
        ]
      }
  }

  private static func mean(_ values: [Double]) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  /// The standard deviation of a sample; nil of one value.
  private static func deviation(_ values: [Double]) -> Double? {
    guard values.count > 1 else { return nil }
    let squares = values.map { ($0 - mean(values)) * ($0 - mean(values)) }
    return (squares.reduce(0, +) / Double(values.count - 1)).squareRoot()
  }

  private func percent(_ part: Double) -> String { String(format: "%.2f", 100 * part) }

  // Drawings

  private var charts: [(name: String, chart: AccuracyChart)] {
    let others = Plan.testedSteps.filter { $0 != plan.bestStep }
    let cifar =
      [series("1cycle to \(Plan.cycle.maxRate)", Plan.cycle, Plan.seeds, SVG.blue)]
      + [series("step decay from", plan.bestStep, Plan.seeds, SVG.vermilion)]
      + zip(others, [SVG.orange, SVG.purple, SVG.green]).map {
        series("step decay from", $0, [0], $1)
      }
    let mnist = [
      series("1cycle, the recipe found", plan.found, Plan.freshSeeds, SVG.green),
      series("1cycle, Smith's recipe", Plan.smith, Plan.seeds, SVG.blue),
      series("step decay from", plan.decay, Plan.seeds, SVG.vermilion),
      series("constant", plan.constant, Plan.seeds, SVG.purple),
    ]
    return [
      (
        "cifar-10",
        AccuracyChart(
          title: "ResNet-20 on 10,000 images of CIFAR-10", bottom: 20, top: 90, step: 10,
          series: cifar.compactMap(\.self))
      ),
      (
        "mnist",
        AccuracyChart(
          title: "LeNet on MNIST", bottom: 96, top: 100, step: 1, series: mnist.compactMap(\.self))
      ),
    ]
  }

  /// What is drawn of a recipe; nil before any of it is done.
  private func series(
    _ title: String, _ recipe: Recipe?, _ seeds: [Int], _ colour: String
  ) -> AccuracyChart.Series? {
    guard let recipe else { return nil }
    let done = seeds.map { Run(recipe: recipe, seed: $0) }.filter {
      plan.results.ending($0)?.value != nil
    }
    let runs = done.compactMap(plan.results.accuracies)
    guard !runs.isEmpty else { return nil }
    let rate = recipe.policy == .step ? " \(recipe.maxRate)" : ""
    let last = percent(Self.mean(runs.compactMap(\.last)))
    let count = runs.count == 1 ? "one run" : "\(runs.count) runs"
    return .init(title: "\(title)\(rate): \(last) % (\(count))", colour: colour, runs: runs)
  }
}

extension Policy {
  /// What tables call it.
  fileprivate var title: String {
    switch self {
    case .smith: "1cycle, Smith's"
    case .oneCycle: "1cycle, fastai's"
    case .constant: "constant"
    case .cosine: "cosine"
    case .step: "step decay"
    }
  }
}
