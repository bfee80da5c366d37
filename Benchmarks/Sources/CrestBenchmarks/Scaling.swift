import ArgumentParser
import Foundation

/// Runs Crest on one thread and on several in turn, and prints how much faster several are.
struct Scaling: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Runs Crest on one thread and on --threads in turn and prints medians of the ratios.")

  @Option(help: "Pairs of runs.", transform: atLeastOne)
  var pairs = 5
  @OptionGroup var options: RowOptions

  func run() throws {
    print(try Machine.description(threads: options.threads) + "\n")
    print("| step | 1 thread /s | \(options.threads) threads /s | ratio (least–most) |")
    print("|---|---|---|---|")
    for workload in options.rows {
      func seconds(_ threads: Int) throws -> Double {
        try options.measure(workload, threads: threads).seconds(.step)
      }
      let times = try (0..<pairs).map { _ in (try seconds(1), try seconds(options.threads)) }
      let ratios = times.map { $0 / $1 }
      let rates = [times.map(\.0), times.map(\.1)].map {
        Int(Double(workload.batchSize) / $0.median)
      }
      print(
        "| \(workload) | \(rates[0]) | \(rates[1]) | \(ratios.medianAndSpread) |")
      fflush(nil)
    }
  }
}
