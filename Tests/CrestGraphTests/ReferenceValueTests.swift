import CrestGraph
import CrestTensor
import Testing

/// The reference of operations that PyTorch spells differently, and of special numbers.
@Suite struct ReferenceValueTests {
  private static func vector(_ elements: [Double]) -> ReferenceArray {
    ReferenceArray(elements, ValueType([elements.count], .float64))
  }

  private static let masks: [(Elementwise, [Double])] = [
    (Elementwise(.equal), [0.0, 1, 0, 0]), (Elementwise(.less), [1.0, 0, 0, 0]),
    (Elementwise(.greater), [0.0, 0, 1, 0]), (Elementwise(.reluMask), [1.0, 2, 0, .nan]),
  ]

  private static let slices: [(Slice, [Double])] = [
    (Slice(starts: [1], ends: [4], axes: [0], steps: [1]), [1.0, 2, 3]),
    (Slice(starts: [-3], ends: [-1], axes: [0], steps: [1]), [3.0, 4]),
    (Slice(starts: [-100], ends: [.max], axes: [0], steps: [2]), [0.0, 2, 4]),
    (Slice(starts: [.max], ends: [.min], axes: [0], steps: [-2]), [5.0, 3, 1]),
    (Slice(starts: [4], ends: [-100], axes: [0], steps: [-3]), [4.0, 1]),
    (Slice(starts: [-100], ends: [.min], axes: [0], steps: [-1]), [0.0]),
    (Slice(starts: [0], ends: [.max], axes: [0], steps: [.max]), [0.0]),
    (Slice(starts: [5], ends: [.min], axes: [0], steps: [.min]), [5.0]),
    (Slice(starts: [4], ends: [2], axes: [0], steps: [1]), []),
  ]

  private static let truncations: [(ElementType, [Int64])] = [
    (ElementType.int32, [2, -2, 0, 2_147_483_647, -2_147_483_648, 0]),
    (.int8, [2, -2, 0, 127, -128, 0]), (.uint8, [2, 0, 0, 255, 0, 0]),
    (.int64, [2, -2, 0, .max, .min, 0]), (.int16, [2, -2, 0, 32767, -32768, 0]),
    (.bool, [1, 1, 1, 1, 1, 1]),
  ]

  private static let specialNumbers: [(Elementwise, [Double])] = [
    (Elementwise(.relu), [0.0, 0, 0, 3, .infinity, .nan]),
    (Elementwise(.sign), [-1.0, 0, 0, 1, 1, .nan]),
    (Elementwise(.absolute), [.infinity, 0, 0, 3, .infinity, .nan]),
    (Elementwise(.sigmoid), [0.0, 0.5, 0.5, 0.9525741268224334, 1, .nan]),
    (Elementwise(.tanh), [-1.0, -0.0, 0, 0.99505475368673, 1, .nan]),
    (Elementwise(.negate), [.infinity, 0, -0.0, -3, -.infinity, .nan]),
    (Elementwise(.reciprocal), [-0.0, -.infinity, .infinity, 1.0 / 3, 0, .nan]),
    (Elementwise(.squareRoot), [.nan, -0.0, 0, 1.7320508075688772, .infinity, .nan]),
  ]

  private func run(_ operation: some GraphOperation, _ inputs: [ReferenceArray]) throws
    -> ReferenceArray
  {
    let types = try operation.outputTypes(for: inputs.map(\.type))
    let result = try operation.evaluate(inputs, random: RandomKey(seed: 5, step: 2))[0]
    #expect(result.type == types[0])
    return result
  }

  /// Whether all elements have the same bits, any NaN being like any other.
  private func isSame(_ left: [Double], _ right: [Double]) -> Bool {
    left.count == right.count
      && zip(left, right).allSatisfy { $0.isNaN && $1.isNaN || $0.bitPattern == $1.bitPattern }
  }

  @Test(arguments: Self.masks)
  func `masks are 1 or 0, and 0 for NaN`(
    operation: Elementwise, expected: [Double]
  ) throws {
    let a = Self.vector([1, 2, 3, .nan])
    let b = Self.vector([2, 2, -1, 1])
    #expect(isSame(try run(operation, [a, b]).reals, expected))
  }

  @Test(arguments: Self.slices)
  func `slices clamp and walk as ONNX says`(slice: Slice, expected: [Double]) throws {
    let x = Self.vector([0, 1, 2, 3, 4, 5])
    #expect(try run(slice, [x]).reals == expected)
    let gradient = SliceGradient(slice, inputShape: [6])
    let back = try run(gradient, [Self.vector(expected.map { $0 + 1 })]).reals
    #expect(back == x.reals.map { expected.contains($0) ? $0 + 1 : 0 })
  }

  @Test(arguments: Self.truncations)
  func `floats become whole numbers by truncation and saturation`(
    type: ElementType, expected: [Int64]
  ) throws {
    let x = Self.vector([2.9, -2.9, 0.5, 1e300, -.infinity, .nan])
    #expect(try run(Cast(to: type), [x]).integers == expected)
  }

  @Test func `whole numbers wrap into narrower types, and anything but 0 is true`() throws {
    let x = ReferenceArray(integers: [300, -129, 0], ValueType([3], .int64))
    #expect(try run(Cast(to: .int8), [x]).integers == [44, 127, 0])
    #expect(try run(Cast(to: .bool), [x]).integers == [1, 1, 0])
    #expect(try run(Cast(to: .float32), [x]).reals == [300, -129, 0])
  }

  @Test func `integers are padded, joined, cut and repeated, too`() throws {
    let x = ReferenceArray(integers: [1, 2, 3], ValueType([3], .int64))
    #expect(try run(Pad(before: [1], after: [-1], value: 7), [x]).integers == [7, 1, 2])
    #expect(try run(Concat(axis: 0), [x, x]).integers == [1, 2, 3, 1, 2, 3])
    #expect(
      try run(Slice(starts: [2], ends: [0], axes: [0], steps: [-1]), [x]).integers == [3, 2])
    #expect(try run(Expand([2, 3]), [x]).integers == [1, 2, 3, 1, 2, 3])
  }

  @Test func `elements move as the shape operations say`() throws {
    let x = ReferenceArray([1, 2, 3, 4, 5, 6], ValueType([2, 3], .float64))
    #expect(try run(Transpose([1, 0]), [x]).reals == [1, 4, 2, 5, 3, 6])
    #expect(try run(Reshape([-1, 2]), [x]).shape == [3, 2])
    #expect(try run(Reshape([0, 3]), [x]).shape == [2, 3])
    #expect(try run(Flatten(axis: 0), [x]).shape == [1, 6])
    #expect(try run(Flatten(axis: 2), [x]).shape == [6, 1])
    #expect(try run(Flatten(axis: -1), [x]).shape == [2, 3])
  }

  @Test func `dropout keeps what Philox draws at or above the rate, and scales it`() throws {
    let rate = 0.25
    let x = ReferenceArray((1...40).map(Double.init), ValueType([4, 10], .float64))
    let result = try run(Dropout(rate: rate, stream: 77), [x]).reals
    let random = Philox(seed: 5, stream: 77, step: 2)
    for (element, value) in x.reals.enumerated() {
      let isKept = random.uniform(UInt64(element)) >= 0.25
      #expect(result[element] == (isKept ? value / 0.75 : 0))
    }
    #expect(result.contains(0))
    #expect(result.filter { $0 > 0 }.count > 20)
  }

  @Test(arguments: Self.specialNumbers)
  func `special numbers pass elementwise operations as IEEE 754 has it`(
    operation: Elementwise, expected: [Double]
  ) throws {
    let x = Self.vector([-.infinity, -0.0, 0, 3, .infinity, .nan])
    let result = try run(operation, [x]).reals
    for (got, wanted) in zip(result, expected) {
      #expect(
        got.isNaN && wanted.isNaN || got == wanted || (got - wanted).magnitude < 1e-15,
        "\(result) for \(expected)")
    }
  }

  @Test func `NaN wins maximum and minimum`() throws {
    let a = Self.vector([.nan, 1, -.infinity])
    let b = Self.vector([1, .nan, .infinity])
    #expect(isSame(try run(Elementwise(.maximum), [a, b]).reals, [.nan, .nan, .infinity]))
    #expect(isSame(try run(Elementwise(.minimum), [a, b]).reals, [.nan, .nan, -.infinity]))
  }

  @Test func `a value that is not selected does not matter`() throws {
    let c = Self.vector([0, 1, -0.0, .nan])
    let result = try run(
      Elementwise(.select), [Self.vector([.nan, 1, .nan, 4]), Self.vector([5, .nan, 6, .nan]), c])
    #expect(result.reals == [5, 1, 6, 4])
  }

  @Test func `reductions of NaN and of nothing`() throws {
    let x = ReferenceArray([1, .nan, 2, 3], ValueType([2, 2], .float64))
    let nothing = ReferenceArray([], ValueType([0], .float64))
    let cases: [(any GraphOperation, [Double], Double)] = [
      (Reduce(.max, axes: [0], keepsDimensions: false), [2, .nan], -.infinity),
      (Reduce(.min, axes: [0], keepsDimensions: false), [1, .nan], .infinity),
      (Reduce(.sum, axes: [0], keepsDimensions: false), [3, .nan], 0),
      (Reduce(.mean, axes: [0], keepsDimensions: false), [1.5, .nan], .nan),
    ]
    for (operation, some, none) in cases {
      #expect(isSame(try run(operation, [x]).reals, some), "\(operation)")
      #expect(isSame(try run(operation, [nothing]).reals, [none]), "\(operation)")
    }
  }

  @Test func `max pooling lets NaN win, -∞ stand, and the first of equals take the gradient`()
    throws
  {
    let type = ValueType([1, 1, 6], .float64)
    let x = ReferenceArray([1, .nan, -.infinity, -.infinity, 0, -0.0], type)
    let pool = PoolAttributes(kernel: [2])
    let y = try run(MaxPool(pool), [x])
    #expect(isSame(y.reals, [.nan, -.infinity, 0]))
    let dy = ReferenceArray([1, 2, 3], ValueType([1, 1, 3], .float64))
    #expect(try run(MaxPoolGradient(pool), [x, dy]).reals == [0, 1, 2, 0, 3, 0])
  }

  @Test func `padding never wins a maximum`() throws {
    let x = ReferenceArray([-3, -2], ValueType([1, 1, 2], .float64))
    let pool = PoolAttributes(kernel: [2], strides: [1], padsBefore: [1], padsAfter: [1])
    #expect(try run(MaxPool(pool), [x]).reals == [-3, -2, -2])
  }

  @Test func `softmax survives large logits and passes NaN on`() throws {
    let rows = ReferenceArray(
      [1000, 1000, -.infinity, 0, .nan, 1, .infinity, 0], ValueType([4, 2], .float64))
    let expected = [0.5, 0.5, 0, 1, .nan, .nan, .nan, .nan]
    let result = try run(Softmax(axis: 1), [rows]).reals
    for (got, wanted) in zip(result, expected) {
      #expect(got.isNaN && wanted.isNaN || (got - wanted).magnitude < 1e-15)
    }
    let logits = ReferenceArray([1000, -1000], ValueType([1, 2], .float64))
    #expect(try run(Softmax(.log, axis: 1), [logits]).reals == [0, -2000])
    let label = ReferenceArray(integers: [1], ValueType([1], .int64))
    #expect(try run(CrossEntropyLabels(), [logits, label]).reals == [2000])
  }

  @Test func `numbers work as either operand`() throws {
    let builder = GraphBuilder()
    let x = builder.input("x", ValueType([2], .float64))
    let results = try [x + 1, 1 + x, x - 1, 1 - x, x * 3, 3 * x, x / 2, 2 / x, x.power(2)]
    let values = try Interpreter(builder.result).run(inputs: [Self.vector([4, -1])], variables: [])
    let expected: [[Double]] = [
      [5, 0], [5, 0], [3, -2], [-3, 2], [12, -3], [12, -3], [2, -0.5], [0.5, -2], [16, 1],
    ]
    #expect(results.map { values[$0.id.index].reals } == expected)
  }
}
