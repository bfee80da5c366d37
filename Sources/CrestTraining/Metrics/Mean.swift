/// A sum and how many numbers it is of.
struct Mean: Sendable, Codable {
  private(set) var sum = 0.0
  private(set) var count = 0

  /// Takes in `count` numbers that add up to `sum`.
  mutating func add(_ sum: Double, count: Int) {
    self.sum += sum
    self.count += count
  }

  /// The mean; NaN of nothing.
  var value: Double { count == 0 ? .nan : sum / Double(count) }
}
