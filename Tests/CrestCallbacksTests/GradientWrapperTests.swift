import CrestCallbacks
import CrestData
import CrestGraph
import CrestLayers
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

private func parameters(_ learner: Learner) -> [Float] {
  learner.model.store.withBuffer(.parameters) { Array($0) }
}

private func gradients(_ learner: Learner) -> [Float] {
  learner.model.store.withBuffer(.gradients) { Array($0) }
}

private func statistics(_ learner: Learner) -> [Float] {
  learner.model.store.withBuffer(.statistics) { Array($0) }
}

@Suite struct SAMTests {
  /// y = w · x, of which the loss with targets 0 and x = (1, √2) is ½ (w₁² + 2 w₂²).
  private struct Scale: Layer {
    var name: String? { "scale" }
    func trace(_ x: Symbol) throws -> Symbol {
      try x * x.builder.parameter("weight", [2], role: .weight) { _ in Tensor([1, -2] as [Float]) }
    }
  }

  @Test func `three steps of a quadratic end where the reference's do`() throws {
    let data = TensorExamples(
      name: "one", inputs: [("input", Tensor([1, Float(2).squareRoot()], shape: [1, 2]))],
      targets: Tensor([0, 0] as [Float], shape: [1, 2]))
    let learner = try Learner(
      Model(input: [2], engine: Engine(threadCount: 1)) { Scale() },
      data: DataSplit(train: data, valid: data), loss: .meanSquaredError,
      optimizer: SGD(momentum: 0), callbacks: [SAM()], batchSize: 1, prefetch: 0)
    var steps: [[Float]] = []
    try learner.fit(
      epochs: 3, learningRate: 0.1,
      callbacks: [CallbackOf(.afterStep { steps.append(Array(parameters($0.learner)[..<2])) })])
    let expected: [[Double]] = [
      [0.898787322, -1.590298575], [0.807548913, -1.262615705], [0.725271041, -1.000567748],
    ]
    for (got, expected) in zip(steps, expected) {
      for (a, b) in zip(got, expected) { #expect(abs(Double(a) - b) <= 1e-6 * abs(b)) }
    }
    #expect(steps.count == 3)
  }

  @Test(arguments: [false, true])
  func `gradients are those at the worst weights near by, and nothing else changes`(adaptive: Bool)
    throws
  {
    let learner = try Learner(TinyModel.full(), data: TinyData.split(), batchSize: 5, prefetch: 0)
    try learner.freeze(.matching("dense.bias"))
    let frozen = try #require(learner.model.store.entry(named: "dense.bias")).range
    var before: (w: [Float], g: [Float], s: [Float], loss: Float) = ([], [], [], 0)
    var compared = 0
    let watch = CallbackOf(
      .afterBackward { batch in
        let learner = batch.learner
        before = (parameters(learner), gradients(learner), statistics(learner), batch.loss)
      }, name: "Before", order: CallbackOrder.sharpness - 1)
    let compare = CallbackOf(
      .afterBackward { batch in
        let learner = batch.learner
        let (w, g, s) = (parameters(learner), gradients(learner), statistics(learner))
        #expect(w == before.w && s == before.s && batch.loss == before.loss && g != before.g)
        var squares = 0.0
        let free = w.indices.filter { !frozen.contains($0) }
        for index in free {
          let scaled = Double(before.g[index]) * (adaptive ? Double(w[index]) : 1)
          squares += scaled * scaled
        }
        var worst = w
        for index in free {
          let size = adaptive ? Double(w[index]) * Double(w[index]) : 1
          worst[index] = Float(
            Double(w[index]) + 0.05 / squares.squareRoot() * size * Double(before.g[index]))
        }
        learner.model.store.withBuffer(.parameters) { _ = $0.update(fromContentsOf: worst) }
        try batch.withGradientsRecomputed {
          let expected = gradients(learner)
          for index in free {
            #expect(abs(expected[index] - g[index]) <= 1e-5 * max(1, abs(g[index])))
          }
        }
        learner.model.store.withBuffer(.parameters) { _ = $0.update(fromContentsOf: w) }
        compared += 1
      }, name: "Compare", order: CallbackOrder.sharpness + 1)
    try learner.fit(
      epochs: 2, callbacks: [watch, try SAM(adaptive: adaptive), compare])
    #expect(compared == 10)
  }

  @Test
  func `a radius without a meaning is refused, and a gradient that isn't finite ends the fit`()
    throws
  {
    for radius in [0, -1, .infinity, .nan] as [Double] {
      let error = #expect(throws: CallbackError.self) { try SAM(radius: radius) }
      #expect(error?.description == "SAM: radius is \(radius), expected a finite number above 0")
    }
    let learner = try Learner(TinyModel.linear(), data: TinyData.split())
    let spoil = CallbackOf(
      .afterBackward { $0.learner.model.store.withBuffer(.gradients) { $0[0] = .nan } }, order: -1)
    let error = #expect(throws: CallbackError.self) {
      try learner.fit(epochs: 1, callbacks: [spoil, SAM()])
    }
    #expect(
      error?.description
        == "the norm of the gradients is nan in step 0; lower the learning rate, and let TerminateOnNaN "
        + "name the layer")
  }

  @Test func `a fit of a gradient of 0 steps as without it`() throws {
    let learner = try Learner(
      TinyModel.linear(), data: TinyData.split(), optimizer: SGD(momentum: 0), batchSize: 22)
    let before = parameters(learner)
    let stop = CallbackOf(
      .afterBackward { batch in
        batch.learner.model.store.withBuffer(.gradients) { $0.update(repeating: 0) }
      }, order: -1)
    try learner.fit(epochs: 1, callbacks: [stop, SAM()])
    #expect(parameters(learner) == before)
  }
}

@Suite struct GradientShapingTests {
  /// The gradients that a callback makes of some, beside weights.
  private func shaped(
    _ callback: any Callback, _ weights: [String: [Float]], _ given: [String: [Float]]
  ) throws -> [String: [Float]] {
    let learner = try Learner(
      Model(input: [2], engine: Engine(threadCount: 1)) {
        Dense(2)
        Dense(3, name: "head")
      }, data: DataSplit(train: Self.pairs, valid: Self.pairs), batchSize: 4)
    func put(_ values: [String: [Float]], in buffer: ParameterStore.Buffer) throws {
      for (name, numbers) in values {
        let range = try #require(learner.model.store.entry(named: name)).range
        learner.model.store.withBuffer(buffer) { floats in
          for (index, number) in zip(range, numbers) { floats[index] = number }
        }
      }
    }
    var result: [String: [Float]] = [:]
    let give = CallbackOf(
      .beforeStep { _ in
        try put(weights, in: .parameters)
        try put(given, in: .gradients)
      }, name: "Give", order: -1)
    let take = CallbackOf(
      .beforeStep { batch in
        for entry in batch.learner.model.store.parameters {
          result[entry.name] = batch.learner.model.store.gradient(of: entry).array(as: Float.self)
        }
      }, name: "Take", order: 40)
    try learner.fit(epochs: 1, callbacks: [give, callback, take])
    return result
  }

  private static let pairs = TensorExamples(
    name: "pairs",
    inputs: [("input", Tensor([1, 2, 3, 4, 5, 6, 7, 8] as [Float], shape: [4, 2]))],
    targets: Tensor([0, 1, 2, 0] as [Int64]), classNames: ["a", "b", "c"])

  @Test func `a clip by the size of weights is that of timm, and leaves the head alone`() throws {
    let weights: [String: [Float]] = [
      "dense.weight": [1, 2, 0, 0.0005], "dense.bias": [0.3, 0.4],
      "head.weight": [1, 1, 1, 1, 1, 1],
    ]
    let given: [String: [Float]] = [
      "dense.weight": [3, 4, 0.1, 0.2], "dense.bias": [3, 4], "head.weight": [9, 9, 9, 9, 9, 9],
    ]
    let got = try shaped(AdaptiveGradientClip(), weights, given)
    for (got, expected) in zip(
      try #require(got["dense.weight"]), [0.013416408, 0.017888544, 4.472136e-6, 8.944272e-6])
    {
      #expect(abs(Double(got) - expected) <= 1e-6 * expected)
    }
    for (got, expected) in zip(try #require(got["dense.bias"]), [0.003, 0.004]) {
      #expect(abs(Double(got) - expected) <= 1e-8)
    }
    #expect(got["head.weight"] == [9, 9, 9, 9, 9, 9])
    let all = try shaped(AdaptiveGradientClip(clipsHead: true), weights, given)
    #expect(try #require(all["head.weight"]).allSatisfy { abs($0 - 0.01) <= 1e-8 })
  }

  @Test func `a clip by the size of weights refuses what has no meaning`() throws {
    for value in [0, -1, .infinity, .nan] as [Double] {
      let factor = #expect(throws: CallbackError.self) { try AdaptiveGradientClip(factor: value) }
      #expect(
        factor?.description
          == "AdaptiveGradientClip: factor is \(value), expected a finite number above 0")
      let epsilon = #expect(throws: CallbackError.self) {
        try AdaptiveGradientClip(epsilon: value)
      }
      #expect(
        epsilon?.description
          == "AdaptiveGradientClip: epsilon is \(value), expected a finite number above 0")
    }
    let error = #expect(throws: CallbackError.self) {
      _ = try self.shaped(AdaptiveGradientClip(), [:], ["dense.bias": [.infinity, 0]])
    }
    #expect(
      error?.description
        == "the norm of the gradients is inf in step 0; lower the learning rate, and let TerminateOnNaN "
        + "name the layer")
  }

  @Test func `the mean over the inputs of each output goes, and vectors stay`() throws {
    let given: [String: [Float]] = [
      "dense.weight": [3, 4, 0.5, -0.25], "dense.bias": [3, 4],
      "head.weight": [1, 2, 3, 5, 8, 13],
    ]
    let got = try shaped(GradientCentralization(), [:], given)
    #expect(got["dense.weight"] == [-0.5, 0.5, 0.375, -0.375])
    #expect(got["head.weight"] == [-0.5, 0.5, -1, 1, -2.5, 2.5])
    #expect(got["dense.bias"] == [3, 4])
  }

  @Test func `outputs are where a weight has them`() throws {
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([1, 2], .float32))
    let weight = try builder.parameter("w", [2, 3], role: .weight) { _ in Tensor(zeros: [2, 3]) }
    let filter = try builder.parameter("f", [3, 2, 1, 2], role: .weight) { _ in
      Tensor(zeros: [3, 2, 1, 2])
    }
    let turned = try builder.parameter("t", [4, 6], role: .weight) { _ in Tensor(zeros: [4, 6]) }
    let y = try x.matMul(weight).reshaped(to: [1, 3, 1, 1])
    builder.output("y", try y.convTransposed(filter).reshaped(to: [-1, 4]).matMul(turned))
    let store = ParameterStore(builder.result, seed: 0)
    var units: [String: [[Int]]] = [:]
    for entry in store.parameters {
      OutputUnits(entry, of: store).forEach { unit in
        units[entry.name, default: []].append(unit.map { $0 - entry.range.lowerBound })
      }
    }
    #expect(units["w"] == [[0, 3], [1, 4], [2, 5]])
    #expect(units["f"] == [[0, 1, 4, 5, 8, 9], [2, 3, 6, 7, 10, 11]])
    #expect(units["t"]?.count == 6)
  }
}
