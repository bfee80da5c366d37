import GradientNoise
import Testing

/// Gradients with a known mean and a known spread.
private struct Generator: RandomNumberGenerator {
  var state: UInt64

  // SplitMix64 (G. Steele, D. Lea, C. Flood, 2014).
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

@Suite struct `The noise estimate` {
  /// A batch's mean gradient of 50 numbers: each example's is uniform around `mean` with variance 1.
  private func gradient(_ mean: Float, count: Int, _ random: inout Generator) -> [Float] {
    (0..<50).map { _ in
      (0..<count).reduce(0) { sum, _ in
        sum + mean + Float.random(in: -1...1, using: &random) * Float(3).squareRoot()
      } / Float(count)
    }
  }

  private func estimate(mean: Float, batches: Int, seed: UInt64 = 1) -> NoiseEstimate {
    var random = Generator(state: seed)
    var estimate = NoiseEstimate(window: 4, decay: 0.99)
    for _ in 0..<batches {
      gradient(mean, count: 8, &random).withUnsafeBufferPointer { estimate.add([$0], count: 8) }
    }
    return estimate
  }

  @Test(arguments: [(Float(0.5), 4.0), (0.25, 16.0), (1, 1.0)])
  func `finds variance over squared mean`(mean: Float, expected: Double) throws {
    // tr(Σ) = 50 · 1, |G|² = 50 · mean².
    let scale = try #require(estimate(mean: mean, batches: 2000).scale)
    #expect(abs(scale / expected - 1) < 0.15, "\(scale), seed 1")
  }

  @Test func `knows nothing before the first window`() {
    #expect(estimate(mean: 1, batches: 3).scale == nil)
    #expect(estimate(mean: 1, batches: 4).scale != nil)
  }

  @Test func `begins a window again at a batch of another size`() {
    var estimate = NoiseEstimate(window: 2, decay: 0)
    let ones = [Float](repeating: 1, count: 3)
    for count in [8, 3, 8, 3] {
      ones.withUnsafeBufferPointer { estimate.add([$0], count: count) }
    }
    #expect(estimate.scale == nil)
    ones.withUnsafeBufferPointer { estimate.add([$0], count: 3) }
    // Equal gradients have no noise.
    #expect(estimate.scale == 0)
  }
}
