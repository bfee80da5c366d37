import CCrestKernels
import Testing

/// Adafactor's passes over matrices.
struct FactoredTests {
  static let kernels = ["factored_means_f32", "factored_sums_f32", "factored_step_f32"]

  struct Shape: CustomTestStringConvertible, Sendable {
    let matrices: Int
    let height: Int
    let width: Int
    var testDescription: String { "(\(matrices), \(height), \(width))" }
    var count: Int { matrices * height * width }
  }

  /// Filters, rows and columns of one, sizes around registers and tiles, and what is cut into several tiles either way.
  static let shapes = [
    (0, 3, 3), (2, 0, 3), (2, 3, 0), (1, 1, 1), (700, 3, 3), (5000, 1, 1), (3, 1, 40), (3, 40, 1),
    (2, 5, 15), (2, 4, 16), (2, 7, 17), (1, 64, 1024), (1, 65, 1023), (1, 130, 1025), (1, 3, 3000),
    (1, 70_000, 1), (2, 300, 513), (1, 2, 66_000),
  ].map { Shape(matrices: $0.0, height: $0.1, width: $0.2) }

  private struct Result: Equatable {
    var w, rows, columns: [Float]
    var sums = [Double.nan, .nan]
    var nonfinite: UInt32 = 0
  }

  private static let part = 0.25
  private static let epsilon = 0.125
  private static let (keep, step): (Float, Float) = (0.75, 0.5)

  private static func start(_ shape: Shape) -> (g: [Float], Result) {
    var numbers = SeededNumbers(seed: 99)
    let g = numbers.floats(shape.count)
    return (
      g,
      Result(
        w: numbers.floats(shape.count),
        rows: numbers.floats(shape.matrices * shape.height, in: 0..<1),
        columns: numbers.floats(shape.matrices * shape.width, in: 0..<1))
    )
  }

  private static func run(
    _ shape: Shape, _ g: [Float], _ start: Result, _ set: InstructionSet, threads: Int = 2,
    epsilon: Double = epsilon
  ) -> Result {
    var matrices = ck_factored(
      matrices: shape.matrices, height: shape.height, width: shape.width, epsilon: epsilon)
    let pool = Pool(threads: threads).pointer
    var result = start
    withScratch(bytes: ck_factored_scratch_bytes(&matrices)) { scratch in
      set.kernels.factored_means_f32(
        pool, &matrices, part, g, &result.rows, &result.columns, &result.nonfinite, scratch)
      set.kernels.factored_sums_f32(pool, &matrices, g, result.w, &result.sums, scratch)
      set.kernels.factored_step_f32(
        pool, &matrices, keep, step, g, &result.w, &result.nonfinite, scratch)
    }
    return result
  }

  /// The definition, in double: the means, the estimates of squares by them, and what follows.
  private static func reference(
    _ shape: Shape, _ g: [Float], _ start: Result, epsilon: Double = epsilon
  ) -> (rows: [Double], columns: [Double], w: [Double], sums: [Double]) {
    let (height, width) = (shape.height, shape.width)
    var rows = start.rows.map(Double.init)
    var columns = start.columns.map(Double.init)
    var w = start.w.map(Double.init)
    var sums = [0.0, 0.0]
    guard shape.count > 0 else { return (rows, columns, w, sums) }
    func square(_ matrix: Int, _ row: Int, _ column: Int) -> Double {
      let value = Double(g[(matrix * height + row) * width + column])
      return value * value
    }
    for matrix in 0..<shape.matrices {
      for row in 0..<height {
        let sum = (0..<width).reduce(0) { $0 + square(matrix, row, $1) }
        rows[matrix * height + row] += part * (sum / Double(width) - rows[matrix * height + row])
      }
      for column in 0..<width {
        let sum = (0..<height).reduce(0) { $0 + square(matrix, $1, column) }
        columns[matrix * width + column] +=
          part * (sum / Double(height) - columns[matrix * width + column])
      }
      let mean =
        (0..<height).reduce(0) { $0 + rows[matrix * height + $1] } / Double(height)
      for row in 0..<height {
        for column in 0..<width {
          let place = (matrix * height + row) * width + column
          let estimate = max(
            rows[matrix * height + row] * columns[matrix * width + column] / max(mean, epsilon),
            epsilon * epsilon)
          let direction = Double(g[place]) / estimate.squareRoot()
          sums[0] += w[place] * w[place]
          sums[1] += direction * direction
          w[place] = Double(keep) * w[place] - Double(step) * direction
        }
      }
    }
    return (rows, columns, w, sums)
  }

  @Test(arguments: shapes, InstructionSet.available)
  func `means, sums and steps agree with the definition`(shape: Shape, set: InstructionSet) {
    // An ε that many estimates are below, and one that none is.
    for epsilon in [Self.epsilon, 1e-30] {
      let (g, start) = Self.start(shape)
      let result = Self.run(shape, g, start, set, epsilon: epsilon)
      let exact = Self.reference(shape, g, start, epsilon: epsilon)
      func close(_ values: [Double], _ roundings: Double) -> [Expected] {
        values.map { Expected(value: $0, magnitude: abs($0) + 1e-3, roundings: roundings) }
      }
      expectClose(result.rows, close(exact.rows, 1), "rows of \(shape.testDescription)")
      expectClose(result.columns, close(exact.columns, 1), "columns of \(shape.testDescription)")
      expectClose(
        result.w, exact.w.map { Expected(value: $0, magnitude: abs($0) + 10, roundings: 6) },
        "w of \(shape.testDescription)")
      for (own, wanted) in zip(result.sums, exact.sums) {
        #expect(abs(own - wanted) <= 2e-6 * wanted, "a sum of \(shape.testDescription)")
      }
      #expect(result.nonfinite == 0)
    }
  }

  @Test(arguments: shapes, InstructionSet.available)
  func `they give the same bits for any number of threads`(shape: Shape, set: InstructionSet) {
    let (g, start) = Self.start(shape)
    let one = Self.run(shape, g, start, set, threads: 1)
    for threads in threadCounts.dropFirst() {
      #expect(Self.run(shape, g, start, set, threads: threads) == one)
    }
  }

  @Test(arguments: InstructionSet.available)
  func `rows and columns of zeros have steps of zero`(set: InstructionSet) {
    let shape = Shape(matrices: 2, height: 3, width: 20)
    var (g, start) = Self.start(shape)
    for column in 0..<20 { g[20 + column] = column % 2 == 0 ? 0 : -0.0 }
    for row in 0..<6 { g[row * 20 + 7] = 0 }
    start.rows = start.rows.map { _ in 0 }
    start.columns = start.columns.map { _ in 0 }
    for epsilon in [Self.epsilon, 1e-30] {
      let result = Self.run(shape, g, start, set, epsilon: epsilon)
      #expect(result.nonfinite == 0)
      for place in result.w.indices where g[place] == 0 {
        #expect(result.w[place] == Self.keep * start.w[place])
      }
    }
    // A million times fewer than nothing.
    let zeros = [Float](repeating: 0, count: shape.count)
    let result = Self.run(shape, zeros, start, set, epsilon: 1e-300)
    #expect(result.nonfinite == 0 && result.sums[1] == 0)
    #expect(result.w == start.w.map { $0 * Self.keep })
  }

  @Test(arguments: InstructionSet.available, [Float.nan, .infinity, -.infinity, 1e30])
  func `a number that is not finite is told, in the weights and in the means`(
    set: InstructionSet, special: Float
  ) {
    for shape in [
      Shape(matrices: 40, height: 3, width: 3), Shape(matrices: 1, height: 130, width: 1025),
    ] {
      for place in [0, shape.count / 2, shape.count - 1] {
        var (g, start) = Self.start(shape)
        g[place] = special
        // The square of 1e30 isn't finite as a float.
        #expect(Self.run(shape, g, start, set).nonfinite == 1)
        g[place] = 0
        if special.isFinite { continue }
        start.w[place] = special
        let result = Self.run(shape, g, start, set)
        #expect(result.nonfinite == 1)
        #expect(result.w.indices.filter { !result.w[$0].isFinite } == [place])
      }
    }
  }
}
