import CrestGraph
public import CrestRuntime

/// Parameters that are trained alike.
///
/// One group of all is the common case; several with a learning rate each give discriminative rates
/// (Howard & Ruder 2018). Parameters in no group are frozen.
public struct ParameterGroup: Sendable {
  /// The names of the parameters, in the graph's order.
  public let names: [String]
  /// Where weights lie in the flat buffers, neighbours as one range.
  public let weightRanges: [Range<Int>]
  /// Where biases, scales and shifts lie in the flat buffers, neighbours as one range.
  public let otherRanges: [Range<Int>]
  /// What the next step uses.
  public var hyperparameters: Hyperparameters

  /// Where all of its parameters lie in the flat buffers.
  public var ranges: [Range<Int>] { weightRanges + otherRanges }

  /// A group of the parameters that `belongs` says yes to.
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

  /// The ranges of some parameters; those with no other one between them are one range.
  ///
  /// Between two entries lies padding to a cache line. Its parameters and gradients are 0, which
  /// every rule keeps, so a pass may run over it.
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
