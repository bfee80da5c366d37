/// An estimate of the gradient noise scale, the batch size beyond which larger batches save few steps.
///
/// The simple noise scale is B = tr(Σ) / |G|², with G the true gradient and Σ the covariance of one example's gradient
/// around it. A mean gradient over b examples has the expected square E|g_b|² = |G|² + tr(Σ) / b, so two batch sizes give
/// both:
///
///     |G|²   ≈ (B·|g_B|² − b·|g_b|²) / (B − b)
///     tr(Σ)  ≈ (|g_b|² − |g_B|²) / (1/b − 1/B)
///
/// Each is averaged by itself over time, as a ratio of noisy numbers would be biased. Here b is the batch size, and g_B
/// the mean of several batches in a row, over which the parameters change little.
///
/// S. McCandlish et al., "An empirical model of large-batch training" (arXiv:1812.06162), section 2.2, appendix A.1.
struct GradientNoise: Codable, Sendable, Hashable {
  private var exampleCount = 0
  private var batchCount = 0
  private var squares = 0.0
  private var sum: [Float] = []
  private var weight = 0.0
  private var signal = 0.0
  private var noise = 0.0

  /// The noise scale in examples; nil before the first window, and while noise hides the gradient altogether.
  var scale: Double? {
    guard weight > 0, signal > 0, noise >= 0 else { return nil }
    let scale = noise / signal
    return scale.isFinite ? scale : nil
  }

  /// Whether it can be of windows of `window` batches and `count` gradients.
  func fits(window: Int, count: Int) -> Bool {
    (0..<window).contains(batchCount) && exampleCount >= 0
      && (sum.isEmpty ? exampleCount == 0 : sum.count == count && exampleCount >= 1)
  }

  /// Takes in the mean gradient of a batch of `count` examples, which lies in ranges of a buffer.
  ///
  /// A batch of another size than those before begins a new window.
  mutating func add(
    _ gradients: UnsafeMutableBufferPointer<Float>, in ranges: [Range<Int>], count: Int,
    window: Int, decay: Double
  ) {
    let elementCount = ranges.reduce(0) { $0 + $1.count }
    if count != exampleCount || sum.count != elementCount { begin(count, elementCount) }
    var square = 0.0
    sum.withUnsafeMutableBufferPointer { sum in
      var place = 0
      for range in ranges {
        for index in range {
          let value = gradients[index]
          square += Double(value) * Double(value)
          sum[place] += value
          place += 1
        }
      }
    }
    squares += square
    batchCount += 1
    if batchCount == window { close(window: window, decay: decay) }
  }

  /// Forgets the window that is not complete, of gradients at weights that are gone.
  mutating func forgetWindow() { begin(exampleCount, sum.count) }

  private mutating func begin(_ count: Int, _ elementCount: Int) {
    exampleCount = count
    batchCount = 0
    squares = 0
    sum = [Float](repeating: 0, count: elementCount)
  }

  private mutating func close(window: Int, decay: Double) {
    let small = squares / Double(window)
    let large = sum.reduce(0) { $0 + Double($1) * Double($1) } / Double(window * window)
    let (b, B) = (Double(exampleCount), Double(exampleCount * window))
    // Averages that forget, with the weight of what they have seen taken out.
    weight = decay * weight + (1 - decay)
    signal = decay * signal + (1 - decay) * (B * large - b * small) / (B - b)
    noise = decay * noise + (1 - decay) * (small - large) / (1 / b - 1 / B)
    begin(exampleCount, sum.count)
  }
}
