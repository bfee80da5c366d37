import ArgumentParser
import Foundation

/// Runs Crest's bare steps and whole epochs in turn, and prints what loading adds.
struct Loading: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Runs bare steps, epochs and epochs with augmentation in turn and prints their ratios.",
    discussion: """
      A share of 1 means that an epoch runs at the speed of bare steps: making the batches, changing their images, \
      ten callbacks and the metrics are hidden behind the steps, on the same threads.
      """)

  @Option(help: "Rounds.", transform: atLeastOne)
  var pairs = 5
  @OptionGroup var options: RowOptions

  func run() throws {
    print(try Machine.description(threads: options.threads) + "\n")
    print("| Crest | steps /s | epoch: share (least–most) | with crop and flip |")
    print("|---|---|---|---|")
    for workload in options.rows {
      var rates: [Double] = []
      var shares: [[Double]] = [[], []]
      for _ in 0..<pairs {
        for (kind, augmenting) in [[], ["--augment"]].enumerated() {
          let process = try options.measure(workload, augmenting + ["--scope", "step", "epoch"])
          rates.append(Double(workload.batchSize) / process.seconds(.step))
          shares[kind].append(process.seconds(.step) / process.seconds(.epoch))
        }
      }
      print(
        "| \(workload) | \(Int(rates.median)) | \(shares[0].medianAndSpread) "
          + "| \(shares[1].medianAndSpread) |")
      fflush(nil)
    }
  }
}
