import Foundation

/// What a measured process prints, as one line of JSON, once it is done.
struct Measurement: Codable {
  /// What was found in one scope.
  struct Result: Codable {
    /// The median time of a step; of epochs, the median of their means.
    var secondsPerStep: Double
    /// The largest size the process had until then.
    var peakBytes: Int
  }

  /// By the scope's name.
  var scopes: [String: Result] = [:]
  /// What was measured: PyTorch's version.
  var version: String?
}

extension Collection where Element == Double {
  /// The middle value; the upper one of two.
  var median: Double { sorted()[count / 2] }

  /// The middle value, and the least and the greatest in brackets.
  var medianAndSpread: String {
    let values = sorted()
    let (least, most) = (values[0].rounded(to: 2), values[count - 1].rounded(to: 2))
    return "\(median.rounded(to: 2)) (\(least)–\(most))"
  }
}

extension Double {
  /// With a number of digits behind the point.
  func rounded(to digits: Int) -> String { String(format: "%.\(digits)f", self) }
}
