import CCrestKernels
import Testing

struct ConvolutionTests {
  static let kernels = ["conv2d_f32", "conv2d_input_gradient_f32", "conv2d_filter_gradient_f32"]

  static let convolutions: [Convolution] = [
    // Widths around a tile's rows, filters around its columns.
    Convolution(batch: 2, size: (5, 13), channels: 4, filters: 16),
    Convolution(size: (4, 14), channels: 3, filters: 17),
    Convolution(size: (4, 15), channels: 1, filters: 33),
    Convolution(size: (3, 29), channels: 5, filters: 7),
    Convolution(batch: 3, size: (6, 7), channels: 16, filters: 31),
    // More images than parts, more rows than a block, more than one panel either way.
    Convolution(batch: 19, size: (3, 3), channels: 2, filters: 3),
    Convolution(size: (24, 40), channels: 17, filters: 2),
    Convolution(size: (3, 4), channels: 35, filters: 40),
    // One by one.
    Convolution(
      batch: 2, size: (5, 6), channels: 7, filters: 9, kernel: (1, 1), pad: (0, 0, 0, 0)),
    Convolution(
      size: (7, 8), channels: 5, filters: 6, kernel: (1, 1), stride: (2, 2), pad: (0, 0, 0, 0)),
    Convolution(size: (4, 4), channels: 3, filters: 4, kernel: (1, 1)),
    Convolution(size: (1, 1), channels: 3, filters: 2),
    // Strides, longer than the kernel, than the image, different by axis.
    Convolution(size: (9, 11), channels: 4, filters: 5, stride: (2, 2)),
    Convolution(
      size: (16, 18), channels: 3, filters: 8, kernel: (7, 7), stride: (2, 2), pad: (3, 3, 3, 3)),
    Convolution(size: (11, 10), channels: 3, filters: 4, stride: (5, 4)),
    Convolution(size: (3, 5), channels: 2, filters: 3, stride: (7, 9)),
    Convolution(size: (8, 9), channels: 2, filters: 5, stride: (3, 1)),
    // Dilation, alone and sharing a divisor with the stride.
    Convolution(
      size: (9, 12), channels: 3, filters: 4, dilation: (2, 3), pad: (2, 3, 2, 3)),
    Convolution(
      size: (11, 13), channels: 2, filters: 3, kernel: (3, 4), stride: (4, 2), dilation: (2, 3)),
    Convolution(size: (8, 9), channels: 2, filters: 3, stride: (2, 2), dilation: (2, 2)),
    // Kernels of two sizes, even, larger than the image; padding on one side, or past the kernel.
    Convolution(size: (6, 5), channels: 3, filters: 4, kernel: (2, 5), pad: (0, 4, 1, 0)),
    Convolution(size: (2, 3), channels: 2, filters: 3, kernel: (5, 5), pad: (2, 2, 2, 2)),
    Convolution(size: (4, 5), channels: 2, filters: 3, kernel: (2, 2), pad: (4, 3, 5, 2)),
    Convolution(size: (5, 5), channels: 3, filters: 2, pad: (0, 0, 0, 0)),
    Convolution(size: (6, 6), channels: 3, filters: 2, stride: (2, 2), hanging: 1),
    // Groups, down to one channel each, with one filter or several.
    Convolution(size: (5, 6), channels: 4, filters: 6, groups: 2),
    Convolution(size: (6, 17), channels: 9, filters: 51, stride: (2, 1), groups: 3),
    Convolution(size: (5, 9), channels: 17, filters: 17, groups: 17),
    Convolution(batch: 2, size: (6, 7), channels: 3, filters: 3, stride: (2, 2), groups: 3),
    Convolution(
      size: (7, 19), channels: 8, filters: 8, kernel: (5, 3), dilation: (1, 2), pad: (2, 2, 2, 2),
      groups: 8),
    Convolution(size: (4, 5), channels: 3, filters: 6, groups: 3),
    // Nothing of something.
    Convolution(batch: 0, size: (4, 4), channels: 2, filters: 3),
    Convolution(size: (4, 4), channels: 0, filters: 3),
    Convolution(size: (4, 4), channels: 2, filters: 0),
    Convolution(size: (0, 4), channels: 2, filters: 3),
    Convolution(size: (4, 2), channels: 2, filters: 3, pad: (0, 0, 0, 0)),
    Convolution(size: (2, 4), channels: 2, filters: 3, pad: (0, 0, 0, 0)),
    Convolution(size: (2, 2), channels: 4, filters: 4, kernel: (4, 4), groups: 4),
  ]

  /// Every output of one instruction set: y, dx and dw.
  struct Results {
    var y: [Float]
    var dx: [Float]
    var dw: [Float]
  }

  private static func output(
    _ count: Int, scratchBytes: Int,
    _ body: (UnsafeMutablePointer<Float>, UnsafeMutableRawPointer) -> Void
  ) -> [Float] {
    let guardValue: Float = 12345
    var output = [Float](repeating: .nan, count: count) + Array(repeating: guardValue, count: 40)
    withScratch(bytes: scratchBytes) { scratch in
      output.withUnsafeMutableBufferPointer { buffer in
        if let start = buffer.baseAddress { body(start, scratch) }
      }
    }
    #expect(output[count...].allSatisfy { $0 == guardValue }, "written past the output's end")
    return Array(output[..<count])
  }

  static func run(
    _ convolution: Convolution, on set: InstructionSet, pool: Pool, x: [Float], w: [Float],
    bias: [Float]?, dy: [Float]
  ) -> Results {
    var p = convolution.parameters
    let kernels = set.kernels
    let y = output(
      convolution.outputCount, scratchBytes: ck_conv2d_scratch_bytes(&p, pool.threads)
    ) { y, scratch in
      func call(_ bias: UnsafePointer<Float>?) {
        kernels.conv2d_f32(pool.pointer, &p, x, w, bias, y, scratch)
      }
      if let bias { bias.withUnsafeBufferPointer { call($0.baseAddress) } } else { call(nil) }
    }
    let dx = output(
      convolution.inputCount,
      scratchBytes: ck_conv2d_input_gradient_scratch_bytes(&p, pool.threads)
    ) { dx, scratch in
      kernels.conv2d_input_gradient_f32(pool.pointer, &p, dy, w, dx, scratch)
    }
    let dw = output(
      convolution.filterCount,
      scratchBytes: ck_conv2d_filter_gradient_scratch_bytes(&p, pool.threads)
    ) { dw, scratch in
      kernels.conv2d_filter_gradient_f32(pool.pointer, &p, x, dy, dw, scratch)
    }
    return Results(y: y, dx: dx, dw: dw)
  }

  @Test(arguments: convolutions)
  func `a convolution and its gradients agree with their definitions`(convolution: Convolution) {
    let seed = UInt64(convolution.inputCount * 31 + convolution.filterCount)
    var numbers = SeededNumbers(seed: seed)
    let x = numbers.floats(convolution.inputCount)
    let w = numbers.floats(convolution.filterCount)
    let bias = numbers.floats(convolution.filters)
    let dy = numbers.floats(convolution.outputCount)
    let y = convolution.reference(x: x, w: w, bias: bias)
    let plain = convolution.reference(x: x, w: w, bias: nil)
    let dx = convolution.inputGradientReference(dy: dy, w: w)
    let dw = convolution.filterGradientReference(x: x, dy: dy)
    let pool = Pool(threads: 2)
    for set in InstructionSet.available {
      let context = "\(set.testDescription), seed \(seed)"
      let results = Self.run(convolution, on: set, pool: pool, x: x, w: w, bias: bias, dy: dy)
      expectClose(results.y, y, "y with bias, \(context)")
      expectClose(results.dx, dx, "dx, \(context)")
      expectClose(results.dw, dw, "dw, \(context)")
      let unbiased = Self.run(convolution, on: set, pool: pool, x: x, w: w, bias: nil, dy: dy)
      expectClose(unbiased.y, plain, "y, \(context)")
    }
  }

  @Test(
    arguments: convolutions.filter { $0.outputCount * $0.inputCount > 0 }, 0..<2 as Range<UInt64>)
  func `zeros, infinities and NaN propagate as in plain arithmetic`(
    convolution: Convolution, seed: UInt64
  ) {
    var numbers = SeededNumbers(seed: seed)
    let x = numbers.placing(specialFloats, in: numbers.floats(convolution.inputCount))
    let dy = numbers.placing(specialFloats, in: numbers.floats(convolution.outputCount))
    // Finite, for dx is a sum over the outputs that exist: no padding takes part in it.
    let w = numbers.floats(convolution.filterCount)
    let y = convolution.reference(x: x, w: w, bias: nil)
    let dx = convolution.inputGradientReference(dy: dy, w: w)
    let dw = convolution.filterGradientReference(x: x, dy: dy)
    let pool = Pool()
    for set in InstructionSet.available {
      let context = "\(set.testDescription), seed \(seed)"
      let results = Self.run(convolution, on: set, pool: pool, x: x, w: w, bias: nil, dy: dy)
      expectClose(results.y, y, "y, \(context)")
      expectClose(results.dx, dx, "dx, \(context)")
      expectClose(results.dw, dw, "dw, \(context)")
    }
  }

  @Test(arguments: [
    Convolution(batch: 19, size: (6, 9), channels: 5, filters: 18),
    Convolution(batch: 3, size: (24, 40), channels: 17, filters: 4, stride: (2, 2)),
    Convolution(batch: 5, size: (8, 9), channels: 18, filters: 18, groups: 18),
    Convolution(batch: 4, size: (9, 9), channels: 6, filters: 8, kernel: (1, 1), pad: (0, 0, 0, 0)),
  ])
  func `any number of threads gives the same bits`(convolution: Convolution) {
    var numbers = SeededNumbers(seed: 11)
    let x = numbers.floats(convolution.inputCount)
    let w = numbers.floats(convolution.filterCount)
    let dy = numbers.floats(convolution.outputCount)
    for set in InstructionSet.available {
      expectSameBits(set.testDescription) { pool in
        let results = Self.run(convolution, on: set, pool: pool, x: x, w: w, bias: nil, dy: dy)
        return results.y + results.dx + results.dw
      }
    }
  }
}
