import CrestPlatform
import CrestTensor

/// Numbers for a batch, one after the other: the batches of an epoch share none.
package struct MixingRandom {
  private let generator: Philox
  private var block: UInt64

  package init(seed: UInt64, epoch: Int, batch: Int) {
    generator = Philox(seed: seed, stream: Philox.Stream.mixing, step: UInt32(epoch))
    block = UInt64(batch) << 30
  }

  /// The next uniform number between 0 and 1, of 53 bits; never 0 or 1.
  mutating func uniform() -> Double {
    defer { block += 1 }
    let words = generator.words(block: block)
    let bits = (UInt64(words.0) << 32 | UInt64(words.1)) >> 11
    return (Double(bits) + 0.5) * 0x1p-53
  }

  /// The next whole number below `bound`.
  mutating func integer(below bound: Int) -> Int {
    defer { block += 1 }
    return generator.integer(below: bound, block)
  }

  /// A permutation of `0 ..< count`.
  mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, integer(below: last + 1))
    }
    return order
  }

  /// A number from Beta(α, α), as one part of two from Gamma(α).
  package mutating func beta(_ alpha: Double) -> Double {
    // Of logarithms: for a small α both parts may be too small for a Double.
    let difference = logGamma(alpha) - logGamma(alpha)
    return 1 / (1 + exp(difference))
  }

  /// The logarithm of a number from Gamma(α) (Marsaglia and Tsang 2000; below 1 from that of α + 1).
  private mutating func logGamma(_ alpha: Double) -> Double {
    guard alpha >= 1 else { return logGamma(alpha + 1) + log(uniform()) / alpha }
    let d = alpha - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let normal = normal()
      let base = 1 + c * normal
      guard base > 0 else { continue }
      let cube = base * base * base
      if log(uniform()) < 0.5 * normal * normal + d - d * cube + d * log(cube) {
        return log(d) + log(cube)
      }
    }
  }

  /// A number from the normal distribution (Box and Muller).
  private mutating func normal() -> Double {
    let radius = (-2 * log(uniform())).squareRoot()
    return radius * cos(2 * .pi * uniform())
  }
}
