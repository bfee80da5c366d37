import CrestGraph
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

@Suite struct `Freezing` {
  private static func learner(
    _ normalization: Learner.FrozenNormalization = .inference, optimizer: any Optimizer = SGD(),
    groups: ParameterGroup.Split = .layers, weightDecays: ParameterGroup.Values = .same(1)
  ) throws -> Learner {
    try Learner(
      Model(input: [4], engine: Engine(threadCount: 1)) {
        Dense(8, name: "stem")
        BatchNorm(name: "norm")
        ReLU()
        Dense(6, name: "body")
        ReLU()
        Dense(3, name: "head")
      }, data: TinyData.split(), optimizer: optimizer, batchSize: 5, groups: groups,
      weightDecays: weightDecays, frozenNormalization: normalization)
  }

  /// The bits of every parameter and statistic.
  private static func bits(_ learner: Learner) -> [String: [UInt32]] {
    let store = learner.model.store
    return Dictionary(
      uniqueKeysWithValues: (store.parameters + store.statistics).map { entry in
        (entry.name, store.value(of: entry).array(as: Float.self).map(\.bitPattern))
      })
  }

  /// What a fit changes, by name.
  private static func changed(_ learner: Learner) throws -> Set<String> {
    let before = bits(learner)
    try learner.fit(epochs: 2, learningRate: 0.05)
    let after = bits(learner)
    return Set(before.keys.filter { before[$0] != after[$0] })
  }

  @Test(arguments: [
    (Learner.FrozenNormalization.inference, false, false), (.statistics, false, true),
    (.trained, true, true),
  ])
  func `keeps every bit, of normalisations what the option says`(
    option: Learner.FrozenNormalization, trainsNorm: Bool, followsStatistics: Bool
  ) throws {
    let learner = try Self.learner(option, optimizer: SGD(weightDecay: 0.1, decayTargets: .all))
    let store = learner.model.store
    let normNames = Set(store.parameters.map(\.name).filter { $0.hasPrefix("norm.") })
    let statisticNames = Set(store.statistics.map(\.name))
    #expect(normNames.count == 2 && statisticNames.count == 2)
    try learner.freeze(.matching("stem.*", "norm.*"))
    var expected: Set = ["body.weight", "body.bias", "head.weight", "head.bias"]
    if trainsNorm { expected.formUnion(normNames) }
    if followsStatistics { expected.formUnion(statisticNames) }
    #expect(try Self.changed(learner) == expected)
    try learner.unfreeze()
    #expect(learner.frozen.isEmpty)
    let all = Set(store.parameters.map(\.name)).union(statisticNames)
    #expect(try Self.changed(learner) == all)
  }

  @Test
  func `computes no gradient of what is frozen, and no backward pass through a frozen prefix`()
    throws
  {
    let learner = try Self.learner()
    func steps() throws -> Int {
      let request = Program.Request(
        inputTypes: [learner.model.inputs[0].batchType(5)], targetType: ValueType([5], .int64),
        mode: .training, frozen: learner.frozen)
      return try learner.model.cache(loss: .crossEntropy()).program(request)
        .steps(of: .backward).count
    }
    let all = try steps()
    // What a gradient is before must not stay in the norm of all gradients.
    try learner.fit(epochs: 1, learningRate: 0.01)
    try learner.freezeTo(-1)
    let store = learner.model.store
    try learner.fit(epochs: 1, learningRate: 0.01)
    for entry in store.parameters {
      let isZero = store.gradient(of: entry).array(as: Float.self).allSatisfy { $0 == 0 }
      #expect(isZero == !entry.name.hasPrefix("head."), "\(entry.name)")
    }
    let last = try steps()
    #expect(last * 3 < all, "\(last) steps of \(all)")
  }

  @Test func `counts groups from the first, or back from the last`() throws {
    let learner = try Self.learner()
    #expect(
      learner.parameterGroups.map { $0.map { $0.prefix { $0 != "." } }.first }
        == ["stem", "norm", "body", "head"])
    let names = learner.parameterGroups
    for group in -4..<4 {
      try learner.freezeTo(group)
      let first = group < 0 ? group + 4 : group
      let parameters = learner.frozen.subtracting(learner.model.store.statistics.map(\.name))
      #expect(parameters == Set(names[..<first].joined()), "\(group)")
    }
    let error = #expect(throws: ParameterError.self) { try learner.freezeTo(4) }
    #expect(
      error?.description
        == "group 4: expected a number from -4 to 3, because there are 4 groups; negative "
        + "numbers count from the last")
  }

  @Test func `adds up, and unfreezing takes away`() throws {
    let learner = try Self.learner(.statistics)
    try learner.freeze(.matching("stem.*"))
    try learner.freeze(.matching("*.bias"))
    try learner.unfreeze(.matching("stem.weight", "head.*"))
    let names = learner.model.store.parameters.map(\.name).filter { $0.hasSuffix(".bias") }
    #expect(learner.frozen == Set(names).subtracting(["head.bias"]))
  }

  @Test func `of a name that nothing has proposes others`() throws {
    let learner = try Self.learner()
    let error = #expect(throws: ParameterError.self) {
      try learner.freeze(.matching("haed.*"))
    }
    #expect(
      error?.description
        == "no parameter matches \"haed.*\"; similar names are \"head.weight\", \"head.bias\", "
        + "\"stem.weight\"; use * for any characters")
    #expect(learner.frozen.isEmpty)
  }

  @Test func `of everything leaves nothing to train`() throws {
    let learner = try Self.learner()
    try learner.freeze(.all)
    let error = #expect(throws: ParameterError.self) { try learner.fit(epochs: 1) }
    #expect(error?.description == "every parameter is frozen; unfreeze some to train")
    try learner.unfreeze(.matching("head.*"))
    try learner.fit(epochs: 1)
  }

  @Test func `lets the optimiser begin anew, as a new one would`() throws {
    let learner = try Self.learner(optimizer: Adam())
    try learner.fit(epochs: 1)
    try learner.freeze(.matching("stem.*"))
    // The same weights under an optimiser that has not seen a step, with its corrections.
    let other = try Self.learner(optimizer: Adam())
    for entry in learner.model.store.parameters + learner.model.store.statistics {
      other.model.store.write(learner.model.store.value(of: entry), to: entry)
    }
    try other.freeze(.matching("stem.*"))
    let step = CallbackOf(.afterStep { _ in throw Cancel(.fit, reason: "one step") })
    let same = CallbackOf(
      .beforeBatch { batch in
        batch.inputs = [
          Tensor([Float](repeating: 0.5, count: batch.count * 4), shape: [batch.count, 4])
        ]
        batch.targets = Tensor([Int64](repeating: 1, count: batch.count))
      })
    try learner.fit(epochs: 1, callbacks: [step, same])
    try other.fit(epochs: 1, callbacks: [step, same])
    #expect(Self.bits(learner) == Self.bits(other))
  }

  @Test func `groups decay by factors of their own`() throws {
    let learner = try Self.learner(
      optimizer: SGD(momentum: 0, weightDecay: 0.5, decayKind: .decoupled),
      groups: .patterns([["head.*"]]), weightDecays: .each([0, 1]))
    let before = Self.bits(learner)
    let still = CallbackOf(
      .beforeStep { batch in
        batch.learner.model.store.withBuffer(.gradients) { $0.update(repeating: 0) }
      }, .afterStep { _ in throw Cancel(.fit, reason: "one step") })
    try learner.fit(epochs: 1, learningRate: 0.1, callbacks: [still])
    let after = Self.bits(learner)
    #expect(after["head.weight"] == before["head.weight"])
    for (old, new) in zip(
      try #require(before["stem.weight"]), try #require(after["stem.weight"]))
    {
      let wanted = Float(bitPattern: old) * 0.95
      #expect(abs(Float(bitPattern: new) - wanted) <= 1e-6 * abs(wanted))
    }
  }
}
