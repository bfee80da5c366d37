import CCrestKernels
import Foundation
import Testing

struct SoftmaxTests {
  static let kernels = [
    "softmax_f32", "log_softmax_f32", "softmax_gradient_f32", "log_softmax_gradient_f32",
    "cross_entropy_labels_f32", "cross_entropy_labels_gradient_f32",
    "cross_entropy_probabilities_f32", "cross_entropy_probabilities_gradient_f32",
  ]

  static let shapes: [(rows: Int, columns: Int)] = [
    (0, 5), (3, 0), (4, 1), (5, 2), (7, 3), (6, 4), (50, 10), (9, 15), (9, 16), (9, 17), (5, 33),
    (3, 1000), (1, 20_000),
  ]

  private func rows(_ x: [Float], _ columns: Int) -> [ArraySlice<Float>] {
    guard columns > 0 else { return [] }
    return stride(from: 0, to: x.count, by: columns).map { x[$0..<$0 + columns] }
  }

  private func close(_ values: [Double], magnitude: Double, roundings: Double = 4) -> [Expected] {
    values.map { Expected(value: $0, magnitude: magnitude + abs($0), roundings: roundings) }
  }

  /// Rows of ordinary logits, of huge ones, and with classes ruled out by -∞.
  private func logits(_ count: Int, _ numbers: inout SeededNumbers) -> [[Float]] {
    var ruledOut = numbers.floats(count, in: -5..<5)
    for index in stride(from: 1, to: count, by: 3) { ruledOut[index] = -.infinity }
    return [
      numbers.floats(count, in: -5..<5), numbers.floats(count, in: 1e4..<1.01e4), ruledOut,
      numbers.placing(specialFloats, in: numbers.floats(count)),
    ]
  }

  @Test(arguments: shapes, InstructionSet.available)
  func `softmax and its logarithm agree with the definition`(
    shape: (rows: Int, columns: Int), set: InstructionSet
  ) {
    let count = shape.rows * shape.columns
    var numbers = SeededNumbers(seed: 41)
    for (index, x) in logits(count, &numbers).enumerated() {
      var y = [Float](repeating: .nan, count: count)
      var logarithm = y
      let pool = Pool(threads: 2)
      set.kernels.softmax_f32(pool.pointer, shape.rows, shape.columns, x, &y)
      set.kernels.log_softmax_f32(pool.pointer, shape.rows, shape.columns, x, &logarithm)
      let references = rows(x, shape.columns).map(SoftmaxReference.init)
      let context = "\(shape), logits \(index)"
      // Rounding x - max moves its exponential by as many units as it is large.
      let probabilities = references.flatMap { zip($0.probabilities, $0.logarithms) }.map {
        Expected(value: $0, magnitude: abs($0), roundings: 4 + ($1.isFinite ? abs($1) : 0))
      }
      expectClose(y, probabilities, context)
      expectClose(
        logarithm, close(references.flatMap(\.logarithms), magnitude: 1), "log, \(context)")
    }
  }

  @Test(arguments: shapes, InstructionSet.available)
  func `gradients of softmax and its logarithm agree with the definition`(
    shape: (rows: Int, columns: Int), set: InstructionSet
  ) {
    let count = shape.rows * shape.columns
    var numbers = SeededNumbers(seed: 42)
    let y = numbers.floats(count, in: 0..<1)
    let logarithm = numbers.floats(count, in: -6..<0)
    let dy = numbers.floats(count)
    var dx = [Float](repeating: .nan, count: count)
    var logarithmDx = dx
    let pool = Pool(threads: 2)
    set.kernels.softmax_gradient_f32(pool.pointer, shape.rows, shape.columns, y, dy, &dx)
    set.kernels.log_softmax_gradient_f32(
      pool.pointer, shape.rows, shape.columns, logarithm, dy, &logarithmDx)
    var expected: [Double] = []
    var expectedLogarithm: [Double] = []
    for (row, gradients) in zip(rows(y, shape.columns), rows(dy, shape.columns)) {
      let dot = zip(row, gradients).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      expected += zip(row, gradients).map { Double($0) * (Double($1) - dot) }
    }
    for (row, gradients) in zip(rows(logarithm, shape.columns), rows(dy, shape.columns)) {
      let sum = gradients.reduce(0.0) { $0 + Double($1) }
      expectedLogarithm += zip(row, gradients).map { Double($1) - exp(Double($0)) * sum }
    }
    expectClose(dx, close(expected, magnitude: 1), "\(shape)")
    expectClose(logarithmDx, close(expectedLogarithm, magnitude: 1), "log, \(shape)")
  }

  @Test(arguments: shapes.filter { $0.columns > 0 }, InstructionSet.available)
  func `cross-entropy of labels agrees with the definition`(
    shape: (rows: Int, columns: Int), set: InstructionSet
  ) {
    let (count, classes) = (shape.rows * shape.columns, shape.columns)
    var numbers = SeededNumbers(seed: 43)
    let labels = (0..<shape.rows).map { _ in Int64(numbers.next() % UInt64(classes)) }
    let rowGradient = numbers.floats(shape.rows)
    for (index, x) in logits(count, &numbers).enumerated() {
      for smoothing: Float in [0, 0.25] {
        var loss = [Float](repeating: .nan, count: shape.rows)
        var dx = [Float](repeating: .nan, count: count)
        let pool = Pool(threads: 2)
        set.kernels.cross_entropy_labels_f32(
          pool.pointer, shape.rows, classes, smoothing, x, labels, &loss)
        set.kernels.cross_entropy_labels_gradient_f32(
          pool.pointer, shape.rows, classes, smoothing, x, labels, rowGradient, &dx)
        let targets = labels.map { label in
          SoftmaxReference.smoothed(
            (0..<classes).map { $0 == Int(label) ? 1 : 0 }, by: smoothing)
        }
        expectCrossEntropy(
          loss, dx, x, targets, rowGradient, "\(shape), logits \(index), smoothing \(smoothing)")
      }
    }
  }

  @Test(arguments: shapes.filter { $0.columns > 0 }, InstructionSet.available)
  func `cross-entropy of probabilities agrees with the definition`(
    shape: (rows: Int, columns: Int), set: InstructionSet
  ) {
    let (count, classes) = (shape.rows * shape.columns, shape.columns)
    var numbers = SeededNumbers(seed: 44)
    // Not summing to one, and some of them zero.
    let t = numbers.floats(count, in: 0..<1).map { $0 < 0.3 ? 0 : $0 }
    let rowGradient = numbers.floats(shape.rows)
    for (index, x) in logits(count, &numbers).enumerated() {
      for smoothing: Float in [0, 0.25] {
        var loss = [Float](repeating: .nan, count: shape.rows)
        var dx = [Float](repeating: .nan, count: count)
        let pool = Pool(threads: 2)
        set.kernels.cross_entropy_probabilities_f32(
          pool.pointer, shape.rows, classes, smoothing, x, t, &loss)
        set.kernels.cross_entropy_probabilities_gradient_f32(
          pool.pointer, shape.rows, classes, smoothing, x, t, rowGradient, &dx)
        let targets = rows(t, classes).map {
          SoftmaxReference.smoothed($0.map(Double.init), by: smoothing)
        }
        expectCrossEntropy(
          loss, dx, x, targets, rowGradient, "\(shape), logits \(index), smoothing \(smoothing)")
      }
    }
  }

  private func expectCrossEntropy(
    _ loss: [Float], _ dx: [Float], _ x: [Float], _ targets: [[Double]], _ rowGradient: [Float],
    _ context: String, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var losses: [Expected] = []
    var gradients: [Expected] = []
    for (row, logits) in rows(x, targets.first?.count ?? 0).enumerated() {
      let reference = SoftmaxReference(logits)
      let target = targets[row]
      let terms = zip(target, reference.logarithms).map { abs($0 * $1) }.filter(\.isFinite)
      losses.append(
        Expected(
          value: reference.crossEntropy(target), magnitude: terms.reduce(1, +), roundings: 4))
      let total = target.reduce(0, +)
      gradients += close(
        reference.crossEntropyGradient(target).map { $0 * Double(rowGradient[row]) },
        magnitude: total, roundings: 4)
    }
    expectClose(loss, losses, "loss of \(context)", sourceLocation: sourceLocation)
    expectClose(dx, gradients, "gradient of \(context)", sourceLocation: sourceLocation)
  }

  @Test(arguments: InstructionSet.available)
  func `a confident wrong answer costs its logit, not infinity`(set: InstructionSet) {
    var loss: [Float] = [.nan]
    set.kernels.cross_entropy_labels_f32(Pool().pointer, 1, 3, 0, [1000, 0, -1000], [2], &loss)
    #expect(loss == [2000])
  }

  @Test(arguments: InstructionSet.available)
  func `softmax and losses give the same bits for any number of threads`(set: InstructionSet) {
    let (rows, columns) = (700, 90)
    var numbers = SeededNumbers(seed: 45)
    let x = numbers.floats(rows * columns)
    let dy = numbers.floats(rows * columns)
    let labels = (0..<rows).map { Int64($0 % columns) }
    expectSameBits("all eight") { pool in
      var results = (0..<6).map { _ in x }
      var losses = (0..<2).map { _ in [Float](repeating: .nan, count: rows) }
      let (p, k) = (pool.pointer, set.kernels)
      k.softmax_f32(p, rows, columns, x, &results[0])
      k.log_softmax_f32(p, rows, columns, x, &results[1])
      k.softmax_gradient_f32(p, rows, columns, x, dy, &results[2])
      k.log_softmax_gradient_f32(p, rows, columns, x, dy, &results[3])
      k.cross_entropy_labels_f32(p, rows, columns, 0.1, x, labels, &losses[0])
      k.cross_entropy_labels_gradient_f32(
        p, rows, columns, 0.1, x, labels, losses[0], &results[4])
      k.cross_entropy_probabilities_f32(p, rows, columns, 0.1, x, dy, &losses[1])
      k.cross_entropy_probabilities_gradient_f32(
        p, rows, columns, 0.1, x, dy, losses[0], &results[5])
      return (results + losses).flatMap { $0 }
    }
  }
}
