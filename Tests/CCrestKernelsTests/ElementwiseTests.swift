import CCrestKernels
import Foundation
import Testing

struct ElementwiseTests {
  static let kernels = ["elementwise_f32"]

  static let sizes = [0, 1, 3, 4, 5, 8, 15, 16, 17, 33, 1023, 1024, 1025, 2500, 70_000]

  /// Operations whose result is the exact one rounded once.
  static let exactOperations: [ck_op] = [
    CK_ADD, CK_SUB, CK_MUL, CK_DIV, CK_MAX, CK_MIN, CK_NEG, CK_SQRT, CK_RECIPROCAL, CK_ABS,
    CK_SIGN, CK_FLOOR, CK_CEIL, CK_ROUND, CK_REMAINDER, CK_RELU, CK_EQUAL, CK_LESS, CK_GREATER,
    CK_RELU_MASK, CK_SELECT,
  ]

  private func expectSame(
    _ actual: [Float], _ expected: [Float], _ context: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard actual.count == expected.count else {
      Issue.record(
        "\(context): \(actual.count) elements, not \(expected.count)",
        sourceLocation: sourceLocation)
      return
    }
    let differing = actual.indices.first { index in
      let (a, b) = (actual[index], expected[index])
      return a.isNaN || b.isNaN ? a.isNaN != b.isNaN : a != b
    }
    guard let index = differing else { return }
    Issue.record(
      "\(context): element \(index) is \(actual[index]), expected \(expected[index])",
      sourceLocation: sourceLocation)
  }

  @Test(arguments: InstructionSet.available)
  func `exact operations round once and treat special values as defined`(set: InstructionSet) {
    var numbers = SeededNumbers(seed: 11)
    // Every pair of special values, then random ones.
    let specials =
      specialFloats + [1, -1, .leastNonzeroMagnitude, -3e38, 0.5, -0.5, 1.5, -2.5, 2.7, -2.2]
      + [8_388_607.5, -8_388_607.5, 8_388_609, 4_194_303.5, 0.49999997, -0.49999997]
    let pairs = specials.flatMap { a in specials.map { (a, $0) } }
    let count = pairs.count + 40
    for op in Self.exactOperations {
      var program = ElementwiseProgram(sizes: [count])
      program.addInput(pairs.map(\.0) + numbers.floats(40))
      program.addInput(pairs.map(\.1) + numbers.floats(40))
      program.addInput(numbers.placing(specials, in: numbers.floats(count)))
      program.add(op, 0, 1, 2)
      let context = "operation \(op.rawValue)"
      let results = program.run(set, Pool())
      expectSame(results, program.reference(), context)
      if [CK_SIGN, CK_NEG, CK_ABS, CK_FLOOR, CK_CEIL, CK_ROUND].contains(op) {
        let signs = program.reference().map(\.sign)
        for (index, sign) in signs.enumerated() where !results[index].isNaN {
          #expect(results[index].sign == sign, "\(context): sign of element \(index)")
        }
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `powers are those of libm, constant exponents included`(set: InstructionSet) {
    var numbers = SeededNumbers(seed: 12)
    let bases = specialFloats + [1, -1, 2, -2, 0.25] + numbers.floats(60, in: 0..<9)
    for exponent: Float in [2, -1, 0.5, 3, 0, -2, 1.5] {
      for isConstant in [true, false] {
        var program = ElementwiseProgram(sizes: [bases.count])
        program.addInput(bases)
        program.addInput([exponent], strides: [0])
        if isConstant { program.add(CK_CONSTANT, constant: exponent) }
        program.add(CK_POW, 0, isConstant ? 2 : 1)
        let results = program.run(set, Pool())
        for (base, result) in zip(bases, results) {
          let exact = pow(Double(base), Double(exponent))
          #expect(unitsInLastPlace(result, exact) <= 1, "\(base)^\(exponent) = \(result)")
          if exact == 0 { #expect(result.sign == exact.sign, "\(base)^\(exponent)") }
        }
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `every size around registers and blocks is right, in place too`(set: InstructionSet) {
    var numbers = SeededNumbers(seed: 13)
    for size in Self.sizes {
      var program = ElementwiseProgram(sizes: [size])
      program.addInput(numbers.placing(specialFloats, in: numbers.floats(size)))
      program.addInput(numbers.floats(size))
      program.add(CK_ADD, 0, 1)
      program.add(CK_RELU, 2)
      let expected = program.reference()
      expectSame(program.run(set, Pool(threads: 2)), expected, "size \(size)")
      expectSame(program.run(set, Pool(threads: 2), inPlace: 0), expected, "in place, \(size)")
    }
  }

  struct Broadcast: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let sizes: [Int]
    /// Strides and origin of the second input; the first is dense.
    let strides: [Int]
    var origin = 0
  }

  static let broadcasts = [
    Broadcast(testDescription: "a scalar", sizes: [7, 300], strides: [0, 0]),
    Broadcast(testDescription: "a row", sizes: [50, 33], strides: [0, 1]),
    Broadcast(testDescription: "a short row", sizes: [4000, 3], strides: [0, 1]),
    Broadcast(testDescription: "a long row", sizes: [5, 3000], strides: [0, 1]),
    Broadcast(testDescription: "a column", sizes: [40, 50], strides: [1, 0]),
    Broadcast(testDescription: "a column of long rows", sizes: [3, 4000], strides: [1, 0]),
    Broadcast(testDescription: "channels of NCHW", sizes: [4, 6, 20, 20], strides: [0, 1, 0, 0]),
    Broadcast(testDescription: "channels-last", sizes: [4, 20, 20, 6], strides: [0, 0, 0, 1]),
    Broadcast(testDescription: "images' gains", sizes: [4, 6, 20, 20], strides: [1, 0, 0, 0]),
    Broadcast(testDescription: "a transpose", sizes: [60, 70], strides: [1, 60]),
    Broadcast(testDescription: "a slice", sizes: [30, 40], strides: [90, 2]),
    Broadcast(testDescription: "backwards", sizes: [30, 40], strides: [-40, -1], origin: 1199),
    Broadcast(testDescription: "padded rows", sizes: [9, 2000], strides: [2048, 1]),
    Broadcast(testDescription: "ones", sizes: [1, 1, 1], strides: [0, 5, 0]),
    Broadcast(testDescription: "no elements", sizes: [3, 0, 2], strides: [0, 2, 1]),
    Broadcast(
      testDescription: "eight dimensions", sizes: [2, 3, 2, 3, 2, 3, 2, 3],
      strides: [0, 4, 0, 0, 3, 0, 12, 1]),
  ]

  @Test(arguments: broadcasts, InstructionSet.available)
  func `inputs of every course through memory are read right`(
    broadcast: Broadcast, set: InstructionSet
  ) {
    var numbers = SeededNumbers(seed: 14)
    var program = ElementwiseProgram(sizes: broadcast.sizes)
    program.addInput(numbers.floats(program.count))
    let reach = zip(broadcast.sizes, broadcast.strides).map { max(0, $0 - 1) * abs($1) }
    program.addInput(
      numbers.floats(reach.reduce(1, +)), strides: broadcast.strides, origin: broadcast.origin)
    program.add(CK_CONSTANT, constant: 3)
    program.add(CK_MUL, 0, 1)
    program.add(CK_ADD, 3, 2)
    program.add(CK_SUB, 4, 1)
    expectSame(program.run(set, Pool(threads: 2)), program.reference(), broadcast.testDescription)
    program.instructions = []
    expectSame(
      program.run(set, Pool()), program.reference(), "\(broadcast.testDescription), copied")
  }

  @Test(arguments: InstructionSet.available, 1...12)
  func `random programs of up to 64 instructions give the bits of the reference`(
    set: InstructionSet, seed: UInt64
  ) {
    var numbers = SeededNumbers(seed: seed)
    let sizes = [Int.random(in: 1...30, using: &numbers), Int.random(in: 1...90, using: &numbers)]
    var program = ElementwiseProgram(sizes: sizes)
    for _ in 0..<Int.random(in: 1...16, using: &numbers) {
      let kind = Int.random(in: 0..<4, using: &numbers)
      program.addInput(
        numbers.floats(program.count),
        strides: [kind & 1 == 0 ? 0 : sizes[1], kind & 2 == 0 ? 0 : 1])
    }
    let operations = [
      CK_ADD, CK_SUB, CK_MUL, CK_MAX, CK_MIN, CK_NEG, CK_ABS, CK_RELU, CK_LESS, CK_SELECT,
      CK_RELU_MASK, CK_CONSTANT, CK_SIGN,
    ]
    for _ in 0..<Int.random(in: 1...64, using: &numbers) {
      let registers = program.inputs.count + program.instructions.count
      let operands = (0..<3).map { _ in Int.random(in: 0..<registers, using: &numbers) }
      let op = operations[Int.random(in: 0..<operations.count, using: &numbers)]
      program.add(op, operands[0], operands[1], operands[2], constant: 0.5)
    }
    expectSame(program.run(set, Pool()), program.reference(), "seed \(seed)")
  }

  @Test(arguments: InstructionSet.available)
  func `an elementwise program gives the same bits for any number of threads`(set: InstructionSet) {
    var numbers = SeededNumbers(seed: 15)
    var program = ElementwiseProgram(sizes: [300, 500])
    program.addInput(numbers.floats(program.count))
    program.addInput(numbers.floats(500), strides: [0, 1])
    program.add(CK_MUL, 0, 1)
    program.add(CK_TANH, 2)
    expectSameBits("tanh of a product") { program.run(set, $0) }
  }
}
