import CrestOptimizers
import CrestTensor

/// A number that controls the optimiser and may change during a fit.
public enum Hyperparameter: String, Sendable, Hashable, CaseIterable {
  /// The step size.
  case learningRate = "learning rate"
  /// The momentum, or β₁ in Adam and its variants.
  case momentum
  /// The weight decay.
  case weightDecay = "weight decay"
}

extension Hyperparameter {
  /// A part of a hyperparameter that only one callback may set: the effective value is base × factor.
  ///
  /// A scheduler sets the base; a callback that reacts to results, such as a reduction on a plateau,
  /// sets the factor. So both can work in one fit, and two of the same kind are an error
  /// (``LearnerError/twoOwners(of:first:second:)``).
  public enum Part: Sendable, Hashable, CustomStringConvertible {
    /// The base of a hyperparameter.
    case base(Hyperparameter)
    /// The factor of its base.
    case factor(Hyperparameter)

    /// As in `the learning rate`.
    public var description: String {
      switch self {
      case .base(let hyperparameter): "the \(hyperparameter.rawValue)"
      case .factor(let hyperparameter): "the factor of the \(hyperparameter.rawValue)"
      }
    }
  }
}

/// The hyperparameters of a fit: bases and factors.
struct HyperparameterTable: Codable {
  private(set) var values: Hyperparameters
  private var bases: Hyperparameters
  private var factors = Hyperparameters(learningRate: 1, momentum: 1, weightDecay: 1)

  private enum CodingKeys: CodingKey { case bases, factors }

  /// Reads saved parts; the effective values follow from them.
  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let bases = try container.decode(Hyperparameters.self, forKey: .bases)
    let factors = try container.decode(Hyperparameters.self, forKey: .factors)
    var values = bases
    for hyperparameter in Hyperparameter.allCases {
      values[hyperparameter] = bases[hyperparameter] * factors[hyperparameter]
    }
    let all = [bases, factors, values].flatMap { [$0.learningRate, $0.momentum, $0.weightDecay] }
    guard all.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .bases, in: container,
        debugDescription: "finite hyperparameters of at least 0")
    }
    (self.bases, self.factors, self.values) = (bases, factors, values)
  }

  /// - Precondition: they are finite and at least 0.
  init(_ bases: Hyperparameters, of optimizer: String) {
    for hyperparameter in Hyperparameter.allCases {
      let value = bases[hyperparameter]
      programmerError(
        unless: value.isFinite && value >= 0,
        "the \(hyperparameter.rawValue) of \(optimizer) is \(value), not a finite number of at least 0"
      )
    }
    self.bases = bases
    values = bases
  }

  subscript(part: Hyperparameter.Part) -> Double {
    get {
      switch part {
      case .base(let hyperparameter): bases[hyperparameter]
      case .factor(let hyperparameter): factors[hyperparameter]
      }
    }
    set {
      programmerError(
        unless: newValue.isFinite && newValue >= 0,
        "\(part) was set to \(newValue), not to a finite number of at least 0")
      switch part {
      case .base(let hyperparameter):
        bases[hyperparameter] = newValue
        multiply(hyperparameter)
      case .factor(let hyperparameter):
        factors[hyperparameter] = newValue
        multiply(hyperparameter)
      }
    }
  }

  private mutating func multiply(_ hyperparameter: Hyperparameter) {
    let (base, factor) = (bases[hyperparameter], factors[hyperparameter])
    programmerError(
      unless: (base * factor).isFinite,
      "the \(hyperparameter.rawValue) is \(base) × \(factor), which is no finite number")
    values[hyperparameter] = base * factor
  }
}

extension Hyperparameters {
  // A switch, as key paths would allocate at each step.
  fileprivate subscript(hyperparameter: Hyperparameter) -> Double {
    get {
      switch hyperparameter {
      case .learningRate: learningRate
      case .momentum: momentum
      case .weightDecay: weightDecay
      }
    }
    set {
      switch hyperparameter {
      case .learningRate: learningRate = newValue
      case .momentum: momentum = newValue
      case .weightDecay: weightDecay = newValue
      }
    }
  }
}
