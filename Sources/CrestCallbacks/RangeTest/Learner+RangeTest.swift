public import CrestOptimizers
public import CrestTraining

extension Learner {
  /// Tells whether super-convergence is possible here, and with which learning rate: Smith's range test.
  ///
  /// ```swift
  /// let test = try learner.rangeTest()
  /// print(test.summary)
  /// if let maxLR = test.maxLR { try learner.fitOneCycle(epochs: 20, maxLR: maxLR) }
  /// ```
  ///
  /// For each seed, the rate rises linearly from about 0 to `maximum`, while accuracy is measured on training examples
  /// that are held out: those of validation if they were drawn from the set, otherwise 2,000 of the training part, at
  /// most a fifth. A set's own validation or test part is never looked at. Momentum, batch size, weight decay and
  /// augmentation are the learner's, for which alone the verdict holds. Running statistics are estimated anew before
  /// each measurement.
  ///
  /// Without a maximum, the finder's rate of least loss and four short constant runs below it find a usual rate, and
  /// the test goes to 30 times that: in a narrower range any network looks flat. On a plateau, a third and a tenth of its
  /// end are tried beside the end in 1cycle runs of `trialEpochs`.
  ///
  /// Parameters, statistics, moments, the position in the data and the callbacks' states are restored however the test
  /// ends. The learner's own callbacks are inactive meanwhile.
  ///
  /// - Parameters:
  ///   - maximum: The highest rate; nil for 30 times a usual rate.
  ///   - steps: The steps of each curve, at least as many as points; nil for four epochs, at least 1,500 steps.
  ///   - points: The points of each curve, 20 to 1,000.
  ///   - seeds: The seeds, of the initial values too if the model is untrained; three are better than one unless
  ///     training diverges.
  ///   - trialEpochs: The epochs of the runs that tell how much of a plateau to use; 0 for none.
  ///   - callbacks: Callbacks that take part in every run, as a progress bar.
  /// - Returns: The curves, the verdict and the rates.
  /// - Throws: `RangeTest.Refusal` when the test can't be made;
  ///   ``CrestTraining/LearnerError/interrupted`` on interruption; ``CrestTraining/NonFiniteLoss`` when the data hold a
  ///   number that isn't finite; what the data or the compiler threw.
  /// - Precondition: no fit is running.
  public func rangeTest(
    to maximum: Double? = nil, steps: Int? = nil, points: Int = 40, seeds: [UInt64]? = nil,
    trialEpochs: Int = 2, callbacks: [any Callback] = []
  ) throws -> RangeTest {
    let seeds = seeds ?? [seed]
    try RangeTest.Refusal.check(
      maximum: maximum, steps: steps, points: points, seeds: seeds, trialEpochs: trialEpochs)
    return try tryOut { trials in
      try RangeTestSearch(trials, stepCount: steps, pointCount: points, callbacks: callbacks)
        .result(to: maximum, seeds: seeds, trialEpochs: trialEpochs)
    }
  }
}

extension RangeTest.Refusal {
  fileprivate static func check(
    maximum: Double?, steps: Int?, points: Int, seeds: [UInt64], trialEpochs: Int
  ) throws(RangeTest.Refusal) {
    if let maximum {
      try require(
        maximum > 0 && Float(maximum).isNormal, "maximum", maximum,
        "a number above 0 that float32 holds")
    }
    try require((20...1000).contains(points), "points", points, "20 to 1000")
    if let steps {
      try require(
        (points...Int(Int32.max)).contains(steps), "steps", steps,
        "a step for each of the \(points) points or more")
    }
    try check(seeds: seeds)
    try require((0...1000).contains(trialEpochs), "trialEpochs", trialEpochs, "0 to 1000")
  }

  static func check(seeds: [UInt64]) throws(RangeTest.Refusal) {
    try require(
      !seeds.isEmpty && Set(seeds).count == seeds.count, "seeds", seeds,
      "different seeds, one or more")
  }

  private static func require(
    _ holds: Bool, _ parameter: String, _ value: Any, _ expected: String
  ) throws(RangeTest.Refusal) {
    guard holds else {
      throw .outOfRange(parameter: parameter, value: "\(value)", expected: expected)
    }
  }
}
