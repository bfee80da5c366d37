/// A choice of parameters, or numbers for groups, that doesn't fit the model.
public enum ParameterError: Error, Equatable, Sendable {
  /// A pattern that matches no parameter and no running statistic.
  case unmatched(pattern: String, nearest: [String])
  /// A group all of whose parameters belong to groups before it.
  case emptyGroup(patterns: String)
  /// A number of groups that the model's layers can't be split into.
  case depth(asked: Int, layers: Int)
  /// A group that doesn't exist.
  case noSuchGroup(Int, groups: Int)
  /// A number of values other than the number of groups.
  case valueCount(of: String, got: Int, groups: Int)
  /// A group's value that is out of range.
  case value(of: String, got: Double, expected: String)
  /// Patterns for Muon that match no matrix and no filter.
  case noMatrix(patterns: String)
  /// Every parameter is frozen.
  case nothingToTrain
}

extension ParameterError: CustomStringConvertible {
  /// What, expected, got and what to do.
  public var description: String {
    switch self {
    case .unmatched(let pattern, let nearest):
      "no parameter matches \"\(pattern)\"; similar names are "
        + "\(nearest.map { "\"\($0)\"" }.joined(separator: ", ")); use * for any characters"
    case .emptyGroup(let patterns):
      "the group \"\(patterns)\" is empty: earlier groups have all the parameters that it matches; put it first"
    case .depth(let asked, let layers):
      "groups: expected from 1 to \(layers), the number of layers with parameters, got \(asked)"
    case .noSuchGroup(let group, let groups):
      "group \(group): expected a number from \(-groups) to \(groups - 1), because there are \(groups) "
        + "groups; negative numbers count from the last"
    case .valueCount(let what, let got, let groups):
      "\(what): expected a number for each of the \(groups) groups of parameters, got \(got)"
    case .value(let what, let got, let expected):
      "\(what): expected \(expected), got \(got)"
    case .noMatrix(let patterns):
      "\"\(patterns)\" matches no weight of two dimensions and no filter of a convolution, which is all that muon trains; "
        + "choose others, or leave the choice to muon"
    case .nothingToTrain:
      "every parameter is frozen; unfreeze some to train"
    }
  }
}
