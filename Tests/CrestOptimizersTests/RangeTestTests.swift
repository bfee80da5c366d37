import CrestOptimizers
import Testing

@Suite("The reading of a range test") struct RangeTestTests {
  /// A curve whose measures are known, with chance 0.1; what is missing of `count` points had diverged.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let top: Double
    let count: Int
    let accuracies: [Double]
    let peak: Double
    let peakRate: Double
    let end: Double
    let fromPeak: Double
    let upperHalf: Double
    let width: Double
    let score: Double
    let verdict: RangeTestReading.Verdict
    let doubts: [RangeTestReading.Doubt]

    var testDescription: String { name }

    var curve: RangeTestCurve {
      RangeTestCurve(
        (1...count).map { number in
          RangeTestCurve.Point(
            learningRate: top * Double(number) / Double(count),
            accuracy: number <= accuracies.count ? accuracies[number - 1] : .nan)
        }, chance: 0.1)
    }

    init(
      _ name: String, _ top: Double, _ count: Int, peak: Double, at peakRate: Double, end: Double,
      fromPeak: Double, upperHalf: Double, width: Double, score: Double,
      _ verdict: RangeTestReading.Verdict, _ doubts: [RangeTestReading.Doubt],
      _ accuracies: [Double]
    ) {
      self.name = name
      self.top = top
      self.count = count
      self.accuracies = accuracies
      self.peak = peak
      self.peakRate = peakRate
      self.end = end
      self.fromPeak = fromPeak
      self.upperHalf = upperHalf
      self.width = width
      self.score = score
      self.verdict = verdict
      self.doubts = doubts
    }
  }

  static let cases = [
    Case(
      "ResNet-20, statistics of momentum 0.9", 3, 20, peak: 0.5425, at: 1.65, end: 0.964,
      fromPeak: 0.970, upperHalf: 0.968, width: 2.5, score: 1, .plateau, [.tooShort],
      [
        0.2365, 0.3785, 0.3545, 0.345, 0.4245, 0.246, 0.297, 0.503, 0.4675, 0.4385, 0.5425, 0.594,
        0.5375, 0.5265, 0.518, 0.582, 0.406, 0.5235, 0.5565, 0.497,
      ]),
    Case(
      "ResNet-20, statistics of momentum 0.5", 3, 20, peak: 0.6205, at: 2.25, end: 0.940,
      fromPeak: 0.932, upperHalf: 0.952, width: 2.22, score: 1, .plateau, [.tooShort],
      [
        0.302, 0.397, 0.4255, 0.4315, 0.5045, 0.338, 0.477, 0.51, 0.541, 0.5215, 0.5975, 0.601,
        0.597, 0.6115, 0.6205, 0.6415, 0.56, 0.5485, 0.618, 0.561,
      ]),
    Case(
      "three layers with batch norm", 3, 20, peak: 0.476, at: 0.45, end: 0.020, fromPeak: 0.366,
      upperHalf: 0.100, width: 6, score: 0, .peak, [],
      [
        0.4245, 0.476, 0.428, 0.499, 0.429, 0.4625, 0.365, 0.2495, 0.2385, 0.3075, 0.132, 0.3125,
        0.109, 0.2125, 0.1005, 0.0935, 0.102, 0.1005, 0.1075, 0.1075,
      ]),
    Case(
      "three layers, diverged", 0.3, 20, peak: 0.526, at: 0.09, end: 0, fromPeak: 0.239,
      upperHalf: 0, width: 4, score: 0, .peak, [],
      [0.3375, 0.449, 0.4775, 0.493, 0.523, 0.526, 0.528, 0.4585, 0.4185]),
    Case(
      "LeNet on Fashion-MNIST, diverged", 0.5, 20, peak: 0.787, at: 0.05, end: 0, fromPeak: 0.157,
      upperHalf: 0, width: 4, score: 0, .peak, [], [0.787, 0.7735, 0.7945, 0.779]),
    Case(
      "Smith's ResNet-56 of 5,000 steps", 3, 50, peak: 0.804, at: 2.4, end: 0.923, fromPeak: 0.929,
      upperHalf: 0.905, width: 10, score: 1, .plateau, [],
      [
        0.398, 0.624, 0.414, 0.615, 0.696, 0.715, 0.722, 0.733, 0.735, 0.658, 0.801, 0.734, 0.544,
        0.712, 0.792, 0.802, 0.667, 0.679, 0.753, 0.816, 0.762, 0.739, 0.811, 0.702, 0.671, 0.746,
        0.686, 0.64, 0.761, 0.78, 0.706, 0.752, 0.764, 0.783, 0.615, 0.782, 0.654, 0.724, 0.791,
        0.804, 0.804, 0.781, 0.785, 0.663, 0.66, 0.713, 0.815, 0.789, 0.648, 0.784,
      ]),
    Case(
      "Smith's bottleneck network, clipped", 3, 40, peak: 0.481, at: 0.525, end: 0.120,
      fromPeak: 0.275, upperHalf: 0.180, width: 9, score: 0, .peak, [],
      [
        0.387, 0.432, 0.435, 0.421, 0.466, 0.439, 0.489, 0.481, 0.469, 0.271, 0.194, 0.181, 0.26,
        0.186, 0.173, 0.184, 0.159, 0.208, 0.15, 0.212, 0.179, 0.245, 0.201, 0.166, 0.139, 0.172,
        0.128, 0.177, 0.163, 0.201, 0.16, 0.203, 0.198, 0.177, 0.152, 0.128, 0.112, 0.124, 0.173,
        0.174,
      ]),
  ]

  @Test(arguments: cases)
  func `has the measures that are known`(test: Case) {
    let reading = RangeTestReading(test.curve)
    for (name, got, expected, digits) in [
      ("peak", reading.peak, test.peak, 1e-4), ("rate", reading.peakRate, test.peakRate, 1e-3),
      ("end", reading.end, test.end, 1e-3), ("from peak", reading.fromPeak, test.fromPeak, 1e-3),
      ("upper half", reading.upperHalf, test.upperHalf, 1e-3),
      ("width", reading.width, test.width, 1e-2), ("score", reading.score, test.score, 1e-3),
    ] {
      #expect(abs(got - expected) <= digits * 0.51, "\(name): \(got), expected \(expected)")
    }
    #expect(reading.verdict == test.verdict)
    #expect(reading.doubts == test.doubts)
  }
}
