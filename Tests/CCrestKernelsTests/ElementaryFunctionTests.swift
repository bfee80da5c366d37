import CCrestKernels
import Foundation
import Testing

struct ElementaryFunctionTests {
  struct Function: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let op: ck_op
    let exact: @Sendable (Double) -> Double
    /// Values whose result must be right to the bit, the sign of zero included.
    let exactValues: [(Float, Float)]
  }

  static let functions: [Function] =
    [
      Function(
        testDescription: "exp", op: CK_EXP, exact: { exp($0) },
        exactValues: [(0, 1), (-0.0, 1), (.infinity, .infinity), (-.infinity, 0), (89, .infinity)]),
      Function(
        testDescription: "log", op: CK_LOG, exact: { log($0) },
        exactValues: [(1, 0), (0, -.infinity), (-0.0, -.infinity), (.infinity, .infinity)]),
      Function(
        testDescription: "tanh", op: CK_TANH, exact: { tanh($0) },
        exactValues: [
          (0, 0), (-0.0, -0.0), (.infinity, 1), (-.infinity, -1),
          (.leastNonzeroMagnitude, .leastNonzeroMagnitude),
        ]),
      Function(
        testDescription: "sigmoid", op: CK_SIGMOID, exact: referenceSigmoid,
        exactValues: [(0, 0.5), (-0.0, 0.5), (.infinity, 1), (-.infinity, 0)]),
      Function(
        testDescription: "erf", op: CK_ERF, exact: { erf($0) },
        exactValues: [
          (0, 0), (-0.0, -0.0), (.infinity, 1), (-.infinity, -1), (1e30, 1), (-1e30, -1),
        ]),
      Function(
        testDescription: "softplus", op: CK_SOFTPLUS, exact: referenceSoftplus,
        exactValues: [(.infinity, .infinity), (-.infinity, 0), (100, 100)]),
    ] + ofAngles

  /// Those that are libm's.
  private static let ofAngles: [Function] = [
    Function(
      testDescription: "sin", op: CK_SIN, exact: { sin($0) },
      exactValues: [(0, 0), (-0.0, -0.0)]),
    Function(
      testDescription: "cos", op: CK_COS, exact: { cos($0) },
      exactValues: [(0, 1), (-0.0, 1)]),
    Function(
      testDescription: "tan", op: CK_TAN, exact: { tan($0) },
      exactValues: [(0, 0), (-0.0, -0.0)]),
    Function(
      testDescription: "asin", op: CK_ASIN, exact: { asin($0) },
      exactValues: [(0, 0), (-0.0, -0.0)]),
    Function(
      testDescription: "acos", op: CK_ACOS, exact: { acos($0) },
      exactValues: [(1, 0)]),
    Function(
      testDescription: "atan", op: CK_ATAN, exact: { atan($0) },
      exactValues: [(0, 0), (-0.0, -0.0)]),
    Function(
      testDescription: "sinh", op: CK_SINH, exact: { sinh($0) },
      exactValues: [(0, 0), (-0.0, -0.0), (.infinity, .infinity), (-.infinity, -.infinity)]),
    Function(
      testDescription: "cosh", op: CK_COSH, exact: { cosh($0) },
      exactValues: [(0, 1), (.infinity, .infinity), (-.infinity, .infinity)]),
    Function(
      testDescription: "asinh", op: CK_ASINH, exact: { asinh($0) },
      exactValues: [(0, 0), (-0.0, -0.0), (-.infinity, -.infinity)]),
    Function(
      testDescription: "acosh", op: CK_ACOSH, exact: { acosh($0) },
      exactValues: [(1, 0), (.infinity, .infinity)]),
    Function(
      testDescription: "atanh", op: CK_ATANH, exact: { atanh($0) },
      exactValues: [(0, 0), (-0.0, -0.0), (1, .infinity), (-1, -.infinity)]),
  ]

  @Test(arguments: InstructionSet.available)
  func `the hard swish is the line beyond its bend, and zero before`(set: InstructionSet) {
    let values: [Float] = [
      -1e30, -3, -0.0, 0, 3, 1e30, .infinity, .nan, -.infinity, -1.5, 1.5, 0.75,
    ]
    var program = ElementwiseProgram(sizes: [values.count])
    program.addInput(values)
    program.add(CK_HARD_SWISH, 0)
    let results = program.run(set, Pool())
    #expect(results.prefix(7) == [0, 0, 0, 0, 3, 1e30, .infinity])
    // As in PyTorch, -∞ times 0.
    #expect(results[7].isNaN && results[8].isNaN)
    for (result, exact) in zip(results[9...], [-0.375, 1.125, 0.46875]) {
      #expect(abs(Double(result) - exact) < 1e-7)
    }
  }

  private func evaluate(_ function: Function, _ values: [Float], _ set: InstructionSet) -> [Float] {
    evaluate(function.op, values, set)
  }

  private func evaluate(
    _ op: ck_op, _ values: [Float], _ set: InstructionSet, threads: Int = 1
  ) -> [Float] {
    var program = ElementwiseProgram(sizes: [values.count])
    program.addInput(values)
    program.add(op, 0)
    return program.run(set, Pool(threads: threads))
  }

  @Test(arguments: functions, InstructionSet.available)
  func `elementary functions stay within two units of the last place`(
    function: Function, set: InstructionSet
  ) {
    // Every 16411th float (a prime), so that all exponents and signs come up.
    let values = stride(from: 0, through: Int(UInt32.max), by: 16411)
      .map { Float(bitPattern: UInt32($0)) }
    let results = evaluate(function, values, set)
    var worst = (units: 0.0, value: Float(0), result: Float(0))
    for (value, result) in zip(values, results) {
      let units = unitsInLastPlace(result, function.exact(Double(value)))
      if units > worst.units { worst = (units, value, result) }
    }
    #expect(
      worst.units <= 2,
      "\(function.testDescription)(\(worst.value)) = \(worst.result), off by \(worst.units) ulp")
  }

  /// Of GELU and its slopes: the largest error, in units of the last place or of 2⁻²⁴.
  struct GELU: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let op: ck_op
    let exact: @Sendable (Double) -> Double
    let unit: @Sendable (Float, Double) -> Double
    let exactValues: [(Float, Float)]
  }

  private static let tail: @Sendable (Double) -> Double = { erfc($0 / 2.0.squareRoot()) / 2 }
  private static let bend: @Sendable (Double) -> Double = {
    (2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)
  }
  private static let ofFloat: @Sendable (Float, Double) -> Double = { actual, exact in
    exact.isNaN && actual.isNaN
      ? 0 : abs(Double(actual) - exact) / max(1, abs(exact)) / 0x1p-24
  }

  static let gelus = [
    GELU(
      testDescription: "gelu", op: CK_GELU, exact: { $0 * tail(-$0) },
      unit: { unitsInLastPlace($0, $1) },
      exactValues: [
        (0, 0), (-0.0, -0.0), (.infinity, .infinity), (1e30, 1e30), (100, 100), (-1e30, -0.0),
        (-20, -0.0),
      ]),
    GELU(
      testDescription: "gelu by tanh", op: CK_GELU_TANH,
      exact: { $0 / (1 + exp(-2 * bend($0))) }, unit: ofFloat,
      exactValues: [
        (0, 0), (-0.0, -0.0), (.infinity, .infinity), (1e30, 1e30), (100, 100), (-1e30, -0.0),
      ]),
    GELU(
      testDescription: "slope of gelu", op: CK_GELU_SLOPE,
      exact: { tail(-$0) + $0 * exp(-$0 * $0 / 2) / (2 * Double.pi).squareRoot() },
      unit: ofFloat, exactValues: [(0, 0.5), (-0.0, 0.5), (1e30, 1), (-1e30, -0.0), (-20, -0.0)]),
    GELU(
      testDescription: "slope of gelu by tanh", op: CK_GELU_TANH_SLOPE,
      exact: { x in
        let tail = 1 / (1 + exp(2 * bend(x.magnitude)))
        let slope = 2 * (2 / Double.pi).squareRoot() * (1 + 3 * 0.044715 * x * x)
        return (x < 0 ? tail : 1 - tail) + (tail == 0 ? 0 : x * tail * (1 - tail) * slope)
      }, unit: ofFloat,
      exactValues: [(0, 0.5), (-0.0, 0.5), (1e30, 1), (-1e30, 0), (100, 1)]),
  ]

  @Test(arguments: gelus, InstructionSet.available)
  func `GELU and its slopes stay within six units`(function: GELU, set: InstructionSet) {
    let values =
      stride(from: 0, through: Int(UInt32.max), by: 16411)
      .map { Float(bitPattern: UInt32($0)) }.filter(\.isFinite)
      + stride(from: Float(-16), to: 16, by: 0.0007)
    let results = evaluate(function.op, values, set)
    var worst = (units: 0.0, value: Float(0), result: Float(0))
    for (value, result) in zip(values, results) {
      let units = function.unit(result, function.exact(Double(value)))
      if !(units <= worst.units) { worst = (units, value, result) }
    }
    #expect(
      worst.units <= 6,
      "\(function.testDescription)(\(worst.value)) = \(worst.result), off by \(worst.units)")
    let special = evaluate(function.op, function.exactValues.map(\.0), set)
    for ((value, wanted), result) in zip(function.exactValues, special) {
      #expect(
        result.bitPattern == wanted.bitPattern,
        "\(function.testDescription)(\(value)) = \(result), expected \(wanted)")
    }
    // A product with 0 in all of PyTorch's formulas.
    let isSlope = function.op == CK_GELU_SLOPE || function.op == CK_GELU_TANH_SLOPE
    let undefined = evaluate(
      function.op, [.nan, -.infinity] + (isSlope ? [.infinity] : []), set)
    #expect(undefined.allSatisfy { $0.isNaN }, "\(undefined)")
  }

  @Test(arguments: gelus, InstructionSet.available)
  func `GELU has the same bits at every size and number of threads`(
    function: GELU, set: InstructionSet
  ) {
    var numbers = SeededNumbers(seed: 21)
    let values = numbers.placing(specialFloats, in: numbers.floats(70_000, in: -8..<8))
    let whole = evaluate(function.op, values, set)
    for size in ElementwiseTests.sizes {
      for threads in [1, 2] {
        let part = evaluate(function.op, Array(values.prefix(size)), set, threads: threads)
        #expect(
          part.map(\.bitPattern) == whole.prefix(size).map(\.bitPattern),
          "\(size) elements, \(threads) threads, seed 21")
      }
    }
  }

  @Test(arguments: functions, InstructionSet.available)
  func `elementary functions are exact at their special values`(
    function: Function, set: InstructionSet
  ) {
    let results = evaluate(function, function.exactValues.map(\.0), set)
    for ((value, wanted), result) in zip(function.exactValues, results) {
      #expect(
        result.bitPattern == wanted.bitPattern,
        "\(function.testDescription)(\(value)) = \(result), expected \(wanted)")
    }
    let ofNaN = evaluate(function, [.nan], set)
    #expect(ofNaN[0].isNaN)
  }
}
