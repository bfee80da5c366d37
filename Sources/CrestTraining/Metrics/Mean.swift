/// A sum and how many numbers it is of, which may have weights.
struct Mean: Sendable, Codable {
  private(set) var sum = 0.0
  private(set) var count = 0
  /// What the sum is divided by; nil for the count.
  private(set) var weight: Double?

  private enum CodingKeys: CodingKey {
    case sum, count, weightedCount, weight
  }

  init() {}

  /// A mean by weights, whose number of examples isn't known.
  init(sum: Double, weight: Double) { (self.sum, self.weight) = (sum, weight) }

  /// Saves numbers with weights under names of their own, so that none of these is missed without a word.
  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(sum, forKey: .sum)
    if let weight {
      try container.encode(count, forKey: .weightedCount)
      try container.encode(weight, forKey: .weight)
    } else {
      try container.encode(count, forKey: .count)
    }
  }

  /// Reads what was saved, which must leave room for more.
  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let isWeighted = container.contains(.weightedCount) || container.contains(.weight)
    let key = isWeighted ? CodingKeys.weightedCount : .count
    sum = try container.decode(Double.self, forKey: .sum)
    count = try container.decode(Int.self, forKey: key)
    guard (0...1 << 53).contains(count) else {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: container, debugDescription: "a count from 0 to 2⁵³")
    }
    guard isWeighted else { return }
    let weight = try container.decode(Double.self, forKey: .weight)
    guard weight >= 0, weight.isFinite else {
      throw DecodingError.dataCorruptedError(
        forKey: .weight, in: container, debugDescription: "a weight that isn't below 0")
    }
    self.weight = weight
  }

  /// Takes in `count` numbers that add up to `sum`.
  mutating func add(_ sum: Double, count: Int) {
    self.sum += sum
    self.count += count
    if let own = weight { weight = own + Double(count) }
  }

  /// Takes in `count` numbers with weights, whose mean by them is `mean`.
  mutating func add(mean: Double, count: Int, weight: Double) {
    let own = self.weight ?? Double(self.count)
    // What weighs nothing is not looked at.
    sum += weight == 0 ? 0 : mean * weight
    self.count += count
    self.weight = own + weight
  }

  /// The mean; NaN of nothing.
  var value: Double {
    let divisor = weight ?? Double(count)
    return divisor == 0 ? .nan : sum / divisor
  }
}
