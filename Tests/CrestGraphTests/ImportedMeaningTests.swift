import CrestGraph
import CrestTensor
import Testing

/// What imported graphs need, at the edges of its meaning.
@Suite struct ImportedMeaningTests {
  private static let special: [Double] = [-.infinity, -1, -0.0, 0, 2, .infinity, .nan]

  /// Runs a trace over one input.
  private static func run(
    _ x: ReferenceArray, _ trace: (Symbol) throws -> Symbol
  ) throws -> ReferenceArray {
    let builder = GraphBuilder()
    let output = try trace(builder.input("x", x.type))
    return try Interpreter(builder.result).run(inputs: [x], variables: [])[output.id.index]
  }

  private static func vector(_ elements: [Double]) -> ReferenceArray {
    ReferenceArray(elements, ValueType([elements.count], .float64))
  }

  private static func integers(
    _ elements: [Int64], _ type: ElementType = .int64
  ) -> ReferenceArray {
    ReferenceArray(integers: elements, ValueType([elements.count], type))
  }

  typealias Unary = @Sendable (Symbol) throws -> Symbol

  private static let activations: [(String, Unary, [Double])] = [
    (
      "leakyRelu", { try $0.leakyRelu(slope: 0.5) },
      [-.infinity, -0.5, -0.0, 0, 2, .infinity, .nan]
    ),
    ("elu", { try $0.elu() }, [-1, -0.6321205588285577, 0, 0, 2, .infinity, .nan]),
    ("celu", { try $0.celu(alpha: 2) }, [-2, -0.7869386805747332, 0, 0, 2, .infinity, .nan]),
    ("thresholdedRelu", { try $0.thresholdedRelu() }, [0, 0, 0, 0, 2, .infinity, 0]),
    ("hardSigmoid", { try $0.hardSigmoid() }, [0, 0.3, 0.5, 0.5, 0.9, 1, .nan]),
    ("clipped", { try $0.clipped(minimum: -0.5, maximum: 1) }, [-0.5, -0.5, 0, 0, 1, 1, .nan]),
    (
      "crossed bounds", { try $0.clipped(minimum: 1, maximum: -1) }, [-1, -1, -1, -1, -1, -1, .nan]
    ),
    ("erf", { try $0.erf() }, [-1, -0.8427007929497149, -0.0, 0, 0.9953222650189527, 1, .nan]),
    (
      "mish", { try $0.mish() },
      [.nan, -0.30340146137410895, 0, 0, 1.9439589595339946, .infinity, .nan]
    ),
  ]

  @Test(arguments: activations.map(\.0))
  func `special numbers pass activations as their formulas say`(name: String) throws {
    let (_, trace, expected) = try #require(Self.activations.first { $0.0 == name })
    let result = try Self.run(Self.vector(Self.special), trace).reals
    for (got, wanted) in zip(result, expected) {
      #expect(
        got.isNaN && wanted.isNaN || got == wanted || (got - wanted).magnitude < 1e-15,
        "\(result) for \(expected)")
    }
  }

  @Test(arguments: activations.map(\.0).filter { $0 != "mish" && $0 != "erf" })
  func `no activation's gradient is NaN where its value is finite or infinite`(
    name: String
  ) throws {
    let (_, trace, _) = try #require(Self.activations.first { $0.0 == name })
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([4], .float64))
    let dx = try #require(
      try builder.gradients(of: trace(x).sum(), withRespectTo: [x])[0])
    let values = Self.vector([-.infinity, -800, 800, .infinity])
    let results = try Interpreter(builder.result).run(inputs: [values], variables: [])
    let gradient = results[dx.id.index].reals
    #expect(!gradient.contains { !$0.isFinite }, "\(gradient)")
  }

  private static let comparisons: [(String, @Sendable (Symbol, Symbol) throws -> Symbol, [Int64])] =
    [
      ("Equal", { try $0.equal(to: $1) }, [0, 1, 0, 0]),
      ("Less", { try $0.less(than: $1) }, [1, 0, 0, 0]),
      ("LessOrEqual", { try $0.lessOrEqual(to: $1) }, [1, 1, 0, 0]),
      ("Greater", { try $0.greater(than: $1) }, [0, 0, 1, 0]),
      ("GreaterOrEqual", { try $0.greaterOrEqual(to: $1) }, [0, 1, 1, 0]),
    ]

  @Test(arguments: comparisons.map(\.0))
  func `comparisons give booleans, false for NaN, and integers compare too`(name: String) throws {
    let (_, compare, expected) = try #require(Self.comparisons.first { $0.0 == name })
    let reals = try Self.run(Self.vector([1, 2, 3, .nan])) { x in
      try compare(x, x.builder.constant(Tensor([2, 2, 2, .nan] as [Double])))
    }
    #expect(reals.type.elementType == .bool)
    #expect(reals.integers == expected)
    let bytes = try Self.run(Self.integers([1, 2, 255, 3], .uint8)) { x in
      try compare(x, x.builder.constant(Tensor([2, 2, 2, 200] as [UInt8])))
    }
    #expect(bytes.integers.prefix(3) == expected.prefix(3))
  }

  @Test func `NaN is told from numbers`() throws {
    let result = try Self.run(Self.vector([.nan, .infinity, 0])) { try $0.isNaN() }
    #expect(result.integers == [1, 0, 0])
  }

  private static let whole: [(String, any GraphOperation, [Int64], [Int64], [Int64])] = [
    (
      "division truncates toward zero", Elementwise(.divide), [7, -7, 7, -7, 5], [2, 2, -2, -2, 0],
      [3, -3, -3, 3, 0]
    ),
    ("the least number wraps", Elementwise(.divide), [.min], [-1], [.min]),
    ("sums wrap", Elementwise(.add), [.max], [1], [.min]),
    ("differences wrap", Elementwise(.subtract), [.min], [1], [.max]),
    ("products wrap", Elementwise(.multiply), [1 << 62], [4], [0]),
    (
      "powers wrap, and negative ones truncate", Elementwise(.power), [3, -2, 2, 5, 1, -1, 0],
      [4, 3, 64, -1, -7, -7, 0],
      [81, -8, 0, 0, 1, -1, 1]
    ),
    (
      "remainders have the divisor's sign", Mod(), [7, -7, 7, -7, 5, .min], [3, 3, -3, -3, 0, -1],
      [1, 2, -2, -1, 0, 0]
    ),
    (
      "remainders have the dividend's sign", Mod(followsDividend: true), [7, -7, 7, -7, 6],
      [3, 3, -3, -3, 3], [1, -1, 1, -1, 0]
    ),
    ("the larger, exactly", Elementwise(.maximum), [1 << 53 | 1], [1 << 53], [1 << 53 | 1]),
    ("the smaller, exactly", Elementwise(.minimum), [1 << 53 | 1], [1 << 53], [1 << 53]),
  ]

  @Test(arguments: whole.map(\.0))
  func `whole numbers are computed exactly or wrap around`(name: String) throws {
    let (_, operation, left, right, expected) = try #require(Self.whole.first { $0.0 == name })
    let result = try operation.evaluate(
      [Self.integers(left), Self.integers(right)], random: RandomKey(seed: 0, step: 0))
    #expect(result[0].integers == expected)
  }

  @Test func `narrow whole numbers wrap to their type`() throws {
    let bytes = Self.integers([200, 3], .uint8)
    #expect(try Self.run(bytes) { try $0 + $0 }.integers == [144, 6])
    #expect(try Self.run(bytes) { try -$0 }.integers == [56, 253])
    #expect(try Self.run(Self.integers([-128], .int8)) { try $0.absolute() }.integers == [-128])
  }

  @Test func `a boolean condition selects, whatever the type`() throws {
    let condition = Tensor([true, false])
    func chosen(_ x: ReferenceArray, _ other: Tensor) throws -> ReferenceArray {
      try Self.run(x) { x in
        let builder = x.builder
        return try x.selected(where: builder.constant(condition), else: builder.constant(other))
      }
    }
    #expect(try chosen(Self.vector([1, .nan]), Tensor([.nan, 4] as [Double])).reals == [1, 4])
    let large: Int64 = 1 << 53 | 1
    #expect(try chosen(Self.integers([large, 0]), Tensor([0, large])).integers == [large, large])
    #expect(try chosen(Self.integers([0, 1], .bool), Tensor([true, false])).integers == [0, 0])
  }

  @Test func `whole numbers are clipped exactly`() throws {
    let result = try Self.run(Self.integers([.min, 3, .max])) { x in
      let builder = x.builder
      return try x.clipped(
        minimum: builder.constant(Tensor(scalar: -5 as Int64)),
        maximum: builder.constant(Tensor(scalar: Int64.max - 1)))
    }
    #expect(result.integers == [-5, 3, .max - 1])
  }

  private static let ranges: [(Int64, Int64, Int64, [Int64])] = [
    (0, 5, 2, [0, 2, 4]), (5, 0, -2, [5, 3, 1]), (3, 3, 1, []), (0, 3, -1, []),
    (-1, 1, 1, [-1, 0]),
    (.max - 2, .max, 1, [.max - 2, .max - 1]), (.max, .min, .min, [.max, -1]),
  ]

  @Test(arguments: ranges)
  func `ranges stop before the limit`(
    start: Int64, limit: Int64, step: Int64, expected: [Int64]
  ) throws {
    let builder = GraphBuilder()
    let range = try builder.range(
      from: Tensor(scalar: start), to: Tensor(scalar: limit), by: Tensor(scalar: step))
    let results = try Interpreter(builder.result).run(inputs: [], variables: [])
    #expect(results[range.id.index].integers == expected)
  }

  @Test func `ranges of floats start, step and stop as ONNX says`() throws {
    let builder = GraphBuilder()
    let range = try builder.range(
      from: Tensor(scalar: 1 as Float), to: Tensor(scalar: 2.1 as Float),
      by: Tensor(scalar: 0.5 as Float))
    let results = try Interpreter(builder.result).run(inputs: [], variables: [])
    #expect(results[range.id.index].reals == [1, 1.5, 2])
  }

  private static let shapes: [(Int, Int?, [Int64])] = [
    (0, nil, [2, 3, 4]), (1, nil, [3, 4]), (-1, nil, [4]), (0, -1, [2, 3]), (1, 2, [3]),
    (-10, 1, [2]), (0, 10, [2, 3, 4]), (2, 1, []),
  ]

  @Test(arguments: shapes)
  func `a shape as a value is cut as ONNX says`(
    start: Int, end: Int?, expected: [Int64]
  ) throws {
    let x = ReferenceArray([Double](repeating: 0, count: 24), ValueType([2, 3, 4], .float64))
    #expect(try Self.run(x) { $0.shapeVector(start: start, end: end) }.integers == expected)
    #expect(try Self.run(x) { $0.elementCountScalar() }.integers == [24])
  }

  @Test func `a filled value takes no memory while it is traced`() throws {
    let builder = GraphBuilder()
    let filled = try builder.filled([1 << 20, 1 << 20, 1 << 20], with: Tensor([7 as Int32]))
    #expect(filled.type == ValueType([1 << 20, 1 << 20, 1 << 20], .int32))
    let small = try builder.filled([2])
    #expect(small.type == ValueType([2], .float32))
  }

  @Test func `triangles keep what lies on their side of the diagonal, NaN or not`() throws {
    let x = ReferenceArray([.nan, 2, 3, 4, .nan, 6], ValueType([2, 3], .float64))
    let upper = try Self.run(x) { try $0.triangle(diagonal: 1) }.reals
    #expect(upper == [0, 2, 3, 0, 0, 6])
    let lower = try Self.run(x) { try $0.triangle(isUpper: false, diagonal: -1) }.reals
    #expect(lower == [0, 0, 0, 4, 0, 0])
    for (diagonal, keeps) in [(-5, true), (.min, true), (5, false), (.max, false)] {
      let whole = ReferenceArray(integers: [1, 1, 0, 1], ValueType([2, 2], .bool))
      let result = try Self.run(whole) { try $0.triangle(diagonal: diagonal) }
      #expect(result.integers == (keeps ? [1, 1, 0, 1] : [0, 0, 0, 0]))
    }
  }

  @Test func `the last part of a split may be smaller`() throws {
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([7, 2]))
    let (rows, columns) = (try x.split(count: 3), try x.split(count: 2, axis: -1))
    #expect(rows.map(\.shape) == [[3, 2], [3, 2], [1, 2]])
    #expect(columns.map(\.shape) == [[7, 1], [7, 1]])
  }

  @Test func `NaN is the largest and the smallest, and the first of equals unless told`() throws {
    let x = ReferenceArray([1, 3, 3, 0, .nan, 5, .nan, 9], ValueType([2, 4], .float64))
    #expect(try Self.run(x) { try $0.argMax(axis: 1) }.integers == [1, 0])
    #expect(try Self.run(x) { try $0.argMax(axis: 1, takingLast: true) }.integers == [2, 2])
    #expect(try Self.run(x) { try $0.argMin(axis: 1) }.integers == [3, 0])
  }

  @Test func `the places of maxima count the whole input, by rows or by columns`() throws {
    let x = ReferenceArray((1...50).map(Double.init), ValueType([1, 2, 5, 5], .float64))
    let pool = PoolAttributes(kernel: [2, 2], strides: [2, 2])
    #expect(
      try Self.run(x) { try $0.maxPoolIndices(pool) }.integers == [6, 8, 16, 18, 31, 33, 41, 43])
    #expect(
      try Self.run(x) { try $0.maxPoolIndices(pool, isColumnMajor: true) }.integers
        == [6, 16, 8, 18, 31, 41, 33, 43])
  }

  @Test func `running sums may leave the element out and run from the end`() throws {
    let x = Self.integers([1, 2, 3])
    #expect(try Self.run(x) { try $0.cumulativeSum(axis: 0) }.integers == [1, 3, 6])
    #expect(
      try Self.run(x) { try $0.cumulativeSum(axis: 0, isExclusive: true) }.integers == [0, 1, 3])
    #expect(
      try Self.run(x) { try $0.cumulativeSum(axis: 0, isExclusive: true, isReversed: true) }
        .integers == [5, 3, 0])
  }

  @Test func `a dropout's mask tells what it keeps, and all in inference`() throws {
    let template = GraphBuilder()
    let (y, mask) = try template.input("x", ValueType([40], .float64)).dropoutWithMask(0.5)
    template.output("y", y)
    template.output("mask", mask)
    let x = Self.vector([Double](repeating: 1, count: 40))
    for mode in Graph.ExecutionMode.allCases {
      let builder = GraphBuilder()
      try builder.replay(template.result, inputTypes: [x.type], mode: mode)
      let results = try Interpreter(builder.result).run(inputs: [x], variables: [])
      let outputs = builder.result.outputs.map { results[$0.value.index] }
      #expect(outputs[0].reals.map { $0 == 0 ? 0 : 1 } == outputs[1].integers)
      #expect(outputs[1].integers.contains(0) == (mode == .training))
    }
  }

  private static let batchTemplates: [(String, Unary)] = [
    ("layer norm", { try $0.layerNormalized(scale: $0.scalar(2), axis: 1) }),
    (
      "group norm",
      { x in
        let each = x.builder.constant(Tensor([1, 2, 3, 4] as [Double]))
        return try x.groupNormalized(groups: 2, scale: each, bias: each)
      }
    ),
    ("squeeze and unsqueeze", { try $0.unsqueezed(axes: [1]).squeezed(axes: [1]) }),
    ("tile", { try $0.tiled([1, 2, 1]) }),
    (
      "transposed convolution",
      { x in
        let filter = x.builder.constant(Tensor([1, 2, 3, 4, 5, 6, 7, 8], shape: [4, 1, 2]))
        return try x.convTransposed(
          filter,
          ConvAttributes(
            strides: [2], dilations: [1],
            padsBefore: [0], padsAfter: [0]))
      }
    ),
    (
      "LSTM",
      { x in
        let builder = x.builder
        func weight(_ shape: Shape) -> Symbol {
          let count = shape.elementCount
          return builder.constant(
            Tensor((0..<count).map { Double($0 % 7) / 7 - 0.4 }, shape: shape))
        }
        return try x.lstm(
          Symbol.RecurrentInputs(weight: weight([2, 8, 3]), recurrentWeight: weight([2, 8, 2])),
          Symbol.RecurrentAttributes(direction: .bidirectional, isBatchFirst: true)
        ).steps
      }
    ),
  ]

  @Test(arguments: batchTemplates.map(\.0))
  func `a template of batch 2 gives at batch 3 what each example gives alone`(
    name: String
  ) throws {
    let (_, trace) = try #require(Self.batchTemplates.first { $0.0 == name })
    let template = GraphBuilder()
    template.output("y", try trace(template.input("x", ValueType([2, 4, 3], .float64))))
    func results(_ elements: [Double]) throws -> [Double] {
      let type = ValueType([elements.count / 12, 4, 3], .float64)
      let builder = GraphBuilder()
      try builder.replay(template.result, inputTypes: [type], mode: .training)
      let values = try Interpreter(builder.result).run(
        inputs: [ReferenceArray(elements, type)], variables: [])
      return values[builder.result.outputs[0].value.index].reals
    }
    let x = (0..<36).map { Double($0 * 7 % 11) / 5 - 1 }
    let alone = try (0..<3).flatMap { try results(Array(x[$0 * 12..<($0 + 1) * 12])) }
    let together = try results(x)
    #expect(together == alone)
  }

  private static let borders: [(Symbol.BorderMode, Int, Int, [Double])] = [
    (.reflect, 2, 1, [3, 2, 1, 2, 3, 2]), (.edge, 2, 1, [1, 1, 1, 2, 3, 3]),
    (.wrap, 2, 1, [2, 3, 1, 2, 3, 1]), (.reflect, 5, 0, [2, 1, 2, 3, 2, 1, 2, 3]),
    (.wrap, -1, 2, [2, 3, 1, 2]), (.edge, 1, -2, [1, 1]), (.reflect, 0, 0, [1, 2, 3]),
  ]

  @Test(arguments: borders)
  func `borders mirror, stretch or repeat the value`(
    mode: Symbol.BorderMode, before: Int, after: Int, expected: [Double]
  ) throws {
    let x = Self.vector([1, 2, 3])
    let result = try Self.run(x) { try $0.padded(before: [before], after: [after], mode: mode) }
    #expect(result.reals == expected)
    let one = try Self.run(Self.vector([5])) {
      try $0.padded(before: [2], after: [1], mode: mode)
    }
    #expect(one.reals == [5, 5, 5, 5])
  }

  @Test func `an index becomes a vector, from the end when negative, off when out of range`() throws
  {
    let result = try Self.run(Self.integers([1, -1, 3, -4], .int8)) { x in
      let builder = x.builder
      return try x.oneHot(
        depth: 3, axis: 0, on: builder.constant(Tensor(scalar: Float(5))),
        off: builder.constant(Tensor(scalar: Float(2))))
    }
    #expect(result.type == ValueType([3, 4], .float32))
    #expect(result.reals == [2, 2, 2, 2, 5, 2, 2, 2, 2, 5, 2, 2])
  }

  private static let autoPads: [(AutoPadding, [Int], [Int], [Int], [Int], [Int], [Int])] = [
    (.sameUpper, [5, 6], [3, 3], [2, 2], [1, 1], [1, 0], [1, 1]),
    (.sameLower, [5, 6], [3, 3], [2, 2], [1, 1], [1, 1], [1, 0]),
    (.valid, [5, 6], [3, 3], [2, 2], [1, 1], [0, 0], [0, 0]),
    (.sameUpper, [4], [2], [1], [3], [1], [2]), (.sameUpper, [4], [1], [3], [1], [0], [0]),
    (.sameLower, [0], [3], [1], [1], [0], [0]),
  ]

  @Test(arguments: autoPads)
  func `pads follow from size, kernel, stride and dilation`(
    padding: AutoPadding, input: [Int], kernel: [Int], strides: [Int], dilations: [Int],
    before: [Int], after: [Int]
  ) throws {
    let pads = try padding.pads(
      input: input, kernel: kernel, strides: strides, dilations: dilations)
    #expect(pads.before == before)
    #expect(pads.after == after)
  }

  @Test func `pads that can't follow are refused`() {
    let expected = OperationError(
      expected: "strides of at least 1, one for each of the spatial sizes [4]", got: "[0]")
    #expect(throws: expected) {
      try AutoPadding.valid.pads(input: [4], kernel: [2], strides: [0], dilations: [1])
    }
    let far = OperationError(
      expected: "a kernel whose extent fits in 64 bits",
      got: "kernel sizes [3], dilations [\(Int.max)]")
    #expect(throws: far) {
      try AutoPadding.sameUpper.pads(input: [4], kernel: [3], strides: [1], dilations: [.max])
    }
  }

  @Test func `of two values with one name the diagonal counts, and what no term keeps is summed`()
    throws
  {
    let x = ReferenceArray([1, 2, 3, 4], ValueType([2, 2], .float64))
    func einsum(_ equation: String) throws -> [Double] {
      let count = equation.count { $0 == "," } + 1
      return try Self.run(x) { x in
        try x.builder.einsum(equation, [Symbol](repeating: x, count: count))
      }.reals
    }
    #expect(try einsum("ii->i") == [1, 4])
    #expect(try einsum("ii") == [5])
    #expect(try einsum("ij->") == [10])
    #expect(try einsum("ba") == [1, 3, 2, 4])
    #expect(try einsum("ij, jk -> ik") == [7, 10, 15, 22])
    #expect(try einsum("ij,jk,kl->il") == [37, 54, 81, 118])
    #expect(try einsum("i...,i...->...") == [10, 20])
    #expect(try einsum("ij,ij->ij") == [1, 4, 9, 16])
    #expect(try einsum("ij,kl->") == [100])
  }

  @Test func `of equals the first ranks, and NaN is the largest`() throws {
    let x = Self.vector([2, .nan, 5, 2, 5])
    #expect(try Self.run(x) { try $0.topK(5).indices }.integers == [1, 2, 4, 0, 3])
    #expect(
      try Self.run(x) { try $0.topK(5, takingLargest: false).indices }.integers
        == [0, 3, 2, 4, 1])
    #expect(try Self.run(x) { try $0.topK(2, takingLargest: false).values }.reals == [2, 2])
  }

  private static let joins: [(ScatterReduction, [Double])] = [
    (.none, [1, 20, 3]), (.add, [1, 32, 3]), (.mul, [1, 400, 3]), (.max, [1, 20, 3]),
    (.min, [1, 2, 3]),
  ]

  @Test(arguments: joins)
  func `updates of one place join in order`(reduction: ScatterReduction, expected: [Double]) throws
  {
    let x = Self.vector([1, 2, 3])
    let elements = try Self.run(x) { x in
      let builder = x.builder
      return try x.scatteringElements(
        builder.constant(Tensor([10, 20] as [Double])),
        at: builder.constant(Tensor([1, -2] as [Int64])), reduction: reduction)
    }
    #expect(elements.reals == expected)
    let parts = try Self.run(x) { x in
      let builder = x.builder
      return try x.scatteringParts(
        builder.constant(Tensor([10, 20] as [Double])),
        at: builder.constant(Tensor([1, -2] as [Int64], shape: [2, 1])), reduction: reduction)
    }
    #expect(parts.reals == expected)
  }

  @Test func `whole numbers fold within their type`() throws {
    let bytes = ReferenceArray(integers: [200, 100, 3, 7], ValueType([2, 2], .uint8))
    #expect(try Self.run(bytes) { try $0.sum(axes: [1]) }.integers == [44, 10])
    #expect(try Self.run(bytes) { try $0.product(axes: [1]) }.integers == [32, 21])
    #expect(try Self.run(bytes) { try $0.mean(axes: [1]) }.integers == [150, 5])
    let nothing = ReferenceArray(integers: [], ValueType([0, 1], .int8))
    #expect(try Self.run(nothing) { try $0.max(axes: [0]) }.integers == [-128])
    #expect(try Self.run(nothing) { try $0.min(axes: [0]) }.integers == [127])
    #expect(try Self.run(nothing) { try $0.mean(axes: [0]) }.integers == [0])
  }

  @Test func `logarithms of sums of exponentials stand infinities and large numbers`() throws {
    let x = ReferenceArray(
      [1000, 1000, -.infinity, -.infinity, .infinity, 0, .nan, 0], ValueType([4, 2], .float64))
    let result = try Self.run(x) { try $0.logSumExp(axes: [1]) }.reals
    #expect(result[0] == 1000 + 0.6931471805599453)
    #expect(result[1...2] == [-.infinity, .infinity])
    #expect(result[3].isNaN)
    let nothing = ReferenceArray([], ValueType([1, 0], .float64))
    #expect(try Self.run(nothing) { try $0.logSumExp(axes: [1]) }.reals == [-.infinity])
  }
}
