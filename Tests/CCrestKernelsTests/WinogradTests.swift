import CCrestKernels
import Testing

/// Winograd's convolutions against the definitions, with what they do to their input and output.
struct WinogradTests {
  static let kernels = [
    "winograd_filters_f32", "winograd_conv2d_f32", "winograd_filter_gradient_f32",
    "winograd_gradients_f32",
  ]

  /// Sizes around the tiles, the runs of tiles, the blocks and the registers.
  static let convolutions: [Convolution] = [
    Convolution(size: (1, 1), channels: 1, filters: 1),
    Convolution(size: (4, 4), channels: 16, filters: 16),
    Convolution(batch: 2, size: (5, 9), channels: 5, filters: 7),
    Convolution(batch: 3, size: (8, 8), channels: 20, filters: 33),
    Convolution(size: (6, 37), channels: 17, filters: 3),
    Convolution(batch: 31, size: (3, 3), channels: 2, filters: 40),
    Convolution(batch: 2, size: (13, 40), channels: 31, filters: 16),
    Convolution(batch: 2, size: (7, 6), channels: 3, filters: 4, pad: (0, 0, 0, 0)),
    Convolution(batch: 2, size: (12, 12), channels: 20, filters: 50, pad: (0, 0, 0, 0)),
    Convolution(size: (5, 5), channels: 3, filters: 18, pad: (2, 2, 2, 2)),
    Convolution(size: (6, 5), channels: 4, filters: 5, pad: (0, 1, 2, 2)),
    Convolution(batch: 0, size: (4, 4), channels: 2, filters: 3),
    Convolution(size: (4, 4), channels: 0, filters: 3),
    Convolution(size: (4, 4), channels: 2, filters: 0),
    Convolution(size: (2, 4), channels: 2, filters: 3, pad: (0, 0, 0, 0)),
  ]

  /// F(tile × tile, taps × taps).
  struct Form: CustomTestStringConvertible, Sendable {
    let tile: Int
    let taps: Int

    var testDescription: String { "F(\(tile), \(taps))" }

    /// A convolution of 3 × 3, or one of 5 × 5 with the same sizes where it has padding.
    func applied(to convolution: Convolution) -> Convolution {
      var wider = convolution
      wider.kernel = (taps, taps)
      let more = convolution.pad == (0, 0, 0, 0) ? 0 : (taps - 3) / 2
      wider.pad.top += more
      wider.pad.left += more
      wider.pad.bottom += more
      wider.pad.right += more
      return wider
    }
  }
  static let forms = [Form(tile: 2, taps: 3), Form(tile: 4, taps: 3), Form(tile: 2, taps: 5)]

  /// What the tests ask of a result: its error may grow with the number of points.
  private func close(
    _ expected: [Expected], _ convolution: Convolution, tile: Int
  ) -> [Expected] {
    let magnitude = expected.map(\.magnitude).max() ?? 0
    return expected.map { one in
      Expected(
        value: one.value, magnitude: magnitude,
        roundings: one.roundings + (tile + convolution.kernel.height > 6 ? 100 : 10))
    }
  }

  private func scratch<Result>(_ bytes: Int, _ body: (UnsafeMutableRawPointer) -> Result) -> Result
  {
    withScratch(bytes: bytes, body)
  }

  /// Transformed filters of a convolution, or of its input's gradient.
  private func filters(
    _ convolution: Convolution, tile: Int, turned: Bool, _ w: [Float], _ set: InstructionSet,
    _ pool: Pool
  ) -> [Float] {
    let (inner, outer) =
      turned
      ? (convolution.filters, convolution.channels) : (convolution.channels, convolution.filters)
    var u = [Float](
      repeating: .nan,
      count: ck_winograd_filter_floats(tile, convolution.kernel.height, inner, outer))
    set.kernels.winograd_filters_f32(
      pool.pointer, tile, convolution.kernel.height, convolution.filters, convolution.channels,
      turned, w, &u)
    return u
  }

  /// A result that is stored as it is.
  private func plain(_ y: UnsafeMutablePointer<Float>) -> ck_conv2d_output {
    ck_conv2d_output(
      y: y, bias: nil, addend: nil, mask: nil, mask_scale: nil, mask_shift: nil,
      normalization: nil, gradient_count: 0, gradients: (nil, nil))
  }

  /// One call over an image and a result, the rest as `settings` say.
  private func convolve(
    _ p: ck_conv2d, tile: Int, x: ck_affine, u: [Float], set: InstructionSet, pool: Pool,
    input: UnsafeMutablePointer<Float>? = nil, settings: (inout ck_conv2d_output) -> Void = { _ in }
  ) -> [Float] {
    var (p, x) = (p, x)
    let count = p.batch * p.output_height * p.output_width * p.output_channels
    let guardValue: Float = 12345
    var y = [Float](repeating: .nan, count: count) + Array(repeating: guardValue, count: 40)
    scratch(ck_winograd_conv2d_scratch_bytes(&p, tile, pool.threads)) { scratch in
      y.withUnsafeMutableBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return }
        var output = plain(start)
        settings(&output)
        set.kernels.winograd_conv2d_f32(pool.pointer, tile, &p, &x, input, u, &output, scratch)
      }
    }
    #expect(y[count...].allSatisfy { $0 == guardValue }, "written past the output's end")
    return Array(y[..<count])
  }

  /// y, dx and dw of one instruction set.
  private func run(
    _ convolution: Convolution, tile: Int, set: InstructionSet, pool: Pool, x: [Float], w: [Float],
    bias: [Float]?, dy: [Float]
  ) -> ConvolutionTests.Results {
    var p = convolution.parameters
    let (x, dy, bias) = (Floats(x), Floats(dy), bias.map(Floats.init))
    var (imageX, imageDY) = (ck_affine(x), ck_affine(dy))
    let y = convolve(
      p, tile: tile, x: imageX, u: filters(convolution, tile: tile, turned: false, w, set, pool),
      set: set, pool: pool
    ) { output in output.bias = bias.map { UnsafePointer($0.base) } }
    let turned = filters(convolution, tile: tile, turned: true, w, set, pool)
    let dx = convolve(
      ck_conv2d_input_gradient_as_conv2d(&p), tile: tile, x: imageDY, u: turned, set: set,
      pool: pool)
    var dw = [Float](repeating: .nan, count: convolution.filterCount)
    scratch(ck_winograd_filter_gradient_scratch_bytes(&p, tile, pool.threads)) { scratch in
      set.kernels.winograd_filter_gradient_f32(
        pool.pointer, tile, &p, &imageX, &imageDY, &dw, scratch)
    }
    let both = gradients(
      p, tile: tile, x: imageX, dy: imageDY, u: turned, set: set, pool: pool)
    for (together, alone) in [(both.dx, dx), (both.dw, dw)] {
      #expect(together.map(\.bitPattern) == alone.map(\.bitPattern), "\(set.testDescription)")
    }
    return ConvolutionTests.Results(y: y, dx: dx, dw: dw)
  }

  /// dx and dw of one call.
  private func gradients(
    _ p: ck_conv2d, tile: Int, x: ck_affine, dy: ck_affine, u: [Float], set: InstructionSet,
    pool: Pool
  ) -> (dx: [Float], dw: [Float]) {
    var (p, x, dy) = (p, x, dy)
    let dx = Floats(count: p.batch * p.height * p.width * p.channels)
    let dw = Floats(count: p.output_channels * p.channels * p.kernel_height * p.kernel_width)
    var output = plain(dx.base)
    scratch(ck_winograd_gradients_scratch_bytes(&p, tile, pool.threads)) { scratch in
      set.kernels.winograd_gradients_f32(
        pool.pointer, tile, &p, &x, &dy, nil, u, &output, dw.base, scratch)
    }
    return (dx.values, dw.values)
  }

  @Test(arguments: convolutions, forms)
  func `a convolution and its gradients agree with their definitions`(
    convolution: Convolution, form: Form
  ) {
    let (convolution, tile) = (form.applied(to: convolution), form.tile)
    #expect(withUnsafePointer(to: convolution.parameters) { ck_winograd_conv2d_serves($0, tile) })
    let seed = UInt64(convolution.inputCount * 31 + convolution.filterCount)
    var numbers = SeededNumbers(seed: seed)
    let x = numbers.floats(convolution.inputCount)
    let w = numbers.floats(convolution.filterCount)
    let bias = numbers.floats(convolution.filters)
    let dy = numbers.floats(convolution.outputCount)
    let y = close(convolution.reference(x: x, w: w, bias: bias), convolution, tile: tile)
    let dx = close(convolution.inputGradientReference(dy: dy, w: w), convolution, tile: tile)
    let dw = close(convolution.filterGradientReference(x: x, dy: dy), convolution, tile: tile)
    for set in InstructionSet.available {
      let context = "\(set.testDescription), seed \(seed)"
      let results = run(
        convolution, tile: tile, set: set, pool: Pool(threads: 2), x: x, w: w, bias: bias, dy: dy)
      expectClose(results.y, y, "y, \(context)")
      expectClose(results.dx, dx, "dx, \(context)")
      expectClose(results.dw, dw, "dw, \(context)")
    }
  }

  @Test(arguments: convolutions.filter { $0.outputCount * $0.inputCount > 0 }, forms)
  func `what depends on a value that is not finite is not finite`(
    convolution: Convolution, form: Form
  ) {
    let (convolution, tile) = (form.applied(to: convolution), form.tile)
    for special in [Float.infinity, -.infinity, .nan] {
      var numbers = SeededNumbers(seed: 5)
      let x = numbers.placing([special], in: numbers.floats(convolution.inputCount))
      let dy = numbers.placing([special], in: numbers.floats(convolution.outputCount))
      let w = numbers.floats(convolution.filterCount)
      let expected = ConvolutionTests.Results(
        y: convolution.reference(x: x, w: w, bias: nil).map { Float($0.value) },
        dx: convolution.inputGradientReference(dy: dy, w: w).map { Float($0.value) },
        dw: convolution.filterGradientReference(x: x, dy: dy).map { Float($0.value) })
      for set in InstructionSet.available {
        let results = run(
          convolution, tile: tile, set: set, pool: Pool(), x: x, w: w, bias: nil, dy: dy)
        for (actual, wanted) in [
          (results.y, expected.y), (results.dx, expected.dx), (results.dw, expected.dw),
        ] {
          let lost = zip(actual, wanted).contains { $0.isFinite && !$1.isFinite }
          #expect(!lost, "\(special) is lost, \(set.testDescription)")
        }
      }
    }
  }

  @Test(arguments: forms)
  func `zeros give zeros`(form: Form) {
    let convolution = form.applied(to: Convolution(size: (5, 6), channels: 3, filters: 4))
    let w = [Float](repeating: 0.5, count: convolution.filterCount)
    for zero in [Float(0), -0.0] {
      let x = [Float](repeating: zero, count: convolution.inputCount)
      let dy = [Float](repeating: zero, count: convolution.outputCount)
      for set in InstructionSet.available {
        let results = run(
          convolution, tile: form.tile, set: set, pool: Pool(), x: x, w: w, bias: nil, dy: dy)
        #expect((results.y + results.dx + results.dw).allSatisfy { $0 == 0 })
      }
    }
  }

  @Test(
    arguments: [
      Convolution(batch: 9, size: (18, 23), channels: 5, filters: 18),
      Convolution(batch: 131, size: (8, 8), channels: 3, filters: 20),
    ], forms)
  func `any number of threads gives the same bits`(convolution: Convolution, form: Form) {
    let (convolution, tile) = (form.applied(to: convolution), form.tile)
    var numbers = SeededNumbers(seed: 11)
    let x = numbers.floats(convolution.inputCount)
    let w = numbers.floats(convolution.filterCount)
    let dy = numbers.floats(convolution.outputCount)
    for set in InstructionSet.available {
      expectSameBits(set.testDescription) { pool in
        let results = run(
          convolution, tile: tile, set: set, pool: pool, x: x, w: w, bias: nil, dy: dy)
        return results.y + results.dx + results.dw
      }
    }
  }

  /// Sizes of `same` padding, whole registers of channels and not.
  static let images = [
    Convolution(batch: 3, size: (9, 7), channels: 5, filters: 18),
    Convolution(batch: 5, size: (8, 8), channels: 16, filters: 16),
  ]

  @Test(arguments: images, forms)
  func `an image is normalised, joined and cut off while it is read, and kept`(
    convolution: Convolution, form: Form
  ) {
    let (convolution, tile) = (form.applied(to: convolution), form.tile)
    var numbers = SeededNumbers(seed: 12)
    let (x, second) = (
      numbers.floats(convolution.inputCount), numbers.floats(convolution.inputCount)
    )
    let (scale, secondScale) = (
      numbers.floats(convolution.channels), numbers.floats(convolution.channels)
    )
    let shift = numbers.floats(convolution.channels)
    let w = numbers.floats(convolution.filterCount)
    let dy = numbers.floats(convolution.outputCount)
    for (hasSecond, relu) in [(false, false), (false, true), (true, false), (true, true)] {
      let image = x.indices.map { index -> Float in
        let c = index % convolution.channels
        let joined = hasSecond ? Double(second[index]) * Double(secondScale[c]) : 0
        let value = Double(x[index]) * Double(scale[c]) + joined + Double(shift[c])
        return Float(relu ? max(value, 0) : value)
      }
      let y = close(convolution.reference(x: image, w: w, bias: nil), convolution, tile: tile)
      let dw = close(convolution.filterGradientReference(x: image, dy: dy), convolution, tile: tile)
      for set in InstructionSet.available {
        let context = "second \(hasSecond), relu \(relu), \(set.testDescription)"
        let pool = Pool(threads: 2)
        var p = convolution.parameters
        let (x, dy, kept) = (Floats(x), Floats(dy), Floats(count: x.count))
        var gradient = ck_affine(dy)
        let coefficients = [scale, shift, second, secondScale].map(Floats.init)
        var affine = ck_affine(
          x, scale: coefficients[0], shift: coefficients[1],
          second: hasSecond ? coefficients[2] : nil, secondScale: hasSecond ? coefficients[3] : nil,
          relu: relu)
        let u = filters(convolution, tile: tile, turned: false, w, set, pool)
        let actual = convolve(
          p, tile: tile, x: affine, u: u, set: set, pool: pool, input: kept.base)
        expectClose(actual, y, "y, \(context)")
        var actualDW = [Float](repeating: .nan, count: convolution.filterCount)
        scratch(ck_winograd_filter_gradient_scratch_bytes(&p, tile, pool.threads)) { scratch in
          set.kernels.winograd_filter_gradient_f32(
            pool.pointer, tile, &p, &affine, &gradient, &actualDW, scratch)
        }
        withExtendedLifetime((x, dy, coefficients)) {}
        expectClose(actualDW, dw, "dw, \(context)")
        let wanted = image.map { Expected(value: Double($0), magnitude: 3, roundings: 3) }
        expectClose(kept.values, wanted, "image, \(context)")
      }
    }
  }

  @Test(arguments: images, forms)
  func `a result is normalised while it is stored`(convolution: Convolution, form: Form) {
    let (convolution, tile) = (form.applied(to: convolution), form.tile)
    var numbers = SeededNumbers(seed: 13)
    let x = numbers.floats(convolution.inputCount)
    let w = numbers.floats(convolution.filterCount)
    // Far from zero, where sums of squares would cancel.
    let bias = numbers.floats(convolution.filters, in: 900..<1100)
    let (scale, shift) = (
      numbers.floats(convolution.filters, in: 0.5..<2), numbers.floats(convolution.filters)
    )
    let pool = Pool(threads: 2)
    for set in InstructionSet.available {
      let normalization = Normalization(scale: scale, bias: shift)
      let call = normalization.call(epsilon: 1e-3)
      let (image, added) = (Floats(x), Floats(bias))
      let u = filters(convolution, tile: tile, turned: false, w, set, pool)
      let y = withUnsafePointer(to: call) { call in
        convolve(
          convolution.parameters, tile: tile, x: ck_affine(image), u: u, set: set, pool: pool
        ) { output in
          output.bias = UnsafePointer(added.base)
          output.normalization = call
        }
      }
      let (mean, variance) = (normalization.mean.values, normalization.variance.values)
      let (factor, offset) = (normalization.factor.values, normalization.shift.values)
      withExtendedLifetime((image, added)) {}
      let reference = BatchNormReference(
        rows: y.count / convolution.filters, channels: convolution.filters, epsilon: 1e-3, x: y)
      let (exactMean, exactVariance) = (reference.mean(), reference.variance())
      func expect(_ actual: [Float], _ wanted: [Double], roundings: Double, _ name: String) {
        expectClose(
          actual, wanted.map { Expected(value: $0, magnitude: abs($0), roundings: roundings) },
          "\(name), \(set.testDescription)")
      }
      expect(mean, exactMean, roundings: 2, "mean")
      expect(variance, exactVariance, roundings: 40, "variance")
      let exactFactor = zip(scale, exactVariance).map { Double($0) / ($1 + 1e-3).squareRoot() }
      expect(factor, exactFactor, roundings: 40, "factor")
      let exactShift = shift.indices.map {
        Double(shift[$0]) - exactMean[$0] * Double(factor[$0])
      }
      expect(offset, exactShift, roundings: 2, "shift")
    }
  }

  @Test(arguments: images, forms)
  func `a gradient is joined, masked and summed while it is stored`(
    convolution: Convolution, form: Form
  ) {
    let (convolution, tile) = (form.applied(to: convolution), form.tile)
    var numbers = SeededNumbers(seed: 14)
    let x = numbers.floats(convolution.inputCount)
    let w = numbers.floats(convolution.filterCount)
    let (addend, mask) = (
      numbers.floats(convolution.outputCount), numbers.floats(convolution.outputCount)
    )
    let others = [
      numbers.floats(convolution.outputCount), numbers.floats(convolution.outputCount),
    ]
    let channels = convolution.filters
    let means = [numbers.floats(channels), numbers.floats(channels)]
    let (scale, shift) = (numbers.floats(channels), numbers.floats(channels))
    let variance = numbers.floats(channels, in: 0.5..<2)
    let pool = Pool(threads: 2)
    for isScaled in [false, true] {
      let wanted = convolution.reference(x: x, w: w, bias: nil).enumerated().map {
        index, expected -> Expected in
        let c = index % channels
        let chooser =
          isScaled ? Double(mask[index]) * Double(scale[c]) + Double(shift[c]) : Double(mask[index])
        var expected = expected
        expected.add(Double(addend[index]))
        if chooser <= 0 { expected.value = 0 }
        return expected
      }
      for set in InstructionSet.available {
        let context = "scaled \(isScaled), \(set.testDescription)"
        let u = filters(convolution, tile: tile, turned: false, w, set, pool)
        let (image, added, chooser) = (Floats(x), Floats(addend), Floats(mask))
        let (scales, shifts) = (Floats(scale), Floats(shift))
        let gradients = (0..<2).map { number in
          NormalizationGradient(
            x: Floats(others[number]), scale: scales, mean: Floats(means[number]),
            variance: Floats(variance))
        }
        let y = gradients.map { $0.call(epsilon: 1e-3) }.withUnsafeBufferPointer { calls in
          convolve(
            convolution.parameters, tile: tile, x: ck_affine(image), u: u, set: set, pool: pool
          ) { output in
            output.addend = UnsafePointer(added.base)
            output.mask = UnsafePointer(chooser.base)
            if isScaled {
              output.mask_scale = UnsafePointer(scales.base)
              output.mask_shift = UnsafePointer(shifts.base)
            }
            output.gradient_count = 2
            output.gradients.0 = calls.baseAddress
            output.gradients.1 = calls.baseAddress.map { $0 + 1 }
          }
        }
        withExtendedLifetime((image, added, chooser, scales, shifts)) {}
        expectClose(y, close(wanted, convolution, tile: tile), "y, \(context)")
        for number in 0..<2 {
          let reference = BatchNormReference(
            rows: y.count / channels, channels: channels, epsilon: 1e-3, x: others[number])
          let exact = reference.gradients(
            dy: y, scale: scale, mean: means[number].map(Double.init),
            variance: variance.map(Double.init))
          let part = gradients[number]
          let size = Double(y.count / channels) * 20
          func close(_ values: [Double], _ magnitude: Double) -> [Expected] {
            values.map { Expected(value: $0, magnitude: magnitude, roundings: 8) }
          }
          expectClose(
            part.dscale.values, close(exact.dscale, size), "dscale \(number), \(context)")
          expectClose(part.dbias.values, close(exact.dbias, size), "dbias \(number), \(context)")
          let (dyFactor, xFactor) = (part.dyFactor.values, part.xFactor.values)
          let offset = part.shift.values
          let dx = y.indices.map { index -> Float in
            let c = index % channels
            let fromDY = Double(y[index]) * Double(dyFactor[c])
            let fromX = Double(others[number][index]) * Double(xFactor[c])
            return Float(fromDY + fromX + Double(offset[c]))
          }
          expectClose(dx, close(exact.dx, 200), "dx \(number), \(context)")
        }
      }
    }
  }
}
