import CCrestKernels
import Foundation
import Testing

struct LayerNormalizationTests {
  static let kernels = ["layer_normalization_f32", "layer_normalization_gradient_f32"]

  static let shapes: [(rows: Int, columns: Int)] = [
    (0, 5), (3, 0), (4, 1), (5, 2), (9, 15), (9, 16), (9, 17), (5, 33), (3, 1000), (300, 200),
    (1, 40_000),
  ]

  /// Rows normalised in double, and 1 / √(variance + ε) of each.
  private static func normalized(
    _ x: [Float], _ columns: Int, _ epsilon: Double
  ) -> (values: [Double], inverses: [Double]) {
    var (values, inverses) = (x.map(Double.init), [Double]())
    for start in stride(from: 0, to: x.count, by: max(columns, 1)) {
      let row = x[start..<start + columns].map(Double.init)
      let mean = row.reduce(0, +) / Double(columns)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
      inverses.append(1 / (variance + epsilon).squareRoot())
      for place in 0..<columns {
        values[start + place] = (row[place] - mean) * (inverses.last ?? 0)
      }
    }
    return (values, inverses)
  }

  @Test(arguments: shapes, InstructionSet.available)
  func `agrees with the definition, rows with special numbers included`(
    shape: (rows: Int, columns: Int), set: InstructionSet
  ) {
    let (rows, columns) = shape
    var numbers = SeededNumbers(seed: 51)
    let (scale, bias) = (numbers.floats(columns), numbers.floats(columns))
    for x in [
      numbers.floats(rows * columns), numbers.floats(rows * columns, in: 1000..<1001),
      numbers.placing(specialFloats, in: numbers.floats(rows * columns)),
    ] {
      var y = [Float](repeating: .nan, count: x.count)
      set.kernels.layer_normalization_f32(
        Pool(threads: 2).pointer, rows, columns, 1e-3, x, scale, bias, &y)
      let (normal, inverses) = Self.normalized(x, columns, 1e-3)
      let exact = normal.indices.map { place -> Expected in
        let column = place % columns
        let (factor, shift) = (Double(scale[column]), Double(bias[column]))
        // The mean is rounded before it is taken off.
        let lost = abs(Double(x[place])) * inverses[place / columns]
        let size = (abs(normal[place]) + lost) * abs(factor) + abs(shift)
        return Expected(value: normal[place] * factor + shift, magnitude: size, roundings: 6)
      }
      expectClose(y, exact, "\(shape)")
    }
  }

  @Test(arguments: shapes, InstructionSet.available)
  func `has the gradients of the definition`(
    shape: (rows: Int, columns: Int), set: InstructionSet
  ) {
    let (rows, columns) = shape
    var numbers = SeededNumbers(seed: 52)
    let (x, dy) = (numbers.floats(rows * columns), numbers.floats(rows * columns))
    let scale = numbers.floats(columns)
    var dx = [Float](repeating: .nan, count: x.count)
    var (dscale, dbias) = (
      [Float](repeating: .nan, count: columns), [Float](repeating: .nan, count: columns)
    )
    var scratch = [UInt8](repeating: 0xff, count: ck_layer_norm_scratch_bytes(rows, columns))
    set.kernels.layer_normalization_gradient_f32(
      Pool(threads: 2).pointer, rows, columns, 1e-3, x, scale, dy, &dx, &dscale, &dbias, &scratch)
    let (normal, inverses) = Self.normalized(x, columns, 1e-3)
    var exact: [Expected] = []
    var (scales, biases) = (
      [(sum: Double, size: Double)](repeating: (0, 0), count: columns),
      [(sum: Double, size: Double)](repeating: (0, 0), count: columns)
    )
    for row in 0..<(columns == 0 ? 0 : rows) {
      let places = row * columns..<(row + 1) * columns
      let g = places.map { Double(dy[$0]) * Double(scale[$0 % columns]) }
      let mean = g.reduce(0, +) / Double(columns)
      let slope = zip(g, places).reduce(0) { $0 + $1.0 * normal[$1.1] } / Double(columns)
      for (column, place) in places.enumerated() {
        let value = (g[column] - mean - normal[place] * slope) * inverses[row]
        let size = (abs(g[column]) + abs(mean) + abs(normal[place] * slope) + 1) * inverses[row]
        exact.append(Expected(value: value, magnitude: size, roundings: 10))
        let (gradient, product) = (Double(dy[place]), Double(dy[place]) * normal[place])
        scales[column] = (
          scales[column].sum + product, scales[column].size + abs(product) + abs(gradient)
        )
        biases[column] = (biases[column].sum + gradient, biases[column].size + abs(gradient))
      }
    }
    expectClose(dx, exact, "dx \(shape)")
    expectClose(
      dscale, scales.map { Expected(value: $0.sum, magnitude: $0.size, roundings: 6) },
      "dscale \(shape)")
    expectClose(
      dbias, biases.map { Expected(value: $0.sum, magnitude: $0.size, roundings: 2) },
      "dbias \(shape)")
  }

  @Test(arguments: InstructionSet.available)
  func `gives the same bits for any number of threads`(set: InstructionSet) {
    var numbers = SeededNumbers(seed: 53)
    let (x, dy) = (numbers.floats(300 * 700), numbers.floats(300 * 700))
    let (scale, bias) = (numbers.floats(700), numbers.floats(700))
    expectSameBits("layer norm") { pool in
      var y = [Float](repeating: 0, count: x.count)
      set.kernels.layer_normalization_f32(pool.pointer, 300, 700, 1e-6, x, scale, bias, &y)
      return y
    }
    expectSameBits("layer norm gradient") { pool in
      var dx = [Float](repeating: 0, count: x.count)
      var (dscale, dbias) = ([Float](repeating: 0, count: 700), [Float](repeating: 0, count: 700))
      var scratch = [UInt8](repeating: 0, count: ck_layer_norm_scratch_bytes(300, 700))
      set.kernels.layer_normalization_gradient_f32(
        pool.pointer, 300, 700, 1e-6, x, scale, dy, &dx, &dscale, &dbias, &scratch)
      return dx + dscale + dbias
    }
  }
}
