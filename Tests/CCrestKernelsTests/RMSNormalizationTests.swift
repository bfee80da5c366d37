import CCrestKernels
import Foundation
import Testing

struct RMSNormalizationTests {
  static let kernels = ["rms_normalization_f32"]

  static let shapes: [(rows: Int, columns: Int)] = [
    (0, 5), (3, 0), (4, 1), (5, 2), (9, 15), (9, 16), (9, 17), (5, 33), (3, 1000), (1, 40_000),
  ]

  @Test(arguments: shapes, InstructionSet.available)
  func `agrees with the definition, rows with special numbers included`(
    shape: (rows: Int, columns: Int), set: InstructionSet
  ) {
    let (rows, columns) = shape
    var numbers = SeededNumbers(seed: 47)
    let scale = numbers.floats(columns)
    for x in [
      numbers.floats(rows * columns), numbers.floats(rows * columns, in: 1e18..<2e18),
      numbers.placing(specialFloats, in: numbers.floats(rows * columns)),
    ] {
      var y = [Float](repeating: .nan, count: x.count)
      set.kernels.rms_normalization_f32(
        Pool(threads: 2).pointer, rows, columns, 1e-5, x, scale, &y)
      var exact: [Expected] = []
      for start in stride(from: 0, to: x.count, by: max(columns, 1)) {
        let row = x[start..<start + columns].map(Double.init)
        let root = (row.reduce(0) { $0 + $1 * $1 } / Double(columns) + 1e-5).squareRoot()
        exact += zip(row, scale).map { value, scale in
          let result = value / root * Double(scale)
          return Expected(value: result, magnitude: abs(result), roundings: 4)
        }
      }
      expectClose(y, exact, "\(shape)")
    }
  }

  @Test(arguments: InstructionSet.available)
  func `gives the same bits for any number of threads`(set: InstructionSet) {
    var numbers = SeededNumbers(seed: 48)
    let (x, scale) = (numbers.floats(300 * 700), numbers.floats(700))
    expectSameBits("rms") { pool in
      var y = [Float](repeating: 0, count: x.count)
      set.kernels.rms_normalization_f32(pool.pointer, 300, 700, 1e-6, x, scale, &y)
      return y
    }
  }
}
