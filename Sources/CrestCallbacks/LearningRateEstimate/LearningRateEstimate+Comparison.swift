import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTraining

extension LearningRateEstimate {
  /// Sums whose ratio is an estimate: of absolute values, and of squares.
  struct Ratio {
    var numerator, numeratorSquares: Double
    var denominator, denominatorSquares: Double

    static func + (a: Ratio, b: Ratio) -> Ratio {
      Ratio(
        numerator: a.numerator + b.numerator,
        numeratorSquares: a.numeratorSquares + b.numeratorSquares,
        denominator: a.denominator + b.denominator,
        denominatorSquares: a.denominatorSquares + b.denominatorSquares)
    }
  }

  /// Whether the velocity of SGD tells the steps: then the optimiser's own pass sums up how it changes, and no copies
  /// are needed.
  func isFused(in learner: Learner) -> Bool {
    guard !byGroup, let sgd = learner.optimizer as? SGD, !sgd.nesterov else { return false }
    let rates = learner.learningRates
    return rates.allSatisfy { $0 == rates.first }
      && (sgd.decayKind == .l2 || learner.hyperparameters.weightDecay == 0)
  }

  /// Compares the step just taken with the one before.
  func compareSteps(_ batch: BatchContext, _ watched: ChangeSums?) {
    var now = Step(index: batch.step, learningRate: batch.hyperparameters.learningRate)
    let rates = (previous: state.previous?.learningRate ?? .nan, now: now.learningRate)
    let sums =
      watched.map { [$0] }
      ?? withArrays { changes(of: .parameters, &$0, &$1, batch, rates) }
    if let before = state.previous {
      let rate = form == .smith ? before.learningRate : 1
      add(
        sums.enumerated().map { place, sums in
          Ratio(
            numerator: rate * before.changes[place],
            numeratorSquares: rate * rate * before.changeSquares[place],
            denominator: form == .smith ? sums.difference : sums.scaledDifference,
            denominatorSquares: form == .smith
              ? sums.differenceSquares : sums.scaledDifferenceSquares)
        }, of: before, batch.learner)
    }
    now.changes = sums.map(\.second)
    now.changeSquares = sums.map(\.secondSquares)
    state.previous = now
  }

  /// Compares the gradients of the step to come with those of the one before.
  func compareGradients(_ batch: BatchContext) {
    let store = batch.learner.model.store
    if state.parameters.isEmpty {
      state.parameters = store.withBuffer(.parameters) { Array($0) }
      state.others = store.withBuffer(.gradients) { Array($0) }
    } else {
      let (steps, gradients) = withArrays { parameters, gradients in
        var none: [Float] = []
        return (
          changes(of: .parameters, &parameters, &none, batch),
          changes(of: .gradients, &gradients, &none, batch)
        )
      }
      if let before = state.previous {
        add(Self.ratios(steps, over: gradients), of: before, batch.learner)
      }
    }
    state.previous = Step(
      index: batch.step, learningRate: batch.hyperparameters.learningRate)
  }

  /// Compares the gradient of the batch after its step with that before, at `start`.
  func compareOnSameBatch(
    _ batch: BatchContext, _ start: (parameters: [Float], gradients: [Float])
  ) throws {
    var (parameters, gradients) = start
    var none: [Float] = []
    let steps = changes(of: .parameters, &parameters, &none, batch)
    let differences = try batch.withGradientsRecomputed {
      changes(of: .gradients, &gradients, &none, batch)
    }
    let step = Step(index: batch.step, learningRate: batch.hyperparameters.learningRate)
    let count = state.parts.first?.running.count
    add(Self.ratios(steps, over: differences), of: step, batch.learner)
    guard let latest, state.parts.first?.running.count != count else { return }
    state.excesses =
      latest.learningRate > 2 * latest.optimal ? min(state.excesses + 1, Self.patience) : 0
    guard state.excesses == Self.patience, !batch.learner.notes.contains(where: \.isOfEstimate)
    else { return }
    batch.learner.add(
      .rateAboveEstimate(
        learningRate: latest.learningRate, estimate: latest.optimal, step: latest.step))
  }

  private static func ratios(_ steps: [ChangeSums], over gradients: [ChangeSums]) -> [Ratio] {
    zip(steps, gradients).map { step, gradient in
      Ratio(
        numerator: step.second, numeratorSquares: step.secondSquares,
        denominator: gradient.second, denominatorSquares: gradient.secondSquares)
    }
  }

  /// Calls `body` with the arrays of the state, which are not there meanwhile, so that they are changed in place.
  private func withArrays<Result>(_ body: (inout [Float], inout [Float]) -> Result) -> Result {
    var (parameters, others) = (state.parameters, state.others)
    (state.parameters, state.others) = ([], [])
    defer { (state.parameters, state.others) = (parameters, others) }
    return body(&parameters, &others)
  }

  /// Of each group, or of the network.
  private func changes(
    of buffer: ParameterStore.Buffer, _ before: inout [Float], _ change: inout [Float],
    _ batch: BatchContext, _ rates: (previous: Double, now: Double) = (1, 1)
  ) -> [ChangeSums] {
    let model = batch.learner.model
    return ranges.map { ranges in
      ranges.reduce(into: ChangeSums()) { sums, range in
        sums += model.store.changeSums(
          of: buffer, in: range, since: &before, after: &change, rates: rates, on: model.engine)
      }
    }
  }

  /// Takes in what the groups, or the network, give of a step.
  private func add(_ ratios: [Ratio], of step: Step, _ learner: Learner) {
    guard var whole = ratios.first else { return }
    for other in ratios.dropFirst() { whole = whole + other }
    for (place, ratio) in ([whole] + (byGroup ? ratios : [])).enumerated() {
      let rate = place == 0 ? step.learningRate : learner.learningRates[place - 1]
      state.parts[place].add(ratio, step: step.index, learningRate: rate)
    }
  }
}

extension LearningRateEstimate.Part {
  /// Takes in a step, unless it gives no finite number above 0.
  fileprivate mutating func add(
    _ ratio: LearningRateEstimate.Ratio, step: Int, learningRate: Double
  ) {
    let optimal = ratio.numerator / ratio.denominator
    guard optimal.isFinite, optimal > 0 else { return }
    running.add(ratio.numerator, over: ratio.denominator)
    latest = LearningRateEstimate.Estimate(
      step: step, learningRate: learningRate, optimal: optimal,
      euclidean: (ratio.numeratorSquares / ratio.denominatorSquares).squareRoot(),
      smoothed: running.smoothed, mean: running.corrected, ratioOfMeans: running.ratioOfMeans)
  }
}

extension Learner.Note {
  /// Whether it is of a learning rate above an estimate.
  fileprivate var isOfEstimate: Bool {
    if case .rateAboveEstimate = self { true } else { false }
  }
}
