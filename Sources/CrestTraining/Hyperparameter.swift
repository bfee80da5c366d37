import CrestOptimizers

/// A number that steers the optimiser and may change during a fit.
public enum Hyperparameter: String, Sendable, Hashable, CaseIterable {
  /// The length of a step.
  case learningRate = "learning rate"
  /// The weight of the past: momentum, or β₁ of Adam and its kin.
  case momentum
  /// The pull towards zero.
  case weightDecay = "weight decay"

  var path: WritableKeyPath<Hyperparameters, Double> {
    switch self {
    case .learningRate: \.learningRate
    case .momentum: \.momentum
    case .weightDecay: \.weightDecay
    }
  }
}

/// A part of a hyperparameter that one callback alone sets: the value in effect is base × factor.
///
/// A scheduler sets the base; what reacts to results, as a reduction on a plateau, sets the factor. So
/// both can work in one fit, and two of a kind are an error (``LearnerError/twoOwners(of:first:second:)``).
public enum Ownership: Sendable, Hashable, CustomStringConvertible {
  /// The base of a hyperparameter.
  case base(Hyperparameter)
  /// What its base is multiplied by.
  case factor(Hyperparameter)

  /// As in `the learning rate`.
  public var description: String {
    switch self {
    case .base(let hyperparameter): "the \(hyperparameter.rawValue)"
    case .factor(let hyperparameter): "the factor of the \(hyperparameter.rawValue)"
    }
  }
}

/// The hyperparameters of a fit: bases, what they are multiplied by, and their spread over the layers.
struct HyperparameterTable {
  private(set) var values: Hyperparameters
  private var bases: Hyperparameters
  private var factors: [Hyperparameter: Double] = [:]
  /// The learning rate of the first layer over that of the last.
  var learningRateSpread = 1.0

  init(_ bases: Hyperparameters) {
    self.bases = bases
    values = bases
  }

  subscript(part: Ownership) -> Double {
    get {
      switch part {
      case .base(let hyperparameter): bases[keyPath: hyperparameter.path]
      case .factor(let hyperparameter): factors[hyperparameter] ?? 1
      }
    }
    set {
      precondition(
        newValue.isFinite && newValue >= 0,
        "\(part) was set to \(newValue), not to a finite number of at least 0")
      switch part {
      case .base(let hyperparameter):
        bases[keyPath: hyperparameter.path] = newValue
        values[keyPath: hyperparameter.path] = newValue * (factors[hyperparameter] ?? 1)
      case .factor(let hyperparameter):
        factors[hyperparameter] = newValue
        values[keyPath: hyperparameter.path] = bases[keyPath: hyperparameter.path] * newValue
      }
    }
  }
}
