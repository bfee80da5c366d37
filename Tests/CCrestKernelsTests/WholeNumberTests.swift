import CCrestKernels
import Testing

struct WholeNumberTests {
  static let kernels = ["elementwise_whole", "reduce_whole", "cumulative_sum"]

  /// What a kernel's operation means.
  struct Operation: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let op: ck_whole_op
    let arity: Int
    let meaning: @Sendable (Int64, Int64, Int64) -> Int64

    init(
      _ name: String, _ op: ck_whole_op, _ arity: Int,
      _ meaning: @escaping @Sendable (Int64, Int64, Int64) -> Int64
    ) {
      (testDescription, self.op, self.arity, self.meaning) = (name, op, arity, meaning)
    }
  }

  static let operations: [Operation] = [
    Operation("add", CK_WHOLE_ADD, 2) { a, b, _ in a &+ b },
    Operation("subtract", CK_WHOLE_SUBTRACT, 2) { a, b, _ in a &- b },
    Operation("multiply", CK_WHOLE_MULTIPLY, 2) { a, b, _ in a &* b },
    Operation("divide", CK_WHOLE_DIVIDE, 2) { a, b, _ in
      b == 0 ? 0 : a.dividedReportingOverflow(by: b).partialValue
    },
    Operation("remainder", CK_WHOLE_REMAINDER, 2) { a, b, _ in
      let rest = b == 0 ? 0 : a.remainderReportingOverflow(dividingBy: b).partialValue
      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest
    },
    Operation("remainder of the dividend", CK_WHOLE_REMAINDER_OF_DIVIDEND, 2) { a, b, _ in
      b == 0 ? 0 : a.remainderReportingOverflow(dividingBy: b).partialValue
    },
    Operation("power", CK_WHOLE_POWER, 2) { a, b, _ in
      guard b >= 0 else { return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0 }
      var (result, square, rest): (Int64, Int64, Int64) = (1, a, b)
      while rest > 0 {
        if rest & 1 == 1 { result = result &* square }
        (square, rest) = (square &* square, rest >> 1)
      }
      return result
    },
    Operation("maximum", CK_WHOLE_MAXIMUM, 2) { a, b, _ in max(a, b) },
    Operation("minimum", CK_WHOLE_MINIMUM, 2) { a, b, _ in min(a, b) },
    Operation("negate", CK_WHOLE_NEGATE, 1) { a, _, _ in 0 &- a },
    Operation("absolute", CK_WHOLE_ABSOLUTE, 1) { a, _, _ in a < 0 ? 0 &- a : a },
    Operation("sign", CK_WHOLE_SIGN, 1) { a, _, _ in a.signum() },
    Operation("relu", CK_WHOLE_RELU, 1) { a, _, _ in max(a, 0) },
    Operation("equal", CK_WHOLE_EQUAL, 2) { a, b, _ in a == b ? 1 : 0 },
    Operation("less", CK_WHOLE_LESS, 2) { a, b, _ in a < b ? 1 : 0 },
    Operation("greater", CK_WHOLE_GREATER, 2) { a, b, _ in a > b ? 1 : 0 },
    Operation("select", CK_WHOLE_SELECT, 3) { a, b, c in c != 0 ? a : b },
    Operation("and", CK_WHOLE_AND, 2) { a, b, _ in a & b },
    Operation("or", CK_WHOLE_OR, 2) { a, b, _ in a | b },
    Operation("xor", CK_WHOLE_XOR, 2) { a, b, _ in a ^ b },
    Operation("not", CK_WHOLE_NOT, 1) { a, _, _ in 1 - (a & 1) },
  ]

  /// Sizes, and strides of three inputs over them.
  static let walks: [(sizes: [Int], strides: [[Int]])] = [
    ([0], [[1], [1], [1]]), ([1], [[0], [0], [0]]), ([257], [[1], [1], [1]]),
    ([70_000], [[1], [0], [1]]), ([40, 30], [[30, 1], [0, 1], [1, 0]]),
    ([3, 4, 5], [[1, 3, 12], [20, 5, 1], [0, 0, 0]]),
    ([2, 300], [[600, 2], [-300, -1], [300, 1]]),
  ]

  private func numbers<Element: FixedWidthInteger>(
    _ count: Int, _ random: inout SeededNumbers
  ) -> [Element] {
    let special: [Element] = [0, 1, 2, 3, .max, .min, .max - 1, 0 &- 1, 0 &- 2]
    return (0..<count).map { place in
      place % 3 == 0
        ? special[Int(random.next() % 9)] : Element(truncatingIfNeeded: random.next())
    }
  }

  private func check<Element: FixedWidthInteger>(
    _ operation: Operation, _ type: ck_type, _: Element.Type, bits: Bool = false,
    _ set: InstructionSet
  ) {
    var random = SeededNumbers(seed: 84)
    for (sizes, strides) in Self.walks {
      let count = sizes.reduce(1, *)
      let inputs = (0..<3).map { _ in
        (numbers(700_000 / max(1, 70_000 / max(count, 1)) + 700, &random) as [Element]).map {
          bits ? $0 & 1 : $0
        }
      }
      let origins = strides.map { own in
        zip(own, sizes).reduce(0) { $0 + max(0, -$1.0 * ($1.1 - 1)) }
      }
      var p = ck_whole()
      (p.type, p.op, p.rank) = (type, operation.op, sizes.count)
      withUnsafeMutableBytes(of: &p.sizes) { bytes in
        for (axis, size) in sizes.enumerated() { bytes.bindMemory(to: Int.self)[axis] = size }
      }
      withUnsafeMutableBytes(of: &p.strides) { bytes in
        for (input, own) in strides.enumerated() {
          for (axis, stride) in own.enumerated() {
            bytes.bindMemory(to: Int.self)[input * Int(CK_MAX_RANK) + axis] = stride
          }
        }
      }
      let expected = (0..<count).map { element -> Element in
        let operands = (0..<3).map { input -> Int64 in
          var (rest, place) = (element, origins[input])
          for axis in sizes.indices.reversed() {
            place += rest % sizes[axis] * strides[input][axis]
            rest /= sizes[axis]
          }
          return Int64(inputs[input][place])
        }
        return Element(
          truncatingIfNeeded: operation.meaning(operands[0], operands[1], operands[2]))
      }
      let buffers = inputs.map { values in
        let buffer = UnsafeMutableBufferPointer<Element>.allocate(capacity: values.count)
        _ = buffer.initialize(from: values)
        return buffer
      }
      defer { for buffer in buffers { buffer.deallocate() } }
      withUnsafeMutableBytes(of: &p.inputs) { bytes in
        for input in 0..<operation.arity {
          bytes.bindMemory(to: UnsafeRawPointer?.self)[input] =
            buffers[input].baseAddress.map { UnsafeRawPointer($0 + origins[input]) }
        }
      }
      for threads in [1, 3] {
        var y = [Element](repeating: 5, count: count + 1)
        set.kernels.elementwise_whole(Pool(threads: threads).pointer, &p, &y)
        #expect(y == expected + [5], "\(operation.testDescription), \(Element.self), \(sizes)")
      }
    }
  }

  @Test(arguments: operations, InstructionSet.available)
  func `operations on whole numbers wrap around to their type`(
    operation: Operation, set: InstructionSet
  ) {
    let isLogical = [CK_WHOLE_NOT, CK_WHOLE_AND, CK_WHOLE_OR, CK_WHOLE_XOR].contains(operation.op)
    let compares = [CK_WHOLE_EQUAL, CK_WHOLE_SELECT].contains(operation.op)
    if isLogical || compares { check(operation, CK_BOOL, UInt8.self, bits: true, set) }
    if isLogical { return }
    check(operation, CK_INT64, Int64.self, set)
    check(operation, CK_INT32, Int32.self, set)
    check(operation, CK_INT16, Int16.self, set)
    check(operation, CK_INT8, Int8.self, set)
    check(operation, CK_UINT8, UInt8.self, set)
  }

  static let folds: [(outer: Int, reduced: Int, inner: Int)] = [
    (3, 4, 1), (2, 5, 3), (0, 3, 2), (3, 0, 2), (1, 1000, 1), (4, 300, 70), (1, 1, 1),
  ]

  private func checkFolds<Element: FixedWidthInteger>(
    _ type: ck_type, _: Element.Type, _ set: InstructionSet
  ) {
    var random = SeededNumbers(seed: 85)
    for (outer, reduced, inner) in Self.folds {
      let x: [Element] = numbers(outer * reduced * inner, &random)
      let lines = (0..<outer * inner).map { result in
        (0..<reduced).map { Int64(x[(result / inner * reduced + $0) * inner + result % inner]) }
      }
      let meanings: [(ck_reduction, ([Int64]) -> Int64)] = [
        (CK_SUM, { $0.reduce(0, &+) }), (CK_PRODUCT, { $0.reduce(1, &*) }),
        (CK_MEAN, { $0.isEmpty ? 0 : $0.reduce(0, &+) / Int64($0.count) }),
        (CK_MAXIMUM, { $0.max() ?? Int64(Element.min) }),
        (CK_MINIMUM, { $0.min() ?? Int64(Element.max) }),
      ]
      for (reduction, meaning) in meanings {
        var y = [Element](repeating: 5, count: lines.count + 1)
        set.kernels.reduce_whole(
          Pool(threads: 2).pointer, type, reduction, outer, reduced, inner, x, &y)
        #expect(
          y == lines.map { Element(truncatingIfNeeded: meaning($0)) } + [5],
          "reduction \(reduction.rawValue) of \((outer, reduced, inner)), \(Element.self)")
      }
      for (exclusive, reversed) in [(false, false), (true, false), (false, true), (true, true)] {
        var expected = x
        for line in lines.indices {
          var sum: Element = 0
          for step in reversed ? (0..<reduced).reversed() : Array(0..<reduced) {
            let place = (line / inner * reduced + step) * inner + line % inner
            expected[place] = exclusive ? sum : sum &+ x[place]
            sum = sum &+ x[place]
          }
        }
        var y = x.map { _ in 5 as Element } + [5]
        set.kernels.cumulative_sum(
          Pool(threads: 2).pointer, type, outer, reduced, inner, exclusive, reversed, x, &y)
        #expect(
          y == expected + [5],
          "sums of \((outer, reduced, inner)), \(exclusive), \(reversed), \(Element.self)")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `whole numbers are folded, and summed along an axis`(set: InstructionSet) {
    checkFolds(CK_INT64, Int64.self, set)
    checkFolds(CK_INT32, Int32.self, set)
    checkFolds(CK_INT16, Int16.self, set)
    checkFolds(CK_INT8, Int8.self, set)
    checkFolds(CK_UINT8, UInt8.self, set)
  }

  @Test(arguments: InstructionSet.available)
  func `running sums of floats are those of double precision, on any number of threads`(
    set: InstructionSet
  ) {
    var random = SeededNumbers(seed: 86)
    for (outer, length, inner) in Self.folds + [(3, 20_000, 1), (40, 90, 130)] {
      let plain = random.floats(outer * length * inner)
      for x in [plain, random.placing(specialFloats, in: plain)] {
        for (exclusive, reversed) in [(false, false), (true, true)] {
          var expected = x
          for line in 0..<outer * inner {
            var sum = 0.0
            for step in reversed ? (0..<length).reversed() : Array(0..<length) {
              let place = (line / inner * length + step) * inner + line % inner
              expected[place] = Float(exclusive ? sum : sum + Double(x[place]))
              sum += Double(x[place])
            }
          }
          for threads in threadCounts {
            var y = [Float](repeating: 5, count: x.count)
            set.kernels.cumulative_sum(
              Pool(threads: threads).pointer, CK_FLOAT32, outer, length, inner, exclusive,
              reversed, x, &y)
            let isSame = zip(y, expected).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
            #expect(isSame, "\((outer, length, inner)), \(threads) threads")
          }
        }
      }
    }
  }
}
