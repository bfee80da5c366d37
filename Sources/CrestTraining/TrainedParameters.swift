import CrestGraph
import CrestOptimizers
import CrestRuntime
import CrestState

/// Which parameters of a model train, in which groups, at which multiples of the learner's
/// hyperparameters.
struct TrainedParameters {
  /// The names of the parameters of each group, frozen ones included.
  let names: [[String]]
  /// What was asked to be frozen, by name.
  private(set) var asked: Set<String> = []
  /// What callbacks freeze beside that in the running epoch.
  private var frozenByCallbacks: Set<String> = []
  /// What is: without normalisations that train on, with statistics of those that don't.
  private(set) var frozen: Set<String> = []
  /// What the optimiser steps through: groups without frozen parameters, as one where nothing tells
  /// them apart.
  private(set) var groups: [ParameterGroup] = []
  /// How many numbers a step changes, padding between parameters included.
  private(set) var count = 0
  /// The learning rate of each group over that of the last.
  private(set) var rateFactors: [Double]
  private let decayFactors: [Double]
  private var factors: [(rate: Double, decay: Double)] = []
  private let normalization: Learner.FrozenNormalization
  private let model: NormalizationVariables
  private let store: ParameterStore

  init(
    _ graph: Graph, _ store: ParameterStore, split: ParameterGroup.Split,
    weightDecays: ParameterGroup.Values,
    normalization: Learner.FrozenNormalization
  ) throws(ParameterError) {
    names = try split.names(in: graph)
    try weightDecays.validate("weight decays", allowingZero: true)
    decayFactors = try weightDecays.values(forGroups: names.count, "weight decays")
    rateFactors = [Double](repeating: 1, count: names.count)
    self.normalization = normalization
    model = NormalizationVariables(graph)
    self.store = store
    regroup()
  }

  /// Freezes exactly what is named; false when that is what was frozen before.
  mutating func freeze(exactly names: Set<String>) -> Bool {
    guard names != asked else { return false }
    asked = names
    return refreeze()
  }

  /// Freezes what callbacks ask for in an epoch, and nothing else beside what was asked; false when that is what was
  /// frozen before.
  mutating func freeze(byCallbacks names: Set<String>) -> Bool {
    guard names != frozenByCallbacks else { return false }
    frozenByCallbacks = names
    return refreeze()
  }

  private mutating func refreeze() -> Bool {
    let before = frozen
    frozen = frozen(byAsking: asked.union(frozenByCallbacks))
    guard frozen != before else { return false }
    regroup()
    return true
  }

  /// What stays as it is when these are to be frozen.
  private func frozen(byAsking names: Set<String>) -> Set<String> {
    switch normalization {
    case .inference: names.union(model.statistics(ofFrozen: names))
    case .statistics: names.subtracting(model.statistics)
    case .trained: names.subtracting(model.statistics).subtracting(model.parameters)
    }
  }

  /// Lets groups learn at rates in the proportions of `rates`.
  mutating func setRates(_ rates: ParameterGroup.Values) throws(ParameterError) {
    try rates.validate("learning rates")
    let values = try rates.values(forGroups: names.count, "learning rates")
    let factors = values.map { $0 / rates.last }
    for (value, factor) in zip(values, factors) where !(factor.isFinite && factor > 0) {
      throw .value(
        of: "learning rates", got: value,
        expected: "numbers whose ratio to the last one, \(rates.last), is a number above 0")
    }
    rateFactors = factors
    regroup()
  }

  /// Lets all groups learn at one rate.
  mutating func resetRates() {
    guard rateFactors.contains(where: { $0 != 1 }) else { return }
    rateFactors = [Double](repeating: 1, count: names.count)
    regroup()
  }

  private mutating func regroup() {
    let all = zip(rateFactors, decayFactors).map { (rate: $0, decay: $1) }
    let isOne = all.allSatisfy { $0 == all[0] }
    groups = []
    factors = []
    for (place, members) in (isOne ? [names.flatMap(\.self)] : names).enumerated() {
      let training = Set(members).subtracting(frozen)
      guard !training.isEmpty else { continue }
      groups.append(
        ParameterGroup(store, hyperparameters: Hyperparameters(learningRate: 0, momentum: 0)) {
          training.contains($0.name)
        })
      factors.append(all[place])
    }
    count = groups.reduce(0) { $0 + $1.ranges.reduce(0) { $0 + $1.count } }
  }

  /// Gives each group its multiple of `values`, for the next step.
  mutating func set(_ values: Hyperparameters) {
    for place in groups.indices {
      groups[place].hyperparameters = values
      groups[place].hyperparameters.learningRate *= factors[place].rate
      groups[place].hyperparameters.weightDecay *= factors[place].decay
    }
  }
}

/// The parameters and running statistics of a graph's normalisations.
private struct NormalizationVariables {
  /// The names of all running statistics.
  let statistics: Set<String>
  /// The names of all scales and shifts.
  let parameters: Set<String>
  /// What each node with running statistics reads.
  private let nodes: [(parameters: [String], statistics: [String])]

  init(_ graph: Graph) {
    let variables = graph.variables
    statistics = Set(variables.filter { $0.role == nil }.map(\.name))
    parameters = Set(
      variables.filter { $0.role == .normalizationScale || $0.role == .normalizationShift }
        .map(\.name))
    nodes = graph.nodes.compactMap { node in
      let read = node.inputs.compactMap { input -> Graph.Variable? in
        guard case .variable(let number) = graph.values[input.index].origin else { return nil }
        return variables[number]
      }
      let statistics = read.filter { $0.role == nil }.map(\.name)
      return statistics.isEmpty ? nil : (read.filter { $0.role != nil }.map(\.name), statistics)
    }
  }

  /// The running statistics of normalisations all of whose parameters are frozen.
  func statistics(ofFrozen frozen: Set<String>) -> Set<String> {
    nodes.reduce(into: []) { found, node in
      if !node.parameters.isEmpty, node.parameters.allSatisfy(frozen.contains) {
        found.formUnion(node.statistics)
      }
    }
  }
}

extension TrainedParameters {
  /// How parameters are divided, which must be the same when a run is resumed; what callbacks freeze follows from their
  /// settings.
  var saved: StateValue {
    .fields([
      "groups": .list(names.map { .list($0.map { .text($0) }) }),
      "weightDecays": .list(decayFactors.map { .number($0) }),
      "frozen": .list(frozen(byAsking: asked).sorted().map { .text($0) }),
    ])
  }
}
