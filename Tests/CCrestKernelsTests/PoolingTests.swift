import CCrestKernels
import Testing

struct PoolingTests {
  static let kernels = [
    "max_pool2d_f32", "max_pool2d_gradient_f32", "average_pool2d_f32",
    "average_pool2d_gradient_f32",
  ]

  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var batch = 2
    var size = (height: 7, width: 6)
    var channels: [Int] = [1, 3, 4, 16, 17, 70]
    var kernel = 2
    var stride = 2
    var dilation = 1
    var padding = 0
    var output: (height: Int, width: Int)
    var countPadding = false

    func parameters(channels: Int) -> ck_pool2d {
      ck_pool2d(
        batch: batch, height: size.height, width: size.width, channels: channels,
        kernel_height: kernel, kernel_width: kernel, output_height: output.height,
        output_width: output.width, stride_height: stride, stride_width: stride,
        dilation_height: dilation, dilation_width: dilation, pad_top: padding, pad_left: padding,
        pad_bottom: padding, pad_right: padding, count_padding: countPadding)
    }
  }

  static let cases = [
    Case(testDescription: "halving", output: (3, 3)),
    Case(testDescription: "halving, rounded up", output: (4, 3)),
    Case(testDescription: "overlapping", kernel: 3, stride: 2, padding: 1, output: (4, 3)),
    Case(testDescription: "every position", kernel: 3, stride: 1, padding: 1, output: (7, 6)),
    Case(
      testDescription: "padding counts", kernel: 3, stride: 2, padding: 1, output: (4, 4),
      countPadding: true),
    Case(
      testDescription: "rounded up, padding counts", kernel: 3, stride: 3, padding: 1,
      output: (3, 3), countPadding: true),
    Case(testDescription: "dilated", kernel: 2, stride: 1, dilation: 3, output: (4, 3)),
    Case(
      testDescription: "dilated and padded", kernel: 3, stride: 2, dilation: 2, padding: 2,
      output: (4, 3), countPadding: true),
    Case(testDescription: "global", size: (5, 5), kernel: 5, stride: 1, output: (1, 1)),
    Case(
      testDescription: "windows with nothing in them", size: (2, 2), kernel: 1, stride: 1,
      padding: 1, output: (4, 4)),
    Case(
      testDescription: "side by side, a row and a column left over", size: (8, 10), kernel: 3,
      stride: 3, output: (2, 3)),
    Case(
      testDescription: "side by side, padded", size: (5, 8), kernel: 3, stride: 3, padding: 2,
      output: (3, 4)),
    Case(
      testDescription: "side by side, within the padding", size: (4, 4), kernel: 2, stride: 2,
      padding: 3, output: (1, 5)),
    Case(testDescription: "gaps between windows", size: (9, 9), stride: 3, output: (3, 3)),
    Case(testDescription: "no images", batch: 0, output: (3, 3)),
    Case(testDescription: "no channels", channels: [0], output: (3, 3)),
  ]

  /// Runs all four kernels; their results one after the other.
  private func run(
    _ p: ck_pool2d, _ x: [Float], _ dy: [Float], _ set: InstructionSet, _ pool: Pool
  ) -> [[Float]] {
    var p = p
    var maximum = [Float](repeating: .nan, count: dy.count)
    var average = maximum
    var maximumGradient = [Float](repeating: .nan, count: x.count)
    var averageGradient = maximumGradient
    set.kernels.max_pool2d_f32(pool.pointer, &p, x, &maximum)
    set.kernels.max_pool2d_gradient_f32(pool.pointer, &p, x, dy, &maximumGradient)
    set.kernels.average_pool2d_f32(pool.pointer, &p, x, &average)
    set.kernels.average_pool2d_gradient_f32(pool.pointer, &p, dy, &averageGradient)
    return [maximum, maximumGradient, average, averageGradient]
  }

  /// The gradient of the maximum, written over x.
  private func gradientInPlace(
    _ p: ck_pool2d, _ x: [Float], _ dy: [Float], _ set: InstructionSet
  ) -> [Float] {
    var p = p
    var x = x
    let pool = Pool(threads: 2)
    x.withUnsafeMutableBufferPointer { x in
      guard let base = x.baseAddress else { return }
      set.kernels.max_pool2d_gradient_f32(pool.pointer, &p, base, dy, base)
    }
    return x
  }

  @Test(arguments: cases, InstructionSet.available)
  func `pooling and its gradients agree with the definition`(test: Case, set: InstructionSet) {
    for channels in test.channels {
      for specials in [[], specialFloats] {
        let p = test.parameters(channels: channels)
        let reference = PoolingReference(p: p)
        var numbers = SeededNumbers(seed: UInt64(31 + channels))
        // Few distinct values, so that windows have ties.
        let values = numbers.floats(reference.inputCount, in: -3..<4).map { $0.rounded() }
        let x = numbers.placing(specials, in: values)
        let dy = numbers.floats(reference.outputCount)
        let results = run(p, x, dy, set, Pool(threads: 2))
        let context = "\(test.testDescription), \(channels) channels"
        expectClose(results[0], reference.maximum(x), "maximum, \(context)")
        expectClose(results[1], reference.maximumGradient(x, dy), "its gradient, \(context)")
        var parameters = p
        if ck_pool2d_is_tiling(&parameters) {
          #expect(gradientInPlace(p, x, dy, set).map(\.bitPattern) == results[1].map(\.bitPattern))
        }
        expectClose(results[2], reference.average(x), "average, \(context)")
        expectClose(results[3], reference.averageGradient(dy), "its gradient, \(context)")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `pooling gives the same bits for any number of threads`(set: InstructionSet) {
    let test = Case(
      testDescription: "", batch: 6, size: (20, 20), kernel: 3, stride: 2, padding: 1,
      output: (10, 10))
    let p = test.parameters(channels: 130)
    let reference = PoolingReference(p: p)
    var numbers = SeededNumbers(seed: 39)
    let x = numbers.floats(reference.inputCount)
    let dy = numbers.floats(reference.outputCount)
    expectSameBits("all four") { run(p, x, dy, set, $0).flatMap { $0 } }
  }
}
