import CrestGraph
import CrestLayers
import CrestRuntime
import CrestTensor
import Testing

/// y = x · tanh(softplus(x)), as in the documentation of `Layer`.
private struct Mish: Layer {
  func trace(_ x: Symbol) throws -> Symbol { try x * x.softplus().tanh() }
}

/// y = scale · x, as in the documentation of `Layer`.
private struct Scale: Layer {
  var name: String? = "scale"

  func trace(_ x: Symbol) throws -> Symbol {
    let features = x.shape[x.shape.rank - 1]
    let scale = try x.parameter("weight", [features], role: .normalizationScale, .ones)
    return try x * scale
  }
}

/// A layer traced for a batch of 2, and what its graph computes by the reference.
private struct Traced {
  let builder = GraphBuilder()
  let input: Symbol
  let output: Symbol

  init(_ layer: some Layer, _ shape: Shape) throws {
    input = builder.input("x", ValueType(shape))
    output = try layer(input)
  }

  var variables: [Graph.Variable] { builder.result.variables }

  /// The output for these inputs and initial values.
  func run(_ x: [Double], seed: UInt64 = 0) throws -> [Double] {
    let initial = variables.enumerated().map { number, variable in
      ReferenceArray(
        variable.initialValue(
          Philox(seed: seed, stream: Philox.Stream.parameters + UInt32(number))))
    }
    return try Interpreter(builder.result).run(
      inputs: [ReferenceArray(x, input.type)], variables: initial)[output.id.index].reals
  }
}

@Suite struct LayerTests {
  /// A layer, the shape of its input, and what it declares and gives.
  struct ShapeCase: Sendable, CustomTestStringConvertible {
    let layer: any Layer
    let input: Shape
    let output: Shape
    let parameters: [String: Shape]

    var testDescription: String { "\(layer.name ?? "no name") of \(input)" }
  }

  static let shapes = [
    ShapeCase(
      layer: Dense(3), input: [2, 5], output: [2, 3],
      parameters: ["dense.weight": [3, 5], "dense.bias": [3]]),
    ShapeCase(
      layer: Dense(3, bias: false, name: "head"), input: [2, 4, 6, 5], output: [2, 4, 6, 3],
      parameters: ["head.weight": [3, 5]]),
    ShapeCase(
      layer: Conv2D(8, kernel: 3), input: [2, 4, 9, 7], output: [2, 8, 7, 5],
      parameters: ["conv2d.weight": [8, 4, 3, 3], "conv2d.bias": [8]]),
    ShapeCase(
      layer: Conv2D(8, kernel: [3, 5], stride: [2, 1], padding: .same, bias: false),
      input: [2, 4, 9, 7], output: [2, 8, 5, 7], parameters: ["conv2d.weight": [8, 4, 3, 5]]),
    ShapeCase(
      layer: Conv2D(8, kernel: 4, stride: 2, padding: .same, dilation: 2, groups: 2, bias: false),
      input: [2, 4, 8, 8], output: [2, 8, 4, 4], parameters: ["conv2d.weight": [8, 2, 4, 4]]),
    ShapeCase(
      layer: Conv2D(
        1, kernel: 2, padding: .explicit(top: 1, left: 0, bottom: 2, right: 3), bias: false),
      input: [2, 1, 4, 4], output: [2, 1, 6, 6], parameters: ["conv2d.weight": [1, 1, 2, 2]]),
    ShapeCase(
      layer: BatchNorm(scale: false), input: [2, 4, 3, 3], output: [2, 4, 3, 3],
      parameters: [
        "batch_norm.bias": [4], "batch_norm.running_mean": [4], "batch_norm.running_var": [4],
      ]),
    ShapeCase(
      layer: BatchNorm(bias: false), input: [2, 4, 3, 3], output: [2, 4, 3, 3],
      parameters: [
        "batch_norm.weight": [4], "batch_norm.running_mean": [4], "batch_norm.running_var": [4],
      ]),
    ShapeCase(layer: GELU(), input: [2, 5], output: [2, 5], parameters: [:]),
    ShapeCase(layer: Rescaling(0.5), input: [2, 5], output: [2, 5], parameters: [:]),
    ShapeCase(
      layer: BatchNorm(), input: [2, 4, 3, 3], output: [2, 4, 3, 3],
      parameters: [
        "batch_norm.weight": [4], "batch_norm.bias": [4], "batch_norm.running_mean": [4],
        "batch_norm.running_var": [4],
      ]),
    ShapeCase(layer: MaxPool(2), input: [2, 3, 5, 4], output: [2, 3, 2, 2], parameters: [:]),
    ShapeCase(
      layer: MaxPool(2, padding: .same), input: [2, 3, 5, 4], output: [2, 3, 3, 2],
      parameters: [:]),
    ShapeCase(
      layer: AveragePool(3, stride: 2, padding: .all(1)), input: [2, 3, 5, 4],
      output: [2, 3, 3, 2], parameters: [:]),
    ShapeCase(layer: GlobalAveragePool(), input: [2, 3, 5, 4], output: [2, 3], parameters: [:]),
    ShapeCase(layer: Flatten(), input: [2, 3, 5, 4], output: [2, 60], parameters: [:]),
    ShapeCase(layer: Dropout(0.5), input: [2, 3], output: [2, 3], parameters: [:]),
    ShapeCase(layer: Softmax(), input: [2, 3], output: [2, 3], parameters: [:]),
    ShapeCase(layer: Mish(), input: [2, 3], output: [2, 3], parameters: [:]),
    ShapeCase(
      layer: Scale(), input: [2, 3], output: [2, 3], parameters: ["scale.weight": [3]]),
    ShapeCase(
      layer: SubsampledShortcut(channels: 7, stride: 2), input: [2, 4, 5, 6],
      output: [2, 7, 3, 3], parameters: [:]),
  ]

  @Test(arguments: shapes)
  func `declares parameters for the input it meets`(_ shapeCase: ShapeCase) throws {
    let traced = try Traced(Sequential([shapeCase.layer]), shapeCase.input)
    #expect(traced.output.shape == shapeCase.output)
    #expect(
      Dictionary(uniqueKeysWithValues: traced.variables.map { ($0.name, $0.type.shape) })
        == shapeCase.parameters)
  }

  @Test func `a dense layer multiplies rows of its weight`() throws {
    let weight = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])
    let traced = try Traced(Dense(2, initializer: .values(weight)), [2, 3])
    #expect(try traced.run([1, 0, -1, 0, 2, 1]) == [-2, -2, 7, 16])
    let deep = try Traced(Dense(2, initializer: .values(weight)), [1, 2, 3])
    #expect(try deep.run([1, 0, -1, 0, 2, 1]) == [-2, -2, 7, 16])
  }

  @Test func `same padding puts the odd row at the end`() throws {
    let ones = Initializer.ones
    let traced = try Traced(
      Conv2D(1, kernel: 3, stride: 2, padding: .same, bias: false, initializer: ones),
      [1, 1, 4, 4])
    // Windows begin at rows 0 and 2, so only the last row and column hang over.
    #expect(try traced.run((0..<16).map(Double.init)) == [45, 39, 66, 50])
  }

  @Test func `a shortcut keeps every second pixel between channels of zeros`() throws {
    let traced = try Traced(SubsampledShortcut(channels: 4, stride: 2), [1, 1, 3, 3])
    let kept: [Double] = [0, 2, 6, 8]
    let zeros: [Double] = [0, 0, 0, 0]
    #expect(try traced.run((0..<9).map(Double.init)) == zeros + kept + zeros + zeros)
  }

  @Test func `a residual adds its shortcut, whose parameters are in a scope of their own`() throws {
    let double = Tensor([2, 0, 0, 2] as [Float], shape: [2, 2])
    let residual = Residual {
      Dense(2, initializer: .values(double))
    } shortcut: {
      Dense(2, bias: false, initializer: .values(double))
    }
    let traced = try Traced(residual, [1, 2])
    #expect(try traced.run([1, -3]) == [4, -12])
    #expect(
      traced.variables.map(\.name)
        == ["residual.dense.weight", "residual.dense.bias", "residual.shortcut.dense.weight"])
  }

  @Test(arguments: [true, false])
  func `a chain may branch and repeat, and repeated names get a suffix`(isDeep: Bool) throws {
    let chain = Sequential {
      Flatten()
      for units in [4, 3] {
        Dense(units, bias: false)
        ReLU()
      }
      if isDeep {
        Dense(2, bias: false)
      } else {
        Dense(1, bias: false, name: "single")
      }
    }
    let traced = try Traced(chain, [2, 6])
    #expect(
      traced.variables.map(\.name)
        == ["dense.weight", "dense_1.weight", isDeep ? "dense_2.weight" : "single.weight"])
    let named = try Traced(Sequential(chain.layers, name: "body"), [2, 6])
    #expect(named.variables[0].name == "body.dense.weight")
  }

  @Test func `a type's own name is the scope unless one is given`() {
    #expect(Mish().name == "mish")
    #expect(Scale(name: "gain").name == "gain")
    #expect(Sequential([]).name == nil)
  }

  @Test func `batch norm's statistics follow the batch in training only`() throws {
    let traced = try Traced(BatchNorm(momentum: 0.75), [4, 1])
    traced.builder.output("y", traced.output)
    let initial = traced.variables.map {
      ReferenceArray($0.initialValue(Philox(seed: 0, stream: 0)))
    }
    for mode in Graph.ExecutionMode.allCases {
      let builder = GraphBuilder()
      let symbols = try builder.replay(
        traced.builder.result, inputTypes: [ValueType([4, 1])], mode: mode)
      let graph = builder.result
      let values = try Interpreter(graph).run(
        inputs: [ReferenceArray([1, 3, 5, 7], ValueType([4, 1]))], variables: initial)
      let y = try #require(symbols[traced.output.id])
      if mode == .training {
        #expect(graph.updates.map { values[$0.value.index].reals } == [[1], [2]])
        #expect(abs(values[y.id.index].reals[3] - 3 / (5 + 1e-5).squareRoot()) < 1e-12)
      } else {
        #expect(graph.updates.isEmpty)
        #expect(abs(values[y.id.index].reals[3] - 7 / (1 + 1e-5).squareRoot()) < 1e-12)
      }
    }
  }

  @Test func `a rescaling is a factor and an offset`() throws {
    #expect(try Traced(Rescaling(0.25, offset: -1), [1, 3]).run([4, 0, -8]) == [0, -1, -3])
    #expect(try Traced(Rescaling(1.0 / 8), [1, 2]).run([4, -1]) == [0.5, -0.125])
  }

  @Test(arguments: [true, false])
  func `a batch norm without a scale or an offset is one with 1 or 0`(isScale: Bool) throws {
    func model(_ norm: BatchNorm) throws -> Model {
      try Model(input: [3, 4, 4]) {
        Conv2D(4, kernel: 3, padding: .same, bias: false)
        norm
        ReLU()
      }
    }
    let all = try model(BatchNorm())
    let some = try model(isScale ? BatchNorm(scale: false) : BatchNorm(bias: false))
    let batch = Tensor((0..<96).map { Float($0 % 11) - 5 }, shape: [2, 3, 4, 4])
    #expect(try some.predict(batch) == all.predict(batch))
    let gone = isScale ? "batch_norm.weight" : "batch_norm.bias"
    #expect(
      some.store.parameters.map(\.name) == all.store.parameters.map(\.name).filter { $0 != gone })
  }

  /// A layer, an input it can't take, and what it says.
  static let refusals = [
    LayerRefusal(
      layer: Dense(3), input: [2],
      message: "layer \"dense\" (Dense): expected an input [N, …, features], got [2]"),
    LayerRefusal(
      layer: Conv2D(3, kernel: 3), input: [2, 64],
      message: "layer \"conv2d\" (Conv2D): expected images [N, C, H, W], got [2, 64]; give the "
        + "model's input as [channels, height, width]"),
    LayerRefusal(
      layer: Conv2D(4, kernel: 1, groups: 2), input: [2, 3, 4, 4],
      message: "layer \"conv2d\" (Conv2D): expected input channels that 2 groups divide, got 3"),
    LayerRefusal(
      layer: BatchNorm(), input: [2],
      message:
        "layer \"batch_norm\" (BatchNormalization): expected an input [N, C, …], got [2]"),
    LayerRefusal(
      layer: Residual { Dense(1) }, input: [2, 3],
      message: "layer \"residual\" (Residual): expected a shortcut of the body's shape [2, 1], "
        + "got [2, 3]; give a shortcut that changes size and channels as the body does"),
    LayerRefusal(
      layer: SubsampledShortcut(channels: 2, stride: 2, name: "shortcut"), input: [2, 3, 4, 4],
      message:
        "layer \"shortcut\" (SubsampledShortcut): expected at most 2 channels, got 3"),
    LayerRefusal(
      layer: Dense(2, initializer: .values(Tensor([1, 2] as [Float]))), input: [2, 3],
      message: "layer \"dense\" (initial value of weight): expected float32 [2, 3], got "
        + "float32 [2]"),
  ]

  @Test(arguments: refusals)
  func `an input that doesn't fit is refused by name`(_ refusal: LayerRefusal) {
    do {
      _ = try Traced(Sequential([refusal.layer]), refusal.input)
      Issue.record("not refused")
    } catch {
      #expect("\(error)" == refusal.message)
    }
  }
}
