/// A sum and how many numbers it is of.
struct Mean: Sendable, Codable {
  private(set) var sum = 0.0
  private(set) var count = 0

  init() {}

  /// Reads what was saved, which must leave room for more.
  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    sum = try container.decode(Double.self, forKey: .sum)
    count = try container.decode(Int.self, forKey: .count)
    guard (0...1 << 53).contains(count) else {
      throw DecodingError.dataCorruptedError(
        forKey: .count, in: container, debugDescription: "a count from 0 to 2⁵³")
    }
  }

  /// Takes in `count` numbers that add up to `sum`.
  mutating func add(_ sum: Double, count: Int) {
    self.sum += sum
    self.count += count
  }

  /// The mean; NaN of nothing.
  var value: Double { count == 0 ? .nan : sum / Double(count) }
}
