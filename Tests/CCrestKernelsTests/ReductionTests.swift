import CCrestKernels
import Testing

struct ReductionTests {
  static let kernels = ["reduce_f32", "sum_of_squares_f32", "first_nonfinite_f32"]

  struct Shape: CustomTestStringConvertible, Sendable {
    let outer: Int
    let reduced: Int
    let inner: Int
    var testDescription: String { "(\(outer), \(reduced), \(inner))" }
    var count: Int { outer * reduced * inner }
  }

  /// Rows, columns, images' planes, and the long ones that are split.
  static let shapes = [
    (0, 3, 2), (3, 0, 2), (3, 2, 0), (1, 1, 1), (5, 1, 1), (40, 3, 1), (9, 10, 1), (7, 64, 1),
    (7, 67, 1), (3, 1000, 1), (1, 200_000, 1), (1, 30, 1), (1, 17, 3), (1, 500, 16), (1, 500, 17),
    (1, 70_000, 3), (1, 900, 40), (6, 49, 70), (1, 3, 5000), (2, 9000, 9), (4, 25, 2), (300, 2, 3),
    (1, 400, 600),
  ].map { Shape(outer: $0.0, reduced: $0.1, inner: $0.2) }

  static let reductions: [ck_reduction] = [CK_SUM, CK_MEAN, CK_MAXIMUM, CK_MINIMUM, CK_PRODUCT]

  private func reduce(
    _ reduction: ck_reduction, _ shape: Shape, _ x: [Float], _ set: InstructionSet, _ pool: Pool
  ) -> [Float] {
    var y = [Float](repeating: .nan, count: shape.outer * shape.inner)
    withScratch(bytes: ck_reduce_scratch_bytes(shape.outer, shape.reduced, shape.inner)) {
      set.kernels.reduce_f32(
        pool.pointer, reduction, shape.outer, shape.reduced, shape.inner, x, &y, $0)
    }
    return y
  }

  private func reference(_ reduction: ck_reduction, _ shape: Shape, _ x: [Float]) -> [Expected] {
    (0..<shape.outer * shape.inner).map { result in
      let (o, i) = (result / shape.inner, result % shape.inner)
      let values = (0..<shape.reduced).map {
        Double(x[(o * shape.reduced + $0) * shape.inner + i])
      }
      let sum = values.reduce(0, +)
      switch reduction {
      case CK_SUM: return Expected(value: sum, magnitude: abs(sum) + 1e-4)
      case CK_MEAN:
        let mean = sum / Double(shape.reduced)
        return Expected(value: mean, magnitude: abs(mean) + 1e-8)
      case CK_PRODUCT:
        let product = values.reduce(1, *)
        return Expected(value: product, magnitude: abs(product))
      default:
        let best = reduction == CK_MAXIMUM ? values.max() : values.min()
        let ofNothing = reduction == CK_MAXIMUM ? -Double.infinity : .infinity
        let value = values.contains { $0.isNaN } ? .nan : best ?? ofNothing
        return Expected(value: value, roundings: 0)
      }
    }
  }

  @Test(arguments: shapes, InstructionSet.available)
  func `reductions agree with the definition, special values included`(
    shape: Shape, set: InstructionSet
  ) {
    var numbers = SeededNumbers(seed: 51)
    let plain = numbers.floats(shape.count)
    let inputs = [
      plain, numbers.placing([.infinity], in: plain), numbers.placing([.nan], in: plain),
    ]
    let pool = Pool(threads: 2)
    for reduction in Self.reductions {
      for x in inputs {
        expectClose(
          reduce(reduction, shape, x, set, pool), reference(reduction, shape, x),
          "reduction \(reduction.rawValue) of \(shape.testDescription)")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `a million equal terms lose no digits`(set: InstructionSet) {
    let x = [Float](repeating: 0.1, count: 1_000_000)
    let shape = Shape(outer: 1, reduced: x.count, inner: 1)
    #expect(reduce(CK_SUM, shape, x, set, Pool()) == [Float(Double(Float(0.1)) * 1e6)])
    #expect(reduce(CK_MEAN, shape, x, set, Pool()) == [0.1])
  }

  @Test(arguments: InstructionSet.available)
  func `reductions give the same bits for any number of threads`(set: InstructionSet) {
    var numbers = SeededNumbers(seed: 52)
    for shape in [
      Shape(outer: 1, reduced: 300_000, inner: 1), Shape(outer: 1, reduced: 5000, inner: 48),
      Shape(outer: 900, reduced: 7, inner: 30),
    ] {
      let x = numbers.floats(shape.count)
      for reduction in Self.reductions {
        expectSameBits(shape.testDescription) { reduce(reduction, shape, x, set, $0) }
      }
    }
  }

  static let lengths = [0, 1, 3, 4, 17, 32_767, 32_768, 32_769, 150_001]

  @Test(arguments: InstructionSet.available)
  func `sums of squares are those of double precision for any number of threads`(
    set: InstructionSet
  ) {
    var numbers = SeededNumbers(seed: 53)
    for length in Self.lengths {
      let x = numbers.floats(length, in: -1e20..<1e20)  // squares leave the range of floats
      let exact = x.reduce(0.0) { $0 + Double($1) * Double($1) }
      var results: Set<UInt64> = []
      for threads in threadCounts {
        var result = Double.nan
        withScratch(bytes: ck_sum_scratch_bytes(length)) {
          set.kernels.sum_of_squares_f32(Pool(threads: threads).pointer, length, x, &result, $0)
        }
        #expect(abs(result - exact) <= 1e-12 * exact, "\(length) terms")
        results.insert(result.bitPattern)
      }
      #expect(results.count == 1, "\(length) terms: bits depend on the threads")
    }
  }

  @Test(arguments: InstructionSet.available)
  func `the first value that is not finite is found for any number of threads`(
    set: InstructionSet
  ) {
    var numbers = SeededNumbers(seed: 54)
    for length in Self.lengths {
      let finite = numbers.floats(length, in: -3e38..<3e38)
      for bad: [Float] in [[], [.nan], [.infinity], [-.infinity, .nan, .nan, .infinity]] {
        let x = numbers.placing(bad, in: finite)
        let expected = x.firstIndex { !$0.isFinite } ?? length
        for threads in threadCounts {
          var result = -1
          withScratch(bytes: ck_sum_scratch_bytes(length)) {
            set.kernels.first_nonfinite_f32(
              Pool(threads: threads).pointer, length, x, &result, $0)
          }
          #expect(result == expected, "\(length) elements with \(bad)")
        }
      }
    }
  }
}
