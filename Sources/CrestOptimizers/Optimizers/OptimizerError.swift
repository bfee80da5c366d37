/// An optimiser that can't be made as asked.
public enum OptimizerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A number out of range.
  case outOfRange(optimizer: String, parameter: String, value: Double, expected: String)
  /// Nesterov momentum without a momentum.
  case nesterovWithoutMomentum
  /// Nesterov momentum for another optimiser than SGD.
  case nesterovOfOther(String)
  /// A kind of weight decay for an optimiser that has its own.
  case ownDecay(optimizer: String)
  /// A momentum for an optimiser that has none.
  case noMomentum(optimizer: String)
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
      "\(name): Nesterov momentum is for sgd; choose sgd, or leave it out"
    case .ownDecay(let optimizer):
      "\(optimizer): weight decay is part of its rule and has no kind; leave the kind out"
    case .noMomentum(let optimizer): "\(optimizer): it has no momentum; leave it out"
    case .decoupledOnly:
      "adamw: expected decoupled weight decay, got l2; use adam for l2"
    case .unknownName(let name):
      "optimizer: expected one of "
        + BuiltInOptimizer.allCases.map(\.rawValue).joined(separator: ", ") + ", got \"\(name)\""
    }
  }

  static func checkNotNegative(
    _ value: Double, _ parameter: String, of optimizer: String
  ) throws(OptimizerError) {
    guard value.isFinite, value >= 0 else {
      throw .outOfRange(
        optimizer: optimizer, parameter: parameter, value: value,
        expected: "a finite number of at least 0")
    }
  }

  static func checkPositive(
    _ value: Double, _ parameter: String, of optimizer: String
  ) throws(OptimizerError) {
    guard value.isFinite, value > 0 else {
      throw .outOfRange(
        optimizer: optimizer, parameter: parameter, value: value,
        expected: "a finite number above 0")
    }
  }

  static func checkFraction(
    _ value: Double, _ parameter: String, of optimizer: String
  ) throws(OptimizerError) {
    guard value >= 0, value < 1 else {
      throw .outOfRange(
        optimizer: optimizer, parameter: parameter, value: value,
        expected: "a number from 0 to below 1")
    }
  }
}
