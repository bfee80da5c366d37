import CrestGraph
public import CrestRuntime
import CrestTensor

/// Momentum whose steps are brought near orthogonal matrices, for hidden weights (Jordan 2024; PyTorch's and Keras's
/// `Muon`); all else is trained by AdamW.
///
///     b ← momentum · b + (1 - momentum) g,   u = (1 - momentum) g + momentum · b, or b without Nesterov
///     w ← w · (1 - rate · decay) - rate · scale · orthogonal(u)
///
/// `orthogonal` are Newton-Schulz steps, in float32 on the engine's matrix products (PyTorch's are in bfloat16, so that its
/// third digit differs). Filters of convolutions count as matrices of [out, in · height · width].
///
/// Muon trains the weights of two dimensions and the filters, but for tables from which rows are chosen (embeddings) and
/// the last weight that the data pass through (the head); or those that patterns choose. The others are trained by AdamW, at
/// ``othersRate`` times the group's rate, with its own β and the group's weight decay in proportion to both
/// optimisers' own. Weight decay is decoupled, and of no other kind. A group's momentum is that of b. There is no ε but in
/// the norm that Newton-Schulz begins with, 1e-7, and no correction. Two moments: b, or AdamW's.
public struct Muon: Optimizer {
  /// By what a step is scaled.
  public enum Scale: String, Sendable, Hashable, CaseIterable {
    /// √max(1, outputs / inputs): PyTorch's default, Jordan's.
    case torch
    /// 0.2 √max(outputs, inputs), so that steps are as large as those of AdamW, and its rate and weight decay carry over:
    /// PyTorch's `match_rms_adamw`, Keras's default.
    case matchAdamW = "match-adamw"
    /// 1, with weights that are first scaled to a norm of √outputs, and three Newton-Schulz steps: that of Jordan's airbench.
    case airbench

    func factor(outputs: Int, inputs: Int) -> Double {
      switch self {
      case .torch: max(1, Double(outputs) / Double(inputs)).squareRoot()
      case .matchAdamW: 0.2 * Double(max(outputs, inputs)).squareRoot()
      case .airbench: 1
      }
    }
  }

  /// `muon`.
  public var name: String { "muon" }
  /// Learning rate, momentum and weight decay.
  public let defaults: Hyperparameters
  /// Whether to use Nesterov momentum.
  public let nesterov: Bool
  /// By what a step is scaled.
  public let scale: Scale
  /// The number of Newton-Schulz steps.
  public let orthogonalizationSteps: Int
  /// The matrices and filters that Muon trains; nil for the hidden ones.
  public let parameters: ParameterChoice?
  /// What trains the others.
  public let others: AdamW
  /// The rate of the others over Muon's.
  public let othersRate: Double
  /// Beside the rule.
  public var decayKind: WeightDecay.Kind { .decoupled }
  /// Which parameters weight decay applies to.
  public var decayTargets: WeightDecay.Targets { others.decayTargets }
  /// b, or those of AdamW.
  public var momentCount: Int { others.momentCount }
  private let division = GroupDivision()

  /// Learning rate 0.001, Nesterov momentum 0.95, the scale of PyTorch, five Newton-Schulz steps, weight decay 0.1; AdamW's
  /// β for the others at 0.015 times the rate.
  public init() {
    defaults = Hyperparameters(learningRate: 1e-3, momentum: 0.95, weightDecay: 0.1)
    (nesterov, scale, orthogonalizationSteps, parameters) = (true, .torch, 5, nil)
    (others, othersRate) = (AdamW(), 0.015)
  }

  /// Creates an optimiser.
  ///
  /// - Parameters:
  ///   - learningRate: The rate of Muon.
  ///   - momentum: That of b.
  ///   - nesterov: Whether to use Nesterov momentum.
  ///   - scale: By what a step is scaled.
  ///   - orthogonalizationSteps: The number of Newton-Schulz steps; nil for 3 with airbench's scale, otherwise 5.
  ///   - parameters: The matrices and filters that Muon trains; nil for the hidden ones.
  ///   - others: What trains the others.
  ///   - othersRate: The rate of the others over Muon's; nil for 1 with the scale that matches AdamW, otherwise 0.015,
  ///     which is Jordan's 0.0003 beside 0.02.
  ///   - weightDecay: The weight decay of what Muon trains.
  /// - Throws: ``OptimizerError`` when a rate or decay is negative or not finite, the momentum is outside [0, 1), or the
  ///   number of Newton-Schulz steps isn't from 1 to 100.
  public init(
    learningRate: Double = 0.001, momentum: Double = 0.95, nesterov: Bool = true,
    scale: Scale = .torch, orthogonalizationSteps: Int? = nil,
    parameters: ParameterChoice? = nil, others: AdamW = AdamW(), othersRate: Double? = nil,
    weightDecay: Double = 0.1
  ) throws(OptimizerError) {
    defaults = Hyperparameters(
      learningRate: learningRate, momentum: momentum, weightDecay: weightDecay)
    try defaults.validate(for: "muon")
    self.othersRate = othersRate ?? (scale == .matchAdamW ? 1 : 0.015)
    try OptimizerError.checkNotNegative(self.othersRate, "others rate", of: "muon")
    self.orthogonalizationSteps = orthogonalizationSteps ?? (scale == .airbench ? 3 : 5)
    guard (1...100).contains(self.orthogonalizationSteps) else {
      throw .outOfRange(
        optimizer: "muon", parameter: "steps",
        value: Double(self.orthogonalizationSteps), expected: "an integer from 1 to 100")
    }
    (self.nesterov, self.scale) = (nesterov, scale)
    (self.parameters, self.others) = (parameters, others)
  }

  /// Whether it is a matrix or a filter.
  private func isMatrix(_ entry: ParameterStore.Entry, of store: ParameterStore) -> Bool {
    entry.role == .weight
      && (entry.shape.rank == 2 || entry.shape.rank > 2 && store.uses.filters.contains(entry.name))
  }

  private func trains(_ entry: ParameterStore.Entry, of store: ParameterStore) -> Bool {
    guard isMatrix(entry, of: store) else { return false }
    if let parameters { return parameters.fits(entry.name) }
    return entry.name != store.uses.lastWeight && !store.uses.tables.contains(entry.name)
  }

  /// Refuses a model without what the patterns name.
  public func check(_ store: ParameterStore) throws(ParameterError) {
    guard let parameters else { return }
    _ = try parameters.names(in: store)
    guard store.parameters.contains(where: { trains($0, of: store) }) else {
      throw .noMatrix(patterns: parameters.description)
    }
  }

  /// Newton-Schulz steps for each matrix, and one fused pass over the others.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    let divided = division.divide(groups, of: store, among: 2) {
      trains($0, of: store) ? 0 : 1
    }
    for group in divided[0] { step(store, group, engine: engine) }
    var rest = divided[1]
    for place in rest.indices {
      let settings = rest[place].hyperparameters
      rest[place].hyperparameters = Hyperparameters(
        learningRate: settings.learningRate * othersRate, momentum: others.defaults.momentum,
        weightDecay: defaults.weightDecay == 0
          ? others.defaults.weightDecay
          : settings.weightDecay * others.defaults.weightDecay / defaults.weightDecay)
    }
    others.step(store, rest, stepNumber: stepNumber, engine: engine)
  }

  private func step(_ store: ParameterStore, _ group: ParameterGroup, engine: Engine) {
    for part in group.parts(decayTargets) {
      var isFinite = true
      for entry in part.entries(of: store) where entry.shape.elementCount > 0 {
        let areFinite = step(
          store, entry, group.hyperparameters, decay: part.decay, engine: engine)
        isFinite = isFinite && areFinite
      }
      store.noteUpdate(of: part.count, isFinite: isFinite)
    }
  }

  private func step(
    _ store: ParameterStore, _ entry: ParameterStore.Entry, _ settings: Hyperparameters,
    decay: Double, engine: Engine
  ) -> Bool {
    let rows = entry.shape[0]
    let outputs = entry.shape[store.uses.outputAxis(of: entry.name)]
    let factor =
      settings.learningRate
      * scale.factor(outputs: outputs, inputs: entry.range.count / outputs)
    var kept = 1 - settings.learningRate * decay
    if scale == .airbench {
      let norm = store.pass(.squares, over: entry.range, on: engine).sums.0.squareRoot()
      if norm > 0 { kept *= Double(outputs).squareRoot() / norm }
    }
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: entry.range.count) { matrix in
      matrix.initialize(repeating: 0)
      let moment = store.pass(
        .muonMoment(momentum: settings.momentum, nesterov: nesterov), over: entry.range,
        matrix: matrix.baseAddress, on: engine)
      engine.orthogonalize(
        matrix, rows: rows, columns: entry.range.count / rows, steps: orthogonalizationSteps,
        squares: moment.sums.1)
      let step = store.pass(
        .muonStep(keep: kept, factor: factor), over: entry.range, matrix: matrix.baseAddress,
        on: engine)
      return moment.isFinite && step.isFinite
    }
  }
}

extension Muon: NamedOptimizer {
  static let row = BuiltInOptimizer(
    "muon",
    [
      .momentum, .nesterov, .init("scale", .choice(Scale.allCases.map(\.rawValue))),
      .init("steps", .wholeNumber), .init("parameters", .patterns),
      .init("others-rate", .number(.notNegative)), .init("others-beta1", .number(.fraction)),
      .init("others-beta2", .number(.fraction)),
      .init("others-weight-decay", .number(.notNegative)), .weightDecay,
    ], decay: .own, torch: "Muon", keras: "Muon", fastai: "timm: muon"
  ) { given throws(OptimizerError) in
    let (own, adam) = (Muon(), AdamW())
    return try Muon(
      momentum: given.momentum ?? own.defaults.momentum,
      nesterov: given.flag("nesterov") ?? own.nesterov,
      scale: given.choice("scale") ?? own.scale,
      orthogonalizationSteps: given.wholeNumber("steps"), parameters: given.patterns("parameters"),
      others: AdamW(
        beta1: given.number("others-beta1") ?? adam.defaults.momentum,
        beta2: given.number("others-beta2") ?? adam.beta2,
        weightDecay: given.number("others-weight-decay") ?? adam.defaults.weightDecay,
        decayTargets: given.decayTargets ?? adam.decayTargets),
      othersRate: given.number("others-rate"),
      weightDecay: given.weightDecay ?? own.defaults.weightDecay)
  }
}
