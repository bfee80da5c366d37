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
/// R is at least ε and V at least ε². With decoupled decay, the only kind, w is first w · (1 - rate · decay). The rate is
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

  /// Three passes over each parameter: means, sizes, and the step.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    let taken = pow(Double(stepNumber), betaDecay)
    store.withBuffer(.moments(0)) { rows in
      store.withBuffer(.moments(1)) { columns in
        for group in groups {
          let rate = group.hyperparameters.learningRate
          let relative = min(rate, 1 / Double(stepNumber).squareRoot())
          group.forEachParameter(of: store, decayTargets) { entry, w, g, decay in
            let first = entry.range.lowerBound
            let means = FactoredMeans(
              entry.shape, rows: rows.baseAddress.map { $0 + first },
              columns: columns.baseAddress.map { $0 + first }, epsilon: epsilon)
            means.approach(g, by: taken)
            update(w, g, means, rate: relative, shrinking: 1 - rate * decay)
          }
        }
      }
    }
  }

  private func update(
    _ w: UnsafeMutableBufferPointer<Float>, _ g: UnsafeMutableBufferPointer<Float>,
    _ means: FactoredMeans, rate: Double, shrinking: Double
  ) {
    let root = Double(w.count).squareRoot()
    let size = w.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot() / root
    var squares = 0.0
    means.forEachEstimate { index, estimate in
      squares += Double(g[index]) * Double(g[index]) / estimate
    }
    let step = max(smallest, size) * rate / max(1, squares.squareRoot() / (root * clip))
    means.forEachEstimate { index, estimate in
      w[index] = Float(
        shrinking * Double(w[index]) - step * Double(g[index]) / estimate.squareRoot())
    }
  }
}

/// The means of squares of the last two dimensions' matrices by rows and columns; of a vector, the squares themselves.
private struct FactoredMeans {
  private let matrices: Int
  private let height: Int
  private let width: Int
  private let isFactored: Bool
  private let rows: UnsafeMutablePointer<Float>
  private let columns: UnsafeMutablePointer<Float>
  private let epsilon: Double

  init(
    _ shape: Shape, rows: UnsafeMutablePointer<Float>?, columns: UnsafeMutablePointer<Float>?,
    epsilon: Double
  ) {
    guard let rows, let columns else { programmerError("moments without memory") }
    isFactored = shape.rank > 1
    width = isFactored ? shape[shape.rank - 1] : shape.elementCount
    height = isFactored ? shape[shape.rank - 2] : 1
    matrices = shape.elementCount == 0 ? 0 : shape.elementCount / (height * width)
    (self.rows, self.columns, self.epsilon) = (rows, columns, epsilon)
  }

  /// Moves towards the squares of `g`.
  func approach(_ g: UnsafeMutableBufferPointer<Float>, by part: Double) {
    func approach(_ mean: inout Float, _ value: Double) {
      mean = Float(Double(mean) + part * (value - Double(mean)))
    }
    func square(_ index: Int) -> Double { Double(g[index]) * Double(g[index]) }
    guard isFactored else {
      for index in g.indices { approach(&rows[index], square(index)) }
      return
    }
    for matrix in 0..<matrices {
      let start = matrix * height * width
      for row in 0..<height {
        let sum = (0..<width).reduce(0) { $0 + square(start + row * width + $1) }
        approach(&rows[matrix * height + row], sum / Double(width))
      }
      for column in 0..<width {
        let sum = (0..<height).reduce(0) { $0 + square(start + $1 * width + column) }
        approach(&columns[matrix * width + column], sum / Double(height))
      }
    }
  }

  /// Calls `body` with each element's place and mean of squares.
  func forEachEstimate(_ body: (Int, Double) -> Void) {
    let least = epsilon * epsilon
    guard isFactored else {
      for index in 0..<matrices * width { body(index, max(Double(rows[index]), least)) }
      return
    }
    for matrix in 0..<matrices {
      let mean = (0..<height).reduce(0) { $0 + Double(rows[matrix * height + $1]) } / Double(height)
      let scale = 1 / max(mean, epsilon)
      for row in 0..<height {
        let ofRow = Double(rows[matrix * height + row]) * scale
        for column in 0..<width {
          body(
            (matrix * height + row) * width + column,
            max(ofRow * Double(columns[matrix * width + column]), least))
        }
      }
    }
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
