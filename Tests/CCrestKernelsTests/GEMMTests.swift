import CCrestKernels
import Testing

struct GEMMTests {
  static let kernels = ["gemm_f32", "gemm_batch_f32"]

  /// Around the tiles (6 or 14 rows; 8, 16 or 32 columns), a chunk's 28 rows and 128 columns, a
  /// block's 512 terms, and where K is cut into parts that are added at the end.
  static let sizes: [(m: Int, n: Int, k: Int)] = [
    (0, 5, 3), (5, 0, 3), (5, 3, 0), (1, 1, 1), (1, 40, 9), (5, 7, 15), (6, 8, 16), (7, 9, 17),
    (13, 15, 31), (14, 16, 32), (15, 17, 33), (14, 31, 5), (29, 33, 12), (28, 129, 3), (61, 131, 7),
    (3, 37, 511), (2, 10, 513), (9, 5, 1030), (17, 3, 1549), (113, 19, 2),
    (150, 300, 70), (57, 260, 1100),
  ]

  static let products = sizes.flatMap { size in
    [(false, false), (false, true), (true, false), (true, true)].map { transposes in
      MatrixProduct(
        m: size.m, n: size.n, k: size.k, transposeA: transposes.0, transposeB: transposes.1)
    }
  }

  static func run(
    _ product: MatrixProduct, on set: InstructionSet, pool: Pool, alpha: Float = 1, a: [Float],
    b: [Float], beta: Float = 0, bias: [Float]? = nil, c: [Float]
  ) -> [Float] {
    let guardValue: Float = 12345
    var output = c + Array(repeating: guardValue, count: 40)
    let bytes = ck_gemm_scratch_bytes(product.m, product.n, product.k, pool.threads)
    withScratch(bytes: bytes) { scratch in
      func call(_ bias: UnsafePointer<Float>?) {
        set.kernels.gemm_f32(
          pool.pointer, product.transposeA, product.transposeB, product.m, product.n, product.k,
          alpha, a, b, beta, bias, &output, scratch)
      }
      if let bias { bias.withUnsafeBufferPointer { call($0.baseAddress) } } else { call(nil) }
    }
    #expect(output[c.count...].allSatisfy { $0 == guardValue }, "\(product) wrote past c")
    return Array(output[..<c.count])
  }

  @Test(arguments: products)
  func `a product agrees with its definition`(product: MatrixProduct) {
    let seed = UInt64(product.m * 1_000_003 + product.n * 1009 + product.k)
    var numbers = SeededNumbers(seed: seed)
    let a = numbers.floats(product.m * product.k)
    let b = numbers.floats(product.k * product.n)
    let bias = numbers.floats(product.n)
    let c = numbers.floats(product.m * product.n)
    let unread = [Float](repeating: .nan, count: c.count)
    let pool = Pool(threads: 2)

    let plain = product.reference(alpha: 1, a: a, b: b, beta: 0, bias: nil, c: unread)
    let full = product.reference(alpha: -0.75, a: a, b: b, beta: 1.5, bias: bias, c: c)
    for set in InstructionSet.available {
      expectClose(
        Self.run(product, on: set, pool: pool, a: a, b: b, c: unread), plain,
        "\(set.testDescription), seed \(seed)")
      expectClose(
        Self.run(
          product, on: set, pool: pool, alpha: -0.75, a: a, b: b, beta: 1.5, bias: bias, c: c),
        full, "\(set.testDescription) with alpha, beta and bias, seed \(seed)")
    }
  }

  @Test(arguments: products.filter { $0.m * $0.n * $0.k > 0 }, 0..<3 as Range<UInt64>)
  func `zeros, infinities and NaN propagate as in plain arithmetic`(
    product: MatrixProduct, seed: UInt64
  ) {
    var numbers = SeededNumbers(seed: seed)
    let a = numbers.placing(specialFloats, in: numbers.floats(product.m * product.k))
    let b = numbers.placing(specialFloats, in: numbers.floats(product.k * product.n))
    let unread = [Float](repeating: .nan, count: product.m * product.n)
    let expected = product.reference(alpha: 1, a: a, b: b, beta: 0, bias: nil, c: unread)
    let pool = Pool()
    for set in InstructionSet.available {
      expectClose(
        Self.run(product, on: set, pool: pool, a: a, b: b, c: unread), expected,
        "\(set.testDescription), seed \(seed)")
    }
  }

  @Test(arguments: [(61, 131, 40), (128, 10, 64), (10, 70, 1100), (3, 5, 2600)])
  func `any number of threads gives the same bits`(m: Int, n: Int, k: Int) {
    var numbers = SeededNumbers(seed: 7)
    let a = numbers.floats(m * k)
    let b = numbers.floats(k * n)
    let c = [Float](repeating: 0, count: m * n)
    for set in InstructionSet.available {
      for transposed in [false, true] {
        let product = MatrixProduct(
          m: m, n: n, k: k, transposeA: transposed, transposeB: !transposed)
        expectSameBits("\(product) on \(set.testDescription)") { pool in
          Self.run(product, on: set, pool: pool, a: a, b: b, c: c)
        }
      }
    }
  }

  /// Batches of small products, of one, of ones that are cut into parts, and of large ones.
  static let batches: [(count: Int, m: Int, n: Int, k: Int)] = [
    (0, 3, 4, 5), (1, 7, 9, 17), (40, 16, 16, 8), (9, 61, 131, 7), (5, 3, 40, 0), (33, 1, 1, 1),
    (300, 5, 7, 3), (12, 64, 64, 16), (3, 3, 37, 1100), (2, 200, 300, 70), (4, 30, 150, 260),
  ]

  @Test(arguments: batches, InstructionSet.available)
  func `a batch of products has the bits of each alone, on any number of threads`(
    batch: (count: Int, m: Int, n: Int, k: Int), set: InstructionSet
  ) {
    let (count, m, n, k) = batch
    var numbers = SeededNumbers(seed: 8)
    let (a, b) = (numbers.floats(count * m * k), numbers.floats(count * k * n))
    for transposes in [(false, false), (false, true), (true, false)] {
      // Every third product shares a matrix with the first.
      let aStarts = (0..<count).map { $0 % 3 == 2 ? 0 : $0 * m * k }
      let bStarts = (0..<count).map { (count - 1 - $0) * k * n }
      let product = MatrixProduct(
        m: m, n: n, k: k, transposeA: transposes.0, transposeB: transposes.1)
      let alone = (0..<count).flatMap { number in
        Self.run(
          product, on: set, pool: Pool(), a: Array(a[aStarts[number]..<aStarts[number] + m * k]),
          b: Array(b[bStarts[number]..<bStarts[number] + k * n]),
          c: [Float](repeating: .nan, count: m * n))
      }
      expectSameBits("\(batch) on \(set.testDescription)") { pool in
        var c = [Float](repeating: .nan, count: count * m * n)
        withScratch(bytes: ck_gemm_batch_scratch_bytes(count, m, n, k, pool.threads)) { scratch in
          set.kernels.gemm_batch_f32(
            pool.pointer, transposes.0, transposes.1, count, m, n, k, aStarts, bStarts, a, b, &c,
            scratch)
        }
        #expect(
          c.map(\.bitPattern) == alone.map(\.bitPattern), "\(batch), \(pool.threads) threads")
        return c
      }
    }
  }
}
