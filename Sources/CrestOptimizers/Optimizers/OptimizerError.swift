import CrestTensor

/// An optimiser that can't be made as asked.
public enum OptimizerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A number out of range.
  case outOfRange(optimizer: String, parameter: String, value: Double, expected: String)
  /// Nesterov momentum without a momentum.
  case nesterovWithoutMomentum
  /// Nesterov momentum for an optimiser that doesn't let it be chosen.
  case nesterovOfOther(String)
  /// A kind of weight decay for an optimiser that has its own.
  case ownDecay(optimizer: String)
  /// A momentum for an optimiser that has none.
  case noMomentum(optimizer: String)
  /// An optimiser that needs all parameters, as one of several.
  case notAmongOthers(optimizer: String)
  /// L2 decay for AdamW.
  case decoupledOnly
  /// A name that no optimiser has.
  case unknownName(String)

  /// What, expected and got.
  public var description: String {
    switch self {
    case .outOfRange(let optimizer, let parameter, let value, let expected):
      "\(optimizer): \(parameter) is \(value), expected \(expected)"
    case .nesterovWithoutMomentum:
      "sgd: Nesterov needs a momentum above 0, got 0; give one or switch Nesterov off"
    case .nesterovOfOther(let name):
      "\(name): Nesterov momentum is for sgd, lars and muon; choose one of them, or leave it out"
    case .ownDecay(let optimizer):
      "\(optimizer): weight decay is part of its rule and has no kind; leave the kind out"
    case .noMomentum(let optimizer): "\(optimizer): it has no momentum; leave it out"
    case .notAmongOthers(let optimizer):
      "\(optimizer): it needs all parameters of a network, so it can't be one of several optimisers; use it alone"
    case .decoupledOnly:
      "adamw: expected decoupled weight decay, got l2; use adam for l2"
    case .unknownName(let name):
      "optimizer: expected one of "
        + BuiltInOptimizer.all.map(\.name).joined(separator: ", ") + ", got \"\(name)\""
    }
  }

  static func checkNotNegative(
    _ value: Double, _ parameter: String, of optimizer: String
  ) throws(OptimizerError) {
    try check(value, .notNegative, parameter, of: optimizer)
  }

  static func checkPositive(
    _ value: Double, _ parameter: String, of optimizer: String
  ) throws(OptimizerError) {
    try check(value, .positive, parameter, of: optimizer)
  }

  static func checkFraction(
    _ value: Double, _ parameter: String, of optimizer: String
  ) throws(OptimizerError) {
    try check(value, .fraction, parameter, of: optimizer)
  }

  static func check(
    _ value: Double, _ range: NumberRange, _ parameter: String, of optimizer: String
  ) throws(OptimizerError) {
    guard range.contains(value) else {
      throw .outOfRange(
        optimizer: optimizer, parameter: parameter, value: value, expected: range.words)
    }
  }
}
