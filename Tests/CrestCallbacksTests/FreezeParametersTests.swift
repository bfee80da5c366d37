import CrestCallbacks
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

@Suite struct FreezeParametersTests {
  private static func learner() throws -> Learner {
    try Learner(
      Model(input: [4], engine: Engine(threadCount: 1)) {
        Dense(8, name: "stem")
        BatchNorm(name: "norm")
        ReLU()
        Dense(3, name: "head")
      }, data: TinyData.split(), optimizer: SGD(momentum: 0.9), batchSize: 5)
  }

  private static func bits(_ learner: Learner) -> [String: [UInt32]] {
    let store = learner.model.store
    return Dictionary(
      uniqueKeysWithValues: (store.parameters + store.statistics).map { entry in
        (entry.name, store.value(of: entry).array(as: Float.self).map(\.bitPattern))
      })
  }

  @Test func `parameters rest in the epochs that were named, with their normalisations`() throws {
    let learner = try Self.learner()
    var (before, changed): ([String: [UInt32]], [Set<String>]) = ([:], [])
    try learner.fit(
      epochs: 4, learningRate: 0.05,
      callbacks: [
        FreezeParameters(.matching("norm.*"), until: 2),
        FreezeParameters(.matching("stem.bias"), from: 1, until: 3),
        FreezeParameters(.matching("head.*"), from: 3),
        CallbackOf(
          .beforeEpoch { before = Self.bits($0.learner) },
          .afterEpoch { epoch in
            let after = Self.bits(epoch.learner)
            changed.append(Set(before.keys.filter { before[$0] != after[$0] }))
          }),
      ])
    let all = Set(Self.bits(learner).keys)
    let norm: Set = ["norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"]
    let head: Set = ["head.weight", "head.bias"]
    #expect(
      changed == [
        all.subtracting(norm), all.subtracting(norm).subtracting(["stem.bias"]),
        all.subtracting(["stem.bias"]), all.subtracting(head),
      ])
    #expect(learner.frozen.isEmpty)
  }

  @Test func `moments go on where they were`() throws {
    // With plain momentum and gradients of 0 afterwards, what rests would move on by its moment.
    let (learner, other) = (try Self.learner(), try Self.learner())
    var moments: [[Float]] = []
    let watch = CallbackOf(
      .beforeEpoch { epoch in
        moments.append(epoch.learner.model.store.withBuffer(.moments(0)) { Array($0) })
      })
    try learner.fit(
      epochs: 3, learningRate: 0.05,
      callbacks: [FreezeParameters(.matching("stem.bias"), from: 1, until: 2), watch])
    let entry = try #require(
      learner.model.store.parameters.first { $0.name == "stem.bias" })
    #expect(moments[1][entry.range] == moments[2][entry.range])
    #expect(moments[1][entry.range].contains { $0 != 0 })
    // Until something is frozen, nothing is different.
    try other.fit(epochs: 1, learningRate: 0.05)
    var first: [String: [UInt32]] = [:]
    let again = try Self.learner()
    try again.fit(
      epochs: 2, learningRate: 0.05,
      callbacks: [
        FreezeParameters(.matching("head.*"), from: 1),
        CallbackOf(.afterEpoch { if $0.index == 0 { first = Self.bits($0.learner) } }),
      ])
    #expect(first == Self.bits(other))
  }

  @Test func `what the learner froze stays frozen, also after the fit`() throws {
    let learner = try Self.learner()
    try learner.freeze(.matching("stem.*"))
    let before = Self.bits(learner)
    try learner.fit(
      epochs: 2, learningRate: 0.05,
      callbacks: [FreezeParameters(.matching("stem.weight"), until: 1)])
    #expect(learner.frozen == ["stem.weight", "stem.bias"])
    #expect(Self.bits(learner)["stem.weight"] == before["stem.weight"])
    #expect(Self.bits(learner)["head.weight"] != before["head.weight"])
  }

  @Test func `numbers and patterns without a meaning are refused`() throws {
    for (from, until, message) in [
      (-1, nil, "from is -1, expected an epoch from 0 on"),
      (2, 2, "until is 2, expected an epoch after 2"),
    ] as [(Int, Int?, String)] {
      let error = #expect(throws: CallbackError.self) {
        try FreezeParameters(.all, from: from, until: until)
      }
      #expect(error?.description == "FreezeParameters: " + message)
    }
    let learner = try Self.learner()
    // At once, and not when its epoch comes.
    var epochs = 0
    let count = CallbackOf(.beforeEpoch { _ in epochs += 1 })
    let unmatched = #expect(throws: ParameterError.self) {
      try learner.fit(
        epochs: 3, callbacks: [FreezeParameters(.matching("steam.*"), from: 2), count])
    }
    #expect(
      unmatched
        == .unmatched(
          pattern: "steam.*", nearest: ["stem.weight", "stem.bias", "head.weight"]))
    #expect(epochs == 0)
    let nothing = #expect(throws: ParameterError.self) {
      try learner.fit(epochs: 2, callbacks: [FreezeParameters(.all, from: 1)])
    }
    #expect(nothing == .nothingToTrain)
    #expect(learner.frozen.isEmpty)
  }
}
