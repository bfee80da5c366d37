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

  static let functions = [
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
      testDescription: "softplus", op: CK_SOFTPLUS, exact: referenceSoftplus,
      exactValues: [(.infinity, .infinity), (-.infinity, 0), (100, 100)]),
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
    var program = ElementwiseProgram(sizes: [values.count])
    program.addInput(values)
    program.add(function.op, 0)
    return program.run(set, Pool())
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
