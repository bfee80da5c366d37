import CrestTraining

/// A table of epochs, written row by row.
struct EpochTable {
  private let metrics: [String]
  private let epochCount: Int
  private let widths: [Int]

  /// A table for `epochCount` epochs with these metrics.
  init(metrics: [String], epochCount: Int) {
    self.metrics = metrics
    self.epochCount = epochCount
    let names = Self.names(metrics)
    let least = ["\(epochCount)/\(epochCount)".count] + names.dropFirst().map { _ in 8 }
    widths = zip(names, least).map { max($0.count, $1) }
  }

  private static func names(_ metrics: [String]) -> [String] {
    ["epoch", "train loss", "valid loss"] + metrics + ["time"]
  }

  /// The names of the columns.
  var header: String { line(Self.names(metrics)) }

  /// The results of an epoch; `-` where it has none.
  func row(_ epoch: EpochContext) -> String {
    let losses = [epoch.train?.loss, epoch.validation?.loss]
    let values = losses + metrics.map { epoch.metric($0) ?? epoch.reports[$0] }
    return line(
      ["\(epoch.index + 1)/\(epochCount)"]
        + values.map { $0.map { PlotNumber.decimal($0, places: 4) } ?? "-" }
        + [Self.duration(epoch.seconds)])
  }

  private static func duration(_ seconds: Double) -> String {
    seconds < 60 ? "\(PlotNumber.decimal(seconds, places: 1)) s" : ProgressLine.time(seconds)
  }

  private func line(_ cells: [String]) -> String {
    zip(cells, widths)
      .map { String(repeating: " ", count: max($1 - $0.count, 0)) + $0 }
      .joined(separator: "  ")
  }
}
