import CrestPlatform
import CrestTensor

/// The curve of a learning-rate range test: how well a network does on held-out examples while its rate rises
/// linearly from about 0 to a maximum (Smith & Topin 2018, arXiv:1708.07120).
package struct RangeTestCurve: Sendable {
  /// A network at a point of the test.
  package struct Point: Sendable, Hashable {
    package let learningRate: Double
    /// Accuracy, or what stands for it; not finite where training diverged.
    package let accuracy: Double

    package init(learningRate: Double, accuracy: Double) {
      self.learningRate = learningRate
      self.accuracy = accuracy
    }
  }

  /// The points in ascending order of their rates; what comes after divergence is at chance.
  package let points: [Point]
  /// The accuracy of a network that has learned nothing.
  package let chance: Double

  /// A curve of held-out accuracy.
  ///
  /// - Precondition: there is at least one point, and rates are finite and ascending.
  package init(_ points: [Point], chance: Double) {
    programmerError(unless: !points.isEmpty, "a range test has no points")
    let rates = points.map(\.learningRate)
    programmerError(
      unless: rates.allSatisfy(\.isFinite) && zip(rates, rates.dropFirst()).allSatisfy(<),
      "the rates of a range test are \(rates)")
    self.points = points.map { point in
      point.accuracy.isFinite
        ? point : Point(learningRate: point.learningRate, accuracy: chance)
    }
    self.chance = chance
  }

  /// A curve of held-out losses, with their likelihood exp(−loss) in the place of accuracy; that of the untrained
  /// network is chance.
  package init(losses points: [Point], untrained: Double) {
    self.init(
      points.map { Point(learningRate: $0.learningRate, accuracy: exp(-$0.accuracy)) },
      chance: exp(-untrained))
  }

  /// A curve of held-out losses of values, with 1 − loss / loss of the untrained network in the place of accuracy.
  package init(errors points: [Point], untrained: Double) {
    self.init(
      points.map {
        Point(learningRate: $0.learningRate, accuracy: 1 - $0.accuracy / untrained)
      },
      chance: 0)
  }

  /// The running median over n / 40 points to each side, at least one, cut off at the ends.
  package var smoothed: [Double] {
    let half = max(1, points.count / 40)
    return points.indices.map { place in
      let window = points[max(0, place - half)..<min(points.count, place + half + 1)]
        .map(\.accuracy).sorted()
      let middle = window.count / 2
      return window.count.isMultiple(of: 2)
        ? (window[middle - 1] + window[middle]) / 2 : window[middle]
    }
  }
}
