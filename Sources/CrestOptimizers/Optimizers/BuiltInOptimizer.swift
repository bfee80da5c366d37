public import CrestRuntime
package import CrestTensor

/// The optimisers that come with the library: a row for each, from which `--optimizer`, its help and the reference follow.
public struct BuiltInOptimizer: Sendable {
  /// Its name, as in `adamw`.
  public let name: String
  /// What can be set beside the learning rate.
  package let settings: [OptimizerSetting]
  /// What other libraries call it.
  package let otherNames: OtherNames
  /// The kinds of weight decay that can be asked for.
  private let decay: DecayChoice
  private let maker: @Sendable (OptimizerSettings) throws(OptimizerError) -> any Optimizer

  /// Names in other libraries; nil where one lacks it.
  package struct OtherNames: Sendable, Hashable {
    package let torch: String?
    package let keras: String?
    /// Of fastai, or else of timm, as in `timm: lamb`.
    package let fastai: String?
  }

  /// Which kinds of weight decay an optimiser lets choose.
  enum DecayChoice {
    case any
    /// AdamW's.
    case decoupled
    /// Part of its rule.
    case own
  }

  init(
    _ name: String, _ settings: [OptimizerSetting], decay: DecayChoice = .any,
    torch: String? = nil, keras: String? = nil, fastai: String? = nil,
    make: @escaping @Sendable (OptimizerSettings) throws(OptimizerError) -> any Optimizer
  ) {
    self.name = name
    self.settings = settings
    self.decay = decay
    otherNames = OtherNames(torch: torch, keras: keras, fastai: fastai)
    maker = make
  }

  /// All, in the order of help.
  public static let all: [BuiltInOptimizer] = [
    SGD.row, Adam.row, AdamW.row, Lion.row, RMSprop.row, Adagrad.row, Adadelta.row, Adamax.row,
    AMSGrad.row, NAdam.row, RAdam.row, LAMB.row, LARS.row, Adafactor.row, Adan.row, Muon.row,
    ScheduleFreeSGD.row, ScheduleFreeAdamW.row, DAdaptSGD.row, Prodigy.row,
  ]

  /// The optimiser with a name.
  ///
  /// - Throws: ``OptimizerError/unknownName(_:)`` listing the known ones.
  public static func named(_ name: String) throws(OptimizerError) -> BuiltInOptimizer {
    guard let optimizer = all.first(where: { $0.name == name }) else { throw .unknownName(name) }
    return optimizer
  }

  /// Makes the optimiser with its default values for arguments that are nil.
  ///
  /// - Parameters:
  ///   - momentum: Momentum, or β₁.
  ///   - nesterov: Whether to use Nesterov momentum, which SGD, LARS and Muon let choose.
  ///   - weightDecay: The weight decay.
  ///   - decayKind: How weight decay enters a step.
  ///   - decayTargets: Which parameters it applies to.
  /// - Returns: The optimiser, at its default learning rate.
  /// - Throws: ``OptimizerError`` if a number is out of range, L2 is requested for AdamW, which would then be Adam, or
  ///   something is given that the optimiser doesn't have.
  public func make(
    momentum: Double? = nil, nesterov: Bool = false, weightDecay: Double? = nil,
    decayKind: WeightDecay.Kind? = nil, decayTargets: WeightDecay.Targets? = nil
  ) throws(OptimizerError) -> any Optimizer {
    var settings: [String: OptimizerSetting.Value] = [:]
    if let momentum { settings["momentum"] = .number(momentum) }
    if nesterov { settings["nesterov"] = .flag(true) }
    if let weightDecay { settings["weight-decay"] = .number(weightDecay) }
    return try make(settings, decayKind: decayKind, decayTargets: decayTargets)
  }

  /// Makes the optimiser with some of its ``settings``, and its default values for the others.
  ///
  /// - Throws: As ``make(momentum:nesterov:weightDecay:decayKind:decayTargets:)``.
  package func make(
    _ values: [String: OptimizerSetting.Value], decayKind: WeightDecay.Kind? = nil,
    decayTargets: WeightDecay.Targets? = nil
  ) throws(OptimizerError) -> any Optimizer {
    for name in values.keys where !settings.contains(where: { $0.name == name }) {
      switch name {
      case "momentum": throw .noMomentum(optimizer: self.name)
      case "nesterov": throw .nesterovOfOther(self.name)
      default: programmerError("\(self.name) has no setting \(name)")
      }
    }
    switch (decay, decayKind) {
    case (.decoupled, .l2): throw .decoupledOnly
    case (.own, _?): throw .ownDecay(optimizer: name)
    default: break
    }
    return try maker(
      OptimizerSettings(values: values, decayKind: decayKind, decayTargets: decayTargets))
  }
}

/// A setting of an optimiser.
package struct OptimizerSetting: Sendable {
  /// The type of its value.
  package enum Kind: Sendable {
    case number(NumberRange)
    case wholeNumber
    case flag
    case choice([String])
    /// Names of parameters.
    case patterns
  }

  /// Its value.
  package enum Value: Sendable {
    case number(Double)
    case wholeNumber(Int)
    case flag(Bool)
    case choice(String)
    case patterns(ParameterChoice)
  }

  /// Its name, as in `momentum-decay`: the words of the parameter's name in messages.
  package let name: String
  package let kind: Kind

  init(_ name: String, _ kind: Kind) { (self.name, self.kind) = (name, kind) }

  static let momentum = OptimizerSetting("momentum", .number(.fraction))
  static let weightDecay = OptimizerSetting("weight-decay", .number(.notNegative))
  static let beta2 = OptimizerSetting("beta2", .number(.fraction))
  static let epsilon = OptimizerSetting("epsilon", .number(.positive))
  static let nesterov = OptimizerSetting("nesterov", .flag)
}

extension NumberRange {
  static let fraction = NumberRange("a number from 0 to below 1") { $0 >= 0 && $0 < 1 }
  static let notNegative = NumberRange("a finite number of at least 0") { $0.isFinite && $0 >= 0 }
  static let positive = NumberRange("a finite number above 0") { $0.isFinite && $0 > 0 }
  static let exponent = NumberRange("a number from -1 to below 0") { $0 >= -1 && $0 < 0 }
  static let growth = NumberRange("a number above 1") { $0 > 1 }
}

/// What is given of an optimiser that is made by its name; nil for its own.
struct OptimizerSettings {
  fileprivate let values: [String: OptimizerSetting.Value]
  let decayKind: WeightDecay.Kind?
  let decayTargets: WeightDecay.Targets?

  var momentum: Double? { number("momentum") }
  var weightDecay: Double? { number("weight-decay") }

  func number(_ name: String) -> Double? {
    guard case .number(let value) = values[name] else { return nil }
    return value
  }

  func wholeNumber(_ name: String) -> Int? {
    guard case .wholeNumber(let value) = values[name] else { return nil }
    return value
  }

  func flag(_ name: String) -> Bool? {
    guard case .flag(let value) = values[name] else { return nil }
    return value
  }

  func choice<Choice: RawRepresentable<String>>(_ name: String) -> Choice? {
    guard case .choice(let value) = values[name] else { return nil }
    return Choice(rawValue: value)
  }

  func patterns(_ name: String) -> ParameterChoice? {
    guard case .patterns(let value) = values[name] else { return nil }
    return value
  }
}

/// An optimiser that has a name.
protocol NamedOptimizer: Optimizer {
  /// Its row.
  static var row: BuiltInOptimizer { get }
}
