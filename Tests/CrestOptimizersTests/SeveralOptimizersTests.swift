import CrestGraph
import CrestOptimizers
import CrestRuntime
import CrestTensor
import Testing

/// Muon, and different optimisers for different parameters.
@Suite struct `Several optimisers` {
  /// A table, a filter, a matrix for [in, out], the head, a bias and a scale.
  private static func store() throws -> ParameterStore {
    let builder = GraphBuilder()
    func parameter(_ name: String, _ shape: [Int], _ role: Graph.ParameterRole) throws -> Symbol {
      try builder.parameter(name, Shape(shape), role: role) { _ in
        Tensor(
          (0..<Shape(shape).elementCount).map { Float($0 % 5) / 4 - 0.5 }, shape: Shape(shape))
      }
    }
    let indices = builder.input("ids", ValueType([1, 16], .int64))
    let table = try parameter("table", [9, 2], .weight)
    let rows = try table.gathered(indices, axis: 0).reshaped(to: [1, 2, 4, 4])
    let images = try rows.conv(parameter("filter", [3, 2, 3, 3], .weight))
    let scale = try parameter("scale", [3, 1, 1], .normalizationScale)
    let flat = try (images * scale).reshaped(to: [1, 12])
    let hidden = try flat.matMul(parameter("matrix", [12, 4], .weight))
    let y = try hidden.gemm(
      parameter("head", [2, 4], .weight), parameter("bias", [2], .bias), transposingB: true)
    builder.output("y", y)
    return ParameterStore(builder.result, seed: 0)
  }

  private static func step(_ optimizer: any Optimizer, _ store: ParameterStore) throws {
    store.resetMoments(count: optimizer.momentCount, numbers: optimizer.numberCount)
    store.withBuffer(.gradients) { gradients in
      for entry in store.parameters {
        for (place, index) in entry.range.enumerated() {
          gradients[index] = Float(place % 7) / 8 - 0.25
        }
      }
    }
    let group = ParameterGroup(store, hyperparameters: optimizer.defaults)
    optimizer.step(store, [group], stepNumber: 1, engine: try Engine(threadCount: 1))
  }

  private static func values(_ optimizer: any Optimizer) throws -> [String: [Float]] {
    let store = try store()
    try step(optimizer, store)
    return Dictionary(
      uniqueKeysWithValues: store.parameters.map {
        ($0.name, store.value(of: $0).array(as: Float.self))
      })
  }

  @Test func `of Muon are Muon's for hidden weights and AdamW for tables, the head and vectors`()
    throws
  {
    let muon = try Self.values(Muon(learningRate: 0.02))
    let adam = try Self.values(AdamW(learningRate: 0.02 * 0.015))
    let same = muon.keys.filter { muon[$0] == adam[$0] }.sorted()
    #expect(same == ["bias", "head", "scale", "table"])
    let chosen = try Self.values(Muon(learningRate: 0.02, parameters: .matching("head", "bias")))
    #expect(
      chosen.keys.filter { chosen[$0] == adam[$0] }.sorted()
        == ["bias", "filter", "matrix", "scale", "table"])
  }

  @Test func `of Muon scale a step by outputs, wherever a weight has them`() throws {
    let store = try Self.store()
    #expect(store.uses.outputAxis(of: "matrix") == 1)
    #expect(store.uses.outputAxis(of: "head") == 0)
    #expect(store.uses.outputAxis(of: "filter") == 0)
    #expect(store.uses.lastWeight == "head")
    #expect(store.uses.tables == ["table"] && store.uses.filters == ["filter"])
    // A matrix of 12 inputs and 4 outputs isn't scaled up, as one of 4 inputs and 12 outputs would be.
    let plain = try Self.values(Muon(learningRate: 0.1, weightDecay: 0))
    let wide = try Self.values(
      Muon(learningRate: 0.1, scale: .matchAdamW, othersRate: 0.015, weightDecay: 0))
    let before = store.value(of: try #require(store.entry(named: "matrix"))).array(as: Float.self)
    let (a, b) = (try #require(plain["matrix"]), try #require(wide["matrix"]))
    let ratio = Float(0.2 * 12.0.squareRoot())
    for ((before, a), b) in zip(zip(before, a), b) {
      #expect(abs((b - before) - ratio * (a - before)) <= 1e-6)
    }
  }

  @Test func `take turns by patterns, each with its own rate, momentum and decay`() throws {
    let sgd = try SGD(learningRate: 0.1, momentum: 0.5, weightDecay: 0.2)
    let several = try MultiOptimizer(
      sgd, .init(AdamW(weightDecay: 0.4), for: .matching("head", "bias"), rate: 0.25),
      .init(Lion(), for: .matching("*e*"), rate: 2))
    #expect(several.name == "sgd + adamw + lion" && several.momentCount == 2)
    let got = try Self.values(several)
    let first = try Self.values(sgd)
    let second = try Self.values(AdamW(learningRate: 0.025, weightDecay: 0.4))
    let third = try Self.values(Lion(learningRate: 0.2))
    for (name, expected) in [
      ("matrix", first), ("head", second), ("bias", second), ("table", third), ("filter", third),
      ("scale", third),
    ] {
      #expect(got[name] == expected[name], "\(name)")
    }
  }

  @Test func `divide anew when groups change`() throws {
    let store = try Self.store()
    let several = try MultiOptimizer(
      SGD(momentum: 0), .init(SGD(momentum: 0), for: .matching("head"), rate: 0))
    try Self.step(several, store)
    let head = try #require(store.entry(named: "head"))
    let before = store.value(of: head)
    let group = ParameterGroup(store, hyperparameters: several.defaults) { $0.name != "matrix" }
    let matrix = store.value(of: try #require(store.entry(named: "matrix")))
    let bias = store.value(of: try #require(store.entry(named: "bias")))
    several.step(store, [group], stepNumber: 2, engine: try Engine(threadCount: 1))
    #expect(store.value(of: head) == before)
    #expect(store.value(of: try #require(store.entry(named: "matrix"))) == matrix)
    #expect(store.value(of: try #require(store.entry(named: "bias"))) != bias)
  }

  static let refusals: [(String, @Sendable () throws -> any Optimizer)] = [
    (
      "\"bias|scale\" matches no weight of two dimensions and no filter of a convolution, which is all that muon trains; "
        + "choose others, or leave the choice to muon",
      { try Muon(parameters: .matching("bias", "scale")) }
    ),
    (
      "no parameter matches \"heat\"; similar names are \"head\", \"bias\", \"scale\"; use * for any characters",
      { try MultiOptimizer(SGD(), .init(Adam(), for: .matching("heat"))) }
    ),
    (
      "the group \"head\" is empty: earlier groups have all the parameters that it matches; put it first",
      {
        try MultiOptimizer(
          SGD(), .init(Adam(), for: .matching("h*")), .init(Lion(), for: .matching("head")))
      }
    ),
  ]

  @Test(arguments: refusals.indices) func `refuse a model without what they name`(index: Int) throws
  {
    let (message, make) = Self.refusals[index]
    let (optimizer, store) = (try make(), try Self.store())
    let error = #expect(throws: ParameterError.self) { try optimizer.check(store) }
    #expect(error?.description == message)
  }
}
