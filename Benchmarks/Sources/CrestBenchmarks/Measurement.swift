/// What a measured process prints, as one line of JSON, once it is done.
struct Measurement: Codable {
  /// The median time of a step.
  var secondsPerStep: Double
  /// The largest size the process had.
  var peakBytes: Int
}

extension Collection where Element == Double {
  /// The middle value; the upper one of two.
  var median: Double { sorted()[count / 2] }
}
