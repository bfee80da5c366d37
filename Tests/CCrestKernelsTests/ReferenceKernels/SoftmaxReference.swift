import Foundation

/// Softmax, its logarithm and cross-entropy of one row in double precision.
struct SoftmaxReference {
  let maximum: Double
  /// Σ exp(x - max).
  let sum: Double
  let probabilities: [Double]
  let logarithms: [Double]

  init(_ row: some Sequence<Float>) {
    let x = row.map(Double.init)
    let maximum = x.contains { $0.isNaN } ? .nan : x.max() ?? -.infinity
    let sum = x.map { exp($0 - maximum) }.reduce(0, +)
    probabilities = x.map { exp($0 - maximum) / sum }
    logarithms = x.map { $0 - maximum - log(sum) }
    self.maximum = maximum
    self.sum = sum
  }

  /// (1 - s) · target + s / classes.
  static func smoothed(_ target: [Double], by smoothing: Float) -> [Double] {
    let s = Double(smoothing)
    return target.map { $0 * (1 - s) + s / Double(target.count) }
  }

  /// -Σ target · log p, where a class of target 0 adds nothing.
  func crossEntropy(_ target: [Double]) -> Double {
    zip(target, logarithms).reduce(0) { $1.0 == 0 ? $0 : $0 - $1.0 * $1.1 }
  }

  /// p · Σ target - target.
  func crossEntropyGradient(_ target: [Double]) -> [Double] {
    let total = target.reduce(0, +)
    return zip(probabilities, target).map { $0 * total - $1 }
  }
}
