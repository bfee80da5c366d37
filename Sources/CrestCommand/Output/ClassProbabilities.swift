import Crest
import Foundation

extension OutputForm {
  /// The probabilities of classes that a row of predictions says; of a single number those of no and yes.
  func probabilities(_ values: [Float]) -> [Double] {
    guard values.count > 1 else {
      let yes =
        switch self {
        case .numbers: PredictionKind.logits.probability(values[0])
        case .probabilities: Double(values[0])
        case .logarithms: exp(Double(values[0]))
        }
      return [1 - yes, yes]
    }
    var probabilities = values.map { Double($0) }
    switch self {
    case .probabilities: break
    case .logarithms: probabilities = probabilities.map { exp($0) }
    case .numbers: PredictionKind.softmax(&probabilities)
    }
    return probabilities
  }
}

extension [String] {
  /// The cells as a line of a CSV file (RFC 4180).
  var csvLine: String { map(Self.cell).joined(separator: ",") + "\n" }

  private static func cell(_ text: String) -> String {
    let isPlain = !text.contains { $0 == "," || $0 == "\"" || $0.isNewline }
    return isPlain ? text : "\"" + text.replacing("\"", with: "\"\"") + "\""
  }
}
