import CrestGraph
import CrestPlatform
public import CrestRuntime
import CrestTensor

/// Adam's scaling from the means of rows and columns (Shazeer & Stern 2018; PyTorch's `Adafactor`).
///
///     β = 1 - t^(betaDecay)
///     R ← β R + (1 - β) means of the rows of g²,  C ← β C + (1 - β) means of its columns,  V = R C / mean R
///     u = g / √V,  u ← u / max(1, RMS(u) / clip)
///     w ← w - max(smallest, RMS(w)) · min(rate, 1 / √t) · u
///
/// Rows and columns are those of the last two dimensions, as in PyTorch; a vector has its own mean squares for V. The mean of
/// R is at least ε and V at least ε² and 2⁻¹²⁶. With decoupled decay, the only kind, w is first w · (1 - rate · decay). The rate is
/// relative to the size of a parameter. It has no momentum: a schedule of it changes nothing.
///
/// Two moments, of which R and C take the first numbers for each matrix: memory isn't saved here, as it is with PyTorch's.
public struct Adafactor: Optimizer, Equatable {
  /// `adafactor`.
  public var name: String { "adafactor" }
  /// Learning rate and weight decay.
  public let defaults: Hyperparameters
  /// The exponent with which 1 - β falls.
  public let betaDecay: Double
  /// The root mean square above which steps are scaled down.
  public let clip: Double
  /// The least root mean square that a parameter counts as.
  public let smallest: Double
  /// ε, below which no mean of squares goes.
  public let epsilon: Double
  /// Beside the rule.
  public var decayKind: WeightDecay.Kind { .decoupled }
  /// Which parameters weight decay applies to.
  public let decayTargets: WeightDecay.Targets
  /// R, or V of a vector, and C.
  public var momentCount: Int { 2 }

  /// Learning rate 0.01, exponent -0.8, clip 1, smallest 0.001, ε 2⁻²³; no weight decay.
  public init() {
    defaults = Hyperparameters(learningRate: 0.01, momentum: 0)
    (betaDecay, clip, smallest) = (-0.8, 1, 0.001)
    (epsilon, decayTargets) = (Double(Float.ulpOfOne), .weights)
  }

  /// Creates an optimiser; arguments left out are as in ``init()``.
  ///
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, or the exponent isn't from -1 to below 0, or
  ///   another number not above 0.
  public init(
    learningRate: Double = 0.01, betaDecay: Double = -0.8, clip: Double = 1,
    smallest: Double = 0.001, epsilon: Double = Double(Float.ulpOfOne), weightDecay: Double = 0,
    decayTargets: WeightDecay.Targets = .weights
  ) throws(OptimizerError) {
    defaults = Hyperparameters(learningRate: learningRate, momentum: 0, weightDecay: weightDecay)
    try defaults.validate(for: "adafactor")
    try OptimizerError.check(betaDecay, .exponent, "beta decay", of: "adafactor")
    for (value, name) in [(clip, "clip"), (smallest, "smallest"), (epsilon, "epsilon")] {
      try OptimizerError.checkPositive(value, name, of: "adafactor")
    }
    (self.betaDecay, self.clip, self.smallest) = (betaDecay, clip, smallest)
    (self.epsilon, self.decayTargets) = (epsilon, decayTargets)
  }

  /// Three passes over each parameter: means, sizes, and the step; two over a vector, whose means and sizes take one.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    let taken = pow(Double(stepNumber), betaDecay)
    for group in groups {
      let rate = group.hyperparameters.learningRate
      let relative = min(rate, 1 / Double(stepNumber).squareRoot())
      for part in group.parts(decayTargets) {
        var isFinite = true
        for entry in part.entries(of: store) {
          let areFinite = step(
            store, entry, taken, keep: 1 - rate * part.decay, rate: relative, engine)
          isFinite = isFinite && areFinite
        }
        store.noteUpdate(of: part.count, isFinite: isFinite)
      }
    }
  }

  private func step(
    _ store: ParameterStore, _ entry: ParameterStore.Entry, _ taken: Double, keep: Double,
    rate: Double, _ engine: Engine
  ) -> Bool {
    func length(_ weights: Double, _ directions: Double) -> Double {
      let count = Double(entry.range.count)
      return max(smallest, (weights / count).squareRoot()) * rate
        / max(1, (directions / count).squareRoot() / clip)
    }
    guard entry.shape.rank < 2 else {
      return store.factoredStep(
        entry, part: taken, keep: keep, epsilon: epsilon, on: engine, step: length)
    }
    let means = store.pass(
      .adafactorMeans(part: taken, epsilon: epsilon), over: entry.range, on: engine)
    let step = store.pass(
      .adafactorStep(
        keep: keep, epsilon: epsilon, step: length(means.sums.0, means.sums.1)),
      over: entry.range, on: engine)
    return means.isFinite && step.isFinite
  }
}

extension Adafactor: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "adafactor",
    [
      .init("beta-decay", .number(.exponent)), .init("clip", .number(.positive)),
      .init("smallest", .number(.positive)), .epsilon, .weightDecay,
    ], decay: .own, torch: "Adafactor", keras: "Adafactor"
  ) { given throws(OptimizerError) in
    let own = Adafactor()
    return try Adafactor(
      betaDecay: given.number("beta-decay") ?? own.betaDecay,
      clip: given.number("clip") ?? own.clip, smallest: given.number("smallest") ?? own.smallest,
      epsilon: given.number("epsilon") ?? own.epsilon,
      weightDecay: given.weightDecay ?? own.defaults.weightDecay,
      decayTargets: given.decayTargets ?? own.decayTargets)
  }
}
