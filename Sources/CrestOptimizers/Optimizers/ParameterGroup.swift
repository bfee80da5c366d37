import CrestGraph
public import CrestRuntime

/// Parameters that are trained with the same hyperparameters.
///
/// One group of all parameters is the common case; several groups give discriminative learning
/// rates (Howard & Ruder 2018). Parameters in no group are frozen.
public struct ParameterGroup: Sendable {
  /// The names of the parameters, in the graph's order.
  public let names: [String]
  /// The ranges of weights in the flat buffers, with adjacent ones merged.
  public let weightRanges: [Range<Int>]
  /// The ranges of biases, scales and shifts in the flat buffers, with adjacent ones merged.
  public let otherRanges: [Range<Int>]
  /// The values for the next step.
  public var hyperparameters: Hyperparameters

  /// The ranges of all of its parameters in the flat buffers.
  public var ranges: [Range<Int>] { weightRanges + otherRanges }

  /// A group of the parameters for which `belongs` is true.
  public init(
    _ store: ParameterStore, hyperparameters: Hyperparameters,
    where belongs: (ParameterStore.Entry) -> Bool = { _ in true }
  ) {
    let members = store.parameters.filter(belongs)
    let isMember = Set(members.map(\.name))
    names = members.map(\.name)
    weightRanges = Self.merged(store) { isMember.contains($0.name) && $0.role == .weight }
    otherRanges = Self.merged(store) { isMember.contains($0.name) && $0.role != .weight }
    self.hyperparameters = hyperparameters
  }

  /// The ranges of some parameters, merged if no other parameter is between them.
  ///
  /// Between two entries there is padding to a cache line. Its parameters and gradients are 0, and
  /// every update rule keeps them 0, so a pass may run over it.
  private static func merged(
    _ store: ParameterStore, _ isWanted: (ParameterStore.Entry) -> Bool
  ) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var follows = false
    for entry in store.parameters.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      let isIn = isWanted(entry)
      if isIn, follows, let last = ranges.popLast() {
        ranges.append(last.lowerBound..<entry.range.upperBound)
      } else if isIn {
        ranges.append(entry.range)
      }
      follows = isIn
    }
    return ranges
  }
}
