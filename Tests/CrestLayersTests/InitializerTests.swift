import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor
import Testing

@Suite struct InitializerTests {
  /// The first values of a parameter of this shape.
  private func draw(_ initializer: Initializer, _ shape: Shape, seed: UInt64 = 7) throws -> [Float]
  {
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([1]))
    _ = try x.parameter("weight", shape, role: .weight, initializer)
    let store = ParameterStore(builder.result, seed: seed)
    return store.value(of: store.parameters[0]).array(as: Float.self)
  }

  /// Mean, standard deviation and largest magnitude.
  private func moments(_ values: [Float]) -> (mean: Double, deviation: Double, largest: Double) {
    let doubles = values.map(Double.init)
    let mean = doubles.reduce(0, +) / Double(doubles.count)
    let variance = doubles.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(doubles.count)
    return (mean, variance.squareRoot(), doubles.map(abs).max() ?? 0)
  }

  /// An initialiser, and the standard deviation and largest magnitude of a filter [64, 16, 3, 5].
  struct Distribution: Sendable, CustomTestStringConvertible {
    let name: String
    let initializer: Initializer
    let deviation: Double
    let bound: Double

    var testDescription: String { name }
  }

  static let distributions = [
    // Fan in is 16 · 15 = 240, fan out 64 · 15 = 960.
    Distribution(
      name: "He normal", initializer: .heNormal, deviation: (2.0 / 240).squareRoot(), bound: 1),
    Distribution(
      name: "He uniform", initializer: .heUniform, deviation: (2.0 / 240).squareRoot(),
      bound: (6.0 / 240).squareRoot()),
    Distribution(
      name: "LeCun uniform", initializer: .lecunUniform, deviation: (1.0 / 240).squareRoot(),
      bound: (3.0 / 240).squareRoot()),
    Distribution(
      name: "PyTorch's uniform", initializer: .torchUniform,
      deviation: (1.0 / 720).squareRoot(), bound: (1.0 / 240).squareRoot()),
    Distribution(
      name: "Xavier normal", initializer: .xavierNormal, deviation: (2.0 / 1200).squareRoot(),
      bound: 1),
    Distribution(
      name: "Xavier uniform", initializer: .xavierUniform, deviation: (2.0 / 1200).squareRoot(),
      bound: (6.0 / 1200).squareRoot()),
    Distribution(
      name: "normal", initializer: .normal(standardDeviation: 0.5), deviation: 0.5, bound: 5),
    Distribution(
      name: "uniform", initializer: .uniform(from: -3, to: 3), deviation: 3.0.squareRoot(),
      bound: 3),
    // A normal cut at ±2 σ keeps 0.8796 of its deviation.
    Distribution(
      name: "truncated normal", initializer: .truncatedNormal(standardDeviation: 0.5),
      deviation: 0.43981, bound: 1),
    Distribution(
      name: "automatic without a model", initializer: .automatic,
      deviation: (2.0 / 1200).squareRoot(), bound: (6.0 / 1200).squareRoot()),
  ]

  @Test(arguments: distributions)
  func `has the spread it is named for`(_ distribution: Distribution) throws {
    let values = try draw(distribution.initializer, [64, 16, 3, 5])
    let (mean, deviation, largest) = moments(values)
    // 15,360 values: the mean is off by less than 4 σ / √15,360, the deviation by 2.5 %.
    #expect(abs(mean) < 4 * distribution.deviation / 123)
    #expect(abs(deviation / distribution.deviation - 1) < 0.025)
    #expect(largest <= distribution.bound)
    #expect(Set(values).count > 15_000, "values repeat")
  }

  @Test func `normal numbers are those of Box and Muller over the counter's words`() throws {
    let values = try draw(.normal(mean: 1, standardDeviation: 2), [3], seed: 5)
    let words = Philox(seed: 5, stream: Philox.Stream.parameters).words(block: 0)
    // (value - mean) / deviation squared and summed over a pair is -2 log of its first uniform.
    let pair = (Double(values[0]) - 1) / 2, partner = (Double(values[1]) - 1) / 2
    let uniform = (Double(words.0) + 0.5) / 4_294_967_296
    #expect(abs(exponential(-(pair * pair + partner * partner) / 2) - uniform) < 1e-6)
  }

  /// eˣ by its series, for moderate x.
  private func exponential(_ x: Double) -> Double {
    (1...60).reversed().reduce(1) { 1 + x / Double($1) * $0 }
  }

  @Test func `depends on seed, stream and place only`() throws {
    let long = try draw(.heNormal, [40, 8])
    #expect(try draw(.heNormal, [40, 8]) == long)
    #expect(Array(long[..<24]) == (try draw(.heNormal, [3, 8])))
    #expect(try draw(.heNormal, [40, 8], seed: 8) != long)
  }

  @Test func `constants and given values are as given`() throws {
    #expect(try draw(.constant(2.5), [2, 2]) == [2.5, 2.5, 2.5, 2.5])
    #expect(try draw(.values(Tensor([1, 2, 3] as [Float])), [3]) == [1, 2, 3])
    #expect(
      try draw(Initializer { shape, _ in Tensor([4, 5] as [Float], shape: shape) }, [2]) == [4, 5])
  }

  /// What `torch.nn.init.dirac_` makes of the first `in` filters of ones; identity for a matrix.
  private static let diracs: [(shape: Shape, values: [Float])] = [
    ([3, 2, 1, 3], [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1]),
    ([1, 2, 2, 2], [0, 0, 0, 1, 0, 0, 0, 0]),
    ([2, 2, 3], [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]),
    ([3, 2], [1, 0, 0, 1, 1, 1]),
  ]

  @Test(arguments: diracs.indices)
  func `Dirac filters pass on one channel each`(number: Int) throws {
    let (shape, values) = Self.diracs[number]
    #expect(try draw(.dirac(over: .ones), shape) == values)
    #expect(
      try draw(.dirac(), shape)
        == values.enumerated().map { place, value in
          // Filters beyond the first `in` are those of the base.
          place < min(shape[0], shape[1]) * shape.elementCount / shape[0] ? value : 0
        })
  }

  @Test func `filters beyond the identities start as they would without`() throws {
    let base = try draw(.torchUniform, [6, 2, 3, 3])
    let dirac = try draw(.dirac(over: .torchUniform), [6, 2, 3, 3])
    #expect(dirac[36...] == base[36...])
    #expect(dirac[..<36].count { $0 != 0 } == 2)
    // Automatic knows what reads the filters, also below identities.
    let model = try Model(input: [2, 5, 5]) {
      Conv2D(6, kernel: 3, bias: false, initializer: .dirac(over: .automatic))
      ReLU()
    }
    let values = model.store.value(of: model.store.parameters[0]).array(as: Float.self)
    let plain = try Model(input: [2, 5, 5]) {
      Conv2D(6, kernel: 3, bias: false)
      ReLU()
    }
    #expect(
      values[36...]
        == plain.store.value(of: plain.store.parameters[0]).array(as: Float.self)[36...])
  }

  @Test func `given values of another shape are refused below identities, too`() throws {
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([1]))
    let error = #expect(throws: GraphError.self) {
      try x.parameter(
        "weight", [2, 3], role: .weight, .dirac(over: .values(Tensor([1] as [Float]))))
    }
    #expect(
      error?.description == "initial value of weight: expected float32 [2, 3], got float32 [1]")
  }

  @Test func `weights that meet a ReLU first start He normal, others Xavier uniform`() throws {
    let model = try Model(input: [3, 8, 8]) {
      Conv2D(64, kernel: 3, padding: .same, bias: false, name: "normed")
      BatchNorm()
      MaxPool(2)
      ReLU()
      Residual {
        Conv2D(64, kernel: 3, padding: .same, name: "inner")
      }
      ReLU()
      Conv2D(64, kernel: 3, padding: .same, name: "linear")
      MaxPool(2)
      Flatten()
      Dense(64, name: "squashed")
      Tanh()
      Dense(64, name: "head")
    }
    for (path, isHe) in [
      ("normed", true), ("inner", true), ("linear", false), ("squashed", false), ("head", false),
    ] {
      let entry = try #require(
        model.store.parameters.first { $0.name.hasSuffix("\(path).weight") })
      let fanIn = entry.shape.dropFirst().reduce(1, *)
      let fanOut = entry.shape[0] * entry.shape.dropFirst(2).reduce(1, *)
      let (_, deviation, largest) = moments(
        model.store.value(of: entry).array(as: Float.self))
      let he = (2 / Double(fanIn)).squareRoot()
      let bound = (6 / Double(fanIn + fanOut)).squareRoot()
      if isHe {
        #expect(abs(deviation / he - 1) < 0.08, "\(path)")
        #expect(largest > 2 * he, "\(path) is cut like a uniform")
      } else {
        #expect(largest <= bound, "\(path)")
        #expect(largest > 0.99 * bound, "\(path)")
      }
    }
  }

  @Test(arguments: ["conv1": 25, "conv2": 500, "dense1": 800, "dense2": 500])
  func `LeNet starts uniform of variance 1 over fan in, as Caffe's example`(
    layer: String, fanIn: Int
  ) throws {
    let model = try Model(input: [1, 28, 28]) { LeNet(classes: 10) }
    let entry = try #require(
      model.store.parameters.first { $0.name.hasSuffix("\(layer).weight") })
    let (_, deviation, largest) = moments(model.store.value(of: entry).array(as: Float.self))
    let bound = (3 / Double(fanIn)).squareRoot()
    // 500 values at least: the deviation is off by less than 4 · √(0.2 / 500).
    #expect(abs(deviation * 3.0.squareRoot() / bound - 1) < 0.08)
    #expect(largest <= bound && largest > 0.98 * bound)
  }
}
