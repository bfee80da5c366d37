public import CrestRuntime

/// Different optimisers for different parameters (Keras's `MultiOptimizer`, optax's `multi_transform`).
///
/// ```swift
/// let optimizer = try MultiOptimizer(
///   SGD(momentum: 0.9), .init(AdamW(), for: .matching("embedding.*"), rate: 0.01))
/// ```
///
/// A parameter belongs to the first of ``members`` whose patterns it matches, and otherwise to ``first``. Schedules set the
/// hyperparameters of the first: the rate of a member is ``Member/rate`` times that of the group, its momentum stays its
/// own, and its weight decay follows the group's in proportion to both optimisers' own. It has as many moments as the
/// optimiser with the most.
public struct MultiOptimizer: Optimizer {
  /// An optimiser and what it trains.
  public struct Member: Sendable {
    /// The optimiser.
    public let optimizer: any Optimizer
    /// What it trains.
    public let parameters: ParameterChoice
    /// Its rate over that of the group.
    public let rate: Double

    /// An optimiser for the parameters that match.
    public init(_ optimizer: any Optimizer, for parameters: ParameterChoice, rate: Double = 1) {
      (self.optimizer, self.parameters, self.rate) = (optimizer, parameters, rate)
    }
  }

  /// What trains all parameters that no member has.
  public let first: any Optimizer
  /// What trains the others.
  public let members: [Member]
  /// The names of the optimisers, as in `sgd + adamw`.
  public var name: String {
    ([first.name] + members.map(\.optimizer.name)).joined(separator: " + ")
  }
  /// Those of the first, and the first weight decay that isn't 0.
  public let defaults: Hyperparameters
  /// That of the first.
  public var decayKind: WeightDecay.Kind { first.decayKind }
  /// That of the first.
  public var decayTargets: WeightDecay.Targets { first.decayTargets }
  /// As many as the optimiser with the most.
  public let momentCount: Int
  private let division = GroupDivision()

  /// Optimisers, with what all but the first train.
  ///
  /// - Throws: ``OptimizerError/outOfRange(optimizer:parameter:value:expected:)`` when a member's rate is negative or not
  ///   finite, and ``OptimizerError/notAmongOthers(optimizer:)`` for an optimiser that needs all parameters: a
  ///   schedule-free one, or one that finds its rate.
  public init(_ first: any Optimizer, _ members: Member...) throws(OptimizerError) {
    try self.init(first, members)
  }

  /// Optimisers, with what all but the first train.
  ///
  /// - Throws: As with a list of arguments.
  public init(_ first: any Optimizer, _ members: [Member]) throws(OptimizerError) {
    let all = [first] + members.map(\.optimizer)
    for optimizer in all where optimizer.numberCount > 0 {
      throw .notAmongOthers(optimizer: optimizer.name)
    }
    for member in members {
      try OptimizerError.checkNotNegative(member.rate, "rate", of: member.optimizer.name)
    }
    (self.first, self.members) = (first, members)
    var defaults = first.defaults
    defaults.weightDecay = all.map(\.defaults.weightDecay).first { $0 > 0 } ?? 0
    self.defaults = defaults
    momentCount = all.map(\.momentCount).max() ?? 0
  }

  /// Refuses a model without what the patterns name.
  public func check(_ store: ParameterStore) throws(ParameterError) {
    var taken: Set<String> = []
    for member in members {
      let names = try member.parameters.names(in: store)
        .intersection(store.parameters.map(\.name))
      guard !names.subtracting(taken).isEmpty else {
        throw .emptyGroup(patterns: member.parameters.description)
      }
      taken.formUnion(names)
    }
    for optimizer in [first] + members.map(\.optimizer) { try optimizer.check(store) }
  }

  /// The step of each optimiser.
  public func step(
    _ store: ParameterStore, _ groups: [ParameterGroup], stepNumber: Int, engine: Engine
  ) {
    let divided = division.divide(groups, of: store, among: members.count + 1) { entry in
      (members.firstIndex { $0.parameters.fits(entry.name) } ?? -1) + 1
    }
    for (number, var groups) in divided.enumerated() where !groups.isEmpty {
      let optimizer = number == 0 ? first : members[number - 1].optimizer
      for place in groups.indices {
        var settings = groups[place].hyperparameters
        if number > 0 {
          settings.learningRate *= members[number - 1].rate
          settings.momentum = optimizer.defaults.momentum
        }
        if defaults.weightDecay > 0 {
          settings.weightDecay *= optimizer.defaults.weightDecay / defaults.weightDecay
        }
        groups[place].hyperparameters = settings
      }
      optimizer.step(store, groups, stepNumber: stepNumber, engine: engine)
    }
  }
}
