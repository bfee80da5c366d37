import CCrestKernels
import Testing

struct BatchNormTests {
  static let kernels = [
    "batch_norm_train_f32", "batch_norm_train_gradient_f32", "batch_norm_inference_f32",
  ]

  /// Around registers, wide rows, coefficient blocks and chunks.
  static let shapes: [(rows: Int, channels: Int)] = [
    (0, 3), (5, 0), (1, 1), (7, 1), (130, 1), (40_000, 1), (33, 3), (20_000, 3), (100, 5),
    (31, 7), (64, 16), (37, 17), (10, 31), (19, 32), (9, 40), (5, 70), (700, 64), (3, 600),
    (2, 1030), (90_000, 2),
  ]

  private func close(_ values: [Double], magnitude: Double, roundings: Double) -> [Expected] {
    values.map { Expected(value: $0, magnitude: magnitude + abs($0), roundings: roundings) }
  }

  @Test(arguments: shapes, InstructionSet.available)
  func `training statistics, output and gradients agree with the definition`(
    shape: (rows: Int, channels: Int), set: InstructionSet
  ) {
    let (rows, channels) = shape
    let count = rows * channels
    var numbers = SeededNumbers(seed: 21)
    let x = numbers.floats(count, in: -2..<5)
    let dy = numbers.floats(count)
    let scale = numbers.floats(channels, in: 0.5..<2)
    let bias = numbers.floats(channels)
    let epsilon: Float = 1e-3
    let reference = BatchNormReference(rows: rows, channels: channels, epsilon: epsilon, x: x)
    let pool = Pool(threads: 2)
    var y = [Float](repeating: .nan, count: count)
    var mean = [Float](repeating: .nan, count: channels)
    var variance = mean
    withScratch(bytes: ck_batch_norm_scratch_bytes(rows, channels)) { scratch in
      set.kernels.batch_norm_train_f32(
        pool.pointer, rows, channels, epsilon, x, scale, bias, &y, &mean, &variance, scratch)
    }
    let context = "(\(rows), \(channels))"
    let (exactMean, exactVariance) = (reference.mean(), reference.variance())
    expectClose(mean, close(exactMean, magnitude: 0, roundings: 2), "mean of \(context)")
    expectClose(
      variance, close(exactVariance, magnitude: 0, roundings: 2), "variance of \(context)")
    let normalised = reference.normalised(mean: exactMean, variance: exactVariance)
    expectClose(
      y,
      close(
        reference.output(normalised, scale: scale, bias: bias), magnitude: 4, roundings: 4),
      "y of \(context)")

    var dx = [Float](repeating: .nan, count: count)
    var dscale = [Float](repeating: .nan, count: channels)
    var dbias = dscale
    withScratch(bytes: ck_batch_norm_scratch_bytes(rows, channels)) { scratch in
      set.kernels.batch_norm_train_gradient_f32(
        pool.pointer, rows, channels, epsilon, x, dy, scale, mean, variance, &dx, &dscale, &dbias,
        scratch)
    }
    // From the float statistics that the kernel was given.
    let gradients = reference.gradients(
      dy: dy, scale: scale, mean: mean.map(Double.init), variance: variance.map(Double.init))
    let spread = Double(rows).squareRoot() * 4
    expectClose(
      dscale, close(gradients.dscale, magnitude: spread, roundings: 4), "dscale of \(context)")
    expectClose(
      dbias, close(gradients.dbias, magnitude: spread, roundings: 2), "dbias of \(context)")
    let steepest = rows == 1 ? 2 / Double(epsilon).squareRoot() : 20
    expectClose(dx, close(gradients.dx, magnitude: steepest, roundings: 6), "dx of \(context)")
  }

  @Test(arguments: shapes, InstructionSet.available)
  func `inference uses the statistics it is given`(
    shape: (rows: Int, channels: Int), set: InstructionSet
  ) {
    let (rows, channels) = shape
    var numbers = SeededNumbers(seed: 22)
    let x = numbers.floats(rows * channels, in: -3..<3)
    let scale = numbers.floats(channels, in: -2..<2)
    let bias = numbers.floats(channels)
    let mean = numbers.floats(channels)
    let variance = numbers.floats(channels, in: 0..<2)
    var y = [Float](repeating: .nan, count: x.count)
    set.kernels.batch_norm_inference_f32(
      Pool(threads: 2).pointer, rows, channels, 0.01, x, scale, bias, mean, variance, &y)
    let reference = BatchNormReference(rows: rows, channels: channels, epsilon: 0.01, x: x)
    let normalised = reference.normalised(
      mean: mean.map(Double.init), variance: variance.map(Double.init))
    expectClose(
      y,
      close(reference.output(normalised, scale: scale, bias: bias), magnitude: 80, roundings: 3),
      "(\(rows), \(channels))")
  }

  @Test(arguments: InstructionSet.available)
  func `a mean ten thousand times the deviation costs no digits of the output`(
    set: InstructionSet
  ) {
    let (rows, channels) = (500, 18)
    var numbers = SeededNumbers(seed: 23)
    let x = numbers.floats(rows * channels, in: 9999..<10001)
    let ones = [Float](repeating: 1, count: channels)
    let zeros = [Float](repeating: 0, count: channels)
    var y = x
    var (mean, variance) = (zeros, zeros)
    withScratch(bytes: ck_batch_norm_scratch_bytes(rows, channels)) { scratch in
      set.kernels.batch_norm_train_f32(
        Pool().pointer, rows, channels, 0, x, ones, zeros, &y, &mean, &variance, scratch)
    }
    let reference = BatchNormReference(rows: rows, channels: channels, epsilon: 0, x: x)
    let exact = reference.normalised(mean: reference.mean(), variance: reference.variance())
    expectClose(y, close(exact, magnitude: 2, roundings: 4), "y")
  }

  @Test(arguments: InstructionSet.available)
  func `a value that is not finite spoils its own channel only`(set: InstructionSet) {
    let (rows, channels) = (50, 20)
    var numbers = SeededNumbers(seed: 24)
    var x = numbers.floats(rows * channels)
    x[3 * channels + 4] = .nan
    x[9 * channels + 17] = .infinity
    let ones = [Float](repeating: 1, count: channels)
    var y = x
    var (mean, variance) = (ones, ones)
    withScratch(bytes: ck_batch_norm_scratch_bytes(rows, channels)) { scratch in
      set.kernels.batch_norm_train_f32(
        Pool().pointer, rows, channels, 1e-5, x, ones, ones, &y, &mean, &variance, scratch)
    }
    for index in y.indices {
      #expect(y[index].isNaN == [4, 17].contains(index % channels), "element \(index)")
    }
  }

  @Test(arguments: InstructionSet.available)
  func `batch normalisation gives the same bits for any number of threads`(set: InstructionSet) {
    let (rows, channels) = (9000, 24)
    var numbers = SeededNumbers(seed: 25)
    let x = numbers.floats(rows * channels)
    let dy = numbers.floats(rows * channels)
    let scale = numbers.floats(channels)
    expectSameBits("forward and backward") { pool in
      var (y, dx) = (x, x)
      var (mean, variance, dscale, dbias) = (scale, scale, scale, scale)
      withScratch(bytes: ck_batch_norm_scratch_bytes(rows, channels)) { scratch in
        set.kernels.batch_norm_train_f32(
          pool.pointer, rows, channels, 1e-5, x, scale, scale, &y, &mean, &variance, scratch)
        set.kernels.batch_norm_train_gradient_f32(
          pool.pointer, rows, channels, 1e-5, x, dy, scale, mean, variance, &dx, &dscale, &dbias,
          scratch)
      }
      return y + dx + mean + variance + dscale + dbias
    }
  }
}
