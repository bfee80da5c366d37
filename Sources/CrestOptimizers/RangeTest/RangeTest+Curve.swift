import CrestPlatform
import CrestTensor

extension RangeTest {
  /// How well a network does on held-out examples while its learning rate rises linearly from about 0 to a maximum.
  public struct Curve: Sendable, Hashable {
    /// The network at a point of the test.
    public struct Point: Sendable, Hashable {
      /// The learning rate of the step before.
      public let learningRate: Double
      /// The accuracy on the held-out examples, or what stands for it (``RangeTest/Measure``); that of ``Curve/chance``
      /// where training had diverged.
      public let accuracy: Double

      /// A point; an accuracy that isn't finite says that training had diverged.
      public init(learningRate: Double, accuracy: Double) {
        self.learningRate = learningRate
        self.accuracy = accuracy
      }
    }

    /// The points in ascending order of their rates.
    public let points: [Point]
    /// The accuracy of a network that has learned nothing.
    public let chance: Double
    /// The first rate at which training had diverged; nil if it never did.
    public let divergedRate: Double?

    /// A curve of held-out accuracy.
    ///
    /// - Precondition: there is at least one point, and rates are finite and ascending.
    public init(_ points: [Point], chance: Double) {
      programmerError(unless: !points.isEmpty, "a range test has no points")
      let rates = points.map(\.learningRate)
      programmerError(
        unless: rates.allSatisfy(\.isFinite) && zip(rates, rates.dropFirst()).allSatisfy(<),
        "the rates of a range test are \(rates)")
      programmerError(unless: chance.isFinite, "the chance of a range test is \(chance)")
      self.points = points.map { point in
        point.accuracy.isFinite
          ? point : Point(learningRate: point.learningRate, accuracy: chance)
      }
      self.chance = chance
      divergedRate = points.first { !$0.accuracy.isFinite }?.learningRate
    }

    /// The running median over n / 40 points to each side, at least one, cut off at the ends.
    public var smoothed: [Double] {
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

  /// What a curve's accuracy is.
  public enum Measure: String, Sendable, Hashable, CaseIterable, Codable {
    /// The share of held-out examples that are classified correctly; chance is the share of the most frequent class.
    case accuracy
    /// exp(−loss), for classes of which one is so frequent that accuracy tells little; chance is that of the untrained
    /// network.
    case likelihood
    /// 1 − loss / loss of the untrained network, for values; chance is 0.
    case explained
  }
}

extension RangeTest.Measure {
  /// What stands for accuracy: the accuracy itself, or what the loss says.
  ///
  /// - Parameters:
  ///   - accuracy: The share of correct classifications, if there are classes.
  ///   - loss: The held-out loss.
  ///   - untrained: The loss of the untrained network.
  /// - Returns: The value; NaN of a loss that isn't finite.
  package func value(accuracy: Double?, loss: Double, untrained: Double) -> Double {
    guard loss.isFinite else { return .nan }
    return switch self {
    case .accuracy: accuracy ?? .nan
    case .likelihood: exp(-loss)
    case .explained: 1 - loss / untrained
    }
  }
}
