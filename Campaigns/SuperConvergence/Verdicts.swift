import Foundation

/// What range tests said.
struct Verdicts {
  /// A row of the table.
  struct Row {
    let verdict: String
    /// Confidence, e, τ, u, the rates of the peak, of the maximum and of divergence.
    let numbers: [String]
  }

  private(set) var table: TableFile

  /// The names of the numbers.
  static let numbers = ["confidence", "e", "tau", "u", "peak", "maximum", "diverged"]

  /// The file `verdicts.tsv` of a folder.
  init(folder: URL) throws {
    table = try TableFile(
      folder.appending(path: "verdicts.tsv"),
      columns: ["command", "source", "verdict"] + Verdicts.numbers)
  }

  /// What a test said; nil before it is done.
  subscript(_ test: VerdictTest) -> Row? {
    table.row(of: test.command).map { Row(verdict: $0[2], numbers: Array($0.dropFirst(3))) }
  }

  /// Tests.
  mutating func add(_ test: VerdictTest, _ command: Command, places: Places) throws {
    let answer: Answer = try command.result(
      test.arguments + ["--threads", "\(places.threads)", "--json"])
    guard let curve = answer.curves.first else {
      throw CampaignError("\(test.command) printed no curve")
    }
    func text(_ value: Double?, _ format: String) -> String {
      value.map { String(format: format, $0) } ?? "–"
    }
    try table.add(
      [test.command, places.source, answer.verdict ?? "none", text(answer.confidence, "%.2f")]
        + [curve.end, curve.fromPeak, curve.upperHalf].map { text($0, "%.2f") }
        + [curve.peakRate, answer.maxLR, curve.divergedRate].map { text($0, "%.2g") })
  }

  private struct Answer: Decodable {
    let verdict: String?
    let confidence: Double
    let maxLR: Double?
    let curves: [Curve]

    enum CodingKeys: String, CodingKey {
      case verdict, confidence, curves
      case maxLR = "max_lr"
    }
  }

  private struct Curve: Decodable {
    let end, fromPeak, upperHalf, peakRate: Double
    let divergedRate: Double?

    enum CodingKeys: String, CodingKey {
      case end
      case fromPeak = "from_peak"
      case upperHalf = "upper_half"
      case peakRate = "peak_lr"
      case divergedRate = "diverged_lr"
    }
  }
}
