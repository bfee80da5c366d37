import CCrestKernels
import Testing

struct BatchNormTests {
  static let kernels = ["normalization_f32", "normalization_gradient_f32", "affine_f32"]

  /// Around registers, wide rows, coefficient blocks and chunks.
  static let shapes: [(rows: Int, channels: Int)] = [
    (0, 3), (5, 0), (1, 1), (7, 1), (130, 1), (40_000, 1), (33, 3), (20_000, 3), (100, 5),
    (31, 7), (64, 16), (37, 17), (10, 31), (19, 32), (9, 40), (5, 70), (700, 64), (3, 600),
    (2, 1030), (90_000, 2),
  ]

  private func close(_ values: [Double], magnitude: Double, roundings: Double) -> [Expected] {
    values.map { Expected(value: $0, magnitude: magnitude + abs($0), roundings: roundings) }
  }

  /// A batch normalisation of rows: its coefficients, and y.
  private func forward(
    _ shape: (rows: Int, channels: Int), epsilon: Float, x: [Float], scale: [Float],
    bias: [Float], set: InstructionSet, pool: Pool
  ) -> (normalization: Normalization, y: [Float]) {
    let normalization = Normalization(scale: scale, bias: bias)
    let source = Floats(x)
    var call = normalization.call(epsilon: epsilon)
    withScratch(bytes: ck_batch_norm_scratch_bytes(shape.rows, shape.channels)) { scratch in
      set.kernels.normalization_f32(
        pool.pointer, shape.rows, shape.channels, source.base, &call, scratch)
    }
    let y = affine(
      shape, ck_affine(source, scale: normalization.factor, shift: normalization.shift), set, pool)
    withExtendedLifetime(source) {}
    return (normalization, y)
  }

  private func affine(
    _ shape: (rows: Int, channels: Int), _ x: ck_affine, _ set: InstructionSet, _ pool: Pool
  ) -> [Float] {
    var (x, y) = (x, [Float](repeating: .nan, count: shape.rows * shape.channels))
    set.kernels.affine_f32(pool.pointer, shape.rows, shape.channels, &x, &y)
    return y
  }

  /// The coefficients of the gradient, and dx.
  private func backward(
    _ shape: (rows: Int, channels: Int), epsilon: Float, x: [Float], dy: [Float],
    _ normalization: Normalization, set: InstructionSet, pool: Pool
  ) -> (gradient: NormalizationGradient, dx: [Float]) {
    let gradient = NormalizationGradient(
      x: Floats(x), scale: normalization.scale, mean: normalization.mean,
      variance: normalization.variance)
    let source = Floats(dy)
    var call = gradient.call(epsilon: epsilon)
    withScratch(bytes: ck_batch_norm_scratch_bytes(shape.rows, shape.channels)) { scratch in
      set.kernels.normalization_gradient_f32(
        pool.pointer, shape.rows, shape.channels, source.base, &call, scratch)
    }
    let dx = affine(
      shape,
      ck_affine(
        source, scale: gradient.dyFactor, shift: gradient.shift, second: gradient.x,
        secondScale: gradient.xFactor), set, pool)
    withExtendedLifetime(source) {}
    return (gradient, dx)
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
    let (normalization, y) = forward(
      shape, epsilon: epsilon, x: x, scale: scale, bias: bias, set: set, pool: pool)
    let (mean, variance) = (normalization.mean.values, normalization.variance.values)
    let context = "(\(rows), \(channels))"
    let (exactMean, exactVariance) = (reference.mean(), reference.variance())
    expectClose(mean, close(exactMean, magnitude: 0, roundings: 2), "mean of \(context)")
    expectClose(
      variance, close(exactVariance, magnitude: 0, roundings: 2), "variance of \(context)")
    let normalised = reference.normalised(mean: exactMean, variance: exactVariance)
    let steepest = rows == 1 ? 2 / Double(epsilon).squareRoot() : 20
    expectClose(
      y,
      close(
        reference.output(normalised, scale: scale, bias: bias), magnitude: 5 * steepest,
        roundings: 4),
      "y of \(context)")

    let (gradient, dx) = backward(
      shape, epsilon: epsilon, x: x, dy: dy, normalization, set: set, pool: pool)
    // From the float statistics that the kernel was given.
    let gradients = reference.gradients(
      dy: dy, scale: scale, mean: mean.map(Double.init), variance: variance.map(Double.init))
    let spread = Double(rows).squareRoot() * 4
    expectClose(
      gradient.dscale.values, close(gradients.dscale, magnitude: spread, roundings: 4),
      "dscale of \(context)")
    expectClose(
      gradient.dbias.values, close(gradients.dbias, magnitude: spread, roundings: 2),
      "dbias of \(context)")
    expectClose(dx, close(gradients.dx, magnitude: steepest * 5, roundings: 6), "dx of \(context)")
  }

  @Test(arguments: shapes, InstructionSet.available)
  func `affine maps agree with their definition`(
    shape: (rows: Int, channels: Int), set: InstructionSet
  ) {
    let (rows, channels) = shape
    let count = rows * channels
    var numbers = SeededNumbers(seed: 22)
    let x = numbers.placing(specialFloats, in: numbers.floats(count))
    let second = numbers.placing(specialFloats, in: numbers.floats(count))
    let vectors = (0..<3).map { _ in numbers.floats(channels) }
    let (xs, seconds, coefficients) = (Floats(x), Floats(second), vectors.map(Floats.init))
    for (hasSecond, relu) in [(false, false), (false, true), (true, false), (true, true)] {
      let y = affine(
        shape,
        ck_affine(
          xs, scale: coefficients[0], shift: coefficients[1], second: hasSecond ? seconds : nil,
          secondScale: hasSecond ? coefficients[2] : nil, relu: relu), set, Pool(threads: 2))
      let wanted = x.indices.map { index -> Expected in
        let c = index % channels
        var value = Expected()
        value.add(Double(x[index]) * Double(vectors[0][c]))
        value.add(Double(vectors[1][c]))
        if hasSecond { value.add(Double(second[index]) * Double(vectors[2][c])) }
        if relu, value.value <= 0 { value.value = 0 }
        return value
      }
      expectClose(y, wanted, "(\(rows), \(channels)), second \(hasSecond), relu \(relu)")
      let plain = affine(shape, ck_affine(xs), set, Pool(threads: 2))
      #expect(plain.map(\.bitPattern) == x.map(\.bitPattern))
    }
    withExtendedLifetime((xs, seconds, coefficients)) {}
  }

  @Test(arguments: InstructionSet.available)
  func `a mean ten thousand times the deviation costs no more than rounding x did`(
    set: InstructionSet
  ) {
    let (rows, channels) = (500, 18)
    var numbers = SeededNumbers(seed: 23)
    let x = numbers.floats(rows * channels, in: 9999..<10001)
    let ones = [Float](repeating: 1, count: channels)
    let zeros = [Float](repeating: 0, count: channels)
    let y = forward(
      (rows, channels), epsilon: 0, x: x, scale: ones, bias: zeros, set: set, pool: Pool()
    ).y
    let reference = BatchNormReference(rows: rows, channels: channels, epsilon: 0, x: x)
    let exact = reference.normalised(mean: reference.mean(), variance: reference.variance())
    // Half a unit of the mean's last place, in deviations of x, and no cancellation beyond it.
    expectClose(y, close(exact, magnitude: 10_000 * 3.0.squareRoot(), roundings: 1), "y")
  }

  @Test(arguments: InstructionSet.available)
  func `a value that is not finite spoils its own channel only`(set: InstructionSet) {
    let (rows, channels) = (50, 20)
    var numbers = SeededNumbers(seed: 24)
    var x = numbers.floats(rows * channels)
    x[3 * channels + 4] = .nan
    x[9 * channels + 17] = .infinity
    let ones = [Float](repeating: 1, count: channels)
    let y = forward(
      (rows, channels), epsilon: 1e-5, x: x, scale: ones, bias: ones, set: set, pool: Pool()
    ).y
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
      let (normalization, y) = forward(
        (rows, channels), epsilon: 1e-5, x: x, scale: scale, bias: scale, set: set, pool: pool)
      let (gradient, dx) = backward(
        (rows, channels), epsilon: 1e-5, x: x, dy: dy, normalization, set: set, pool: pool)
      return y + dx + normalization.mean.values + normalization.variance.values
        + gradient.dscale.values + gradient.dbias.values
    }
  }
}
