import CrestGraph
import CrestTensor

extension OperatorTable {
  /// Convolutions and pools.
  static let convolutions: [String: [OperatorImport]] = [
    "AveragePool": [
      OperatorImport(inputs: 1...1) { node in
        [try node.input(0).averagePool(node.poolAttributes(isAverage: true))]
      }
    ],
    "Conv": [
      OperatorImport(
        inputs: 2...3, slots: [1: .parameter(.weight), 2: .parameter(.bias)]
      ) { node in
        let (x, filter) = try (node.input(0), node.input(1))
        let window = try node.window(x, kernel: Array(filter.shape.dropFirst(2)))
        let attributes = ConvAttributes(
          strides: window.strides, dilations: window.dilations, padsBefore: window.padsBefore,
          padsAfter: window.padsAfter, groups: try node.integer("group", default: 1))
        let bias = [node.optionalInput(2)].compactMap(\.self)
        return try node.builder.apply(Conv(attributes), [x, filter] + bias)
      }
    ],
    "ConvTranspose": [
      OperatorImport(
        inputs: 2...3, slots: [1: .parameter(.weight), 2: .parameter(.bias)]
      ) { node in
        let (x, filter) = try (node.input(0), node.input(1))
        let (attributes, outputPadding) = try node.transposedWindow(
          x, kernel: Array(filter.shape.dropFirst(2)))
        return [
          try x.convTransposed(
            filter, bias: node.optionalInput(2), attributes, outputPadding: outputPadding)
        ]
      }
    ],
    "GlobalAveragePool": [.unary { _, x in try x.globalAveragePool() }],
    "GlobalMaxPool": [
      .unary { _, x in try x.globalMaxPool() }
    ],
    "GridSample": [
      OperatorImport(since: 16, inputs: 2...2) { node in
        let modes = [
          "linear": Symbol.GridSampleAttributes.Mode.bilinear, "bilinear": .bilinear,
          "nearest": .nearest,
          "cubic": .bicubic, "bicubic": .bicubic,
        ]
        let mode = try node.text("mode", default: "bilinear", of: modes.keys.sorted())
        let padding = try node.text(
          "padding_mode", default: "zeros",
          of: Symbol.GridSampleAttributes.Padding.allCases.map(\.rawValue))
        return [
          try node.input(0).sampled(
            at: node.input(1),
            Symbol.GridSampleAttributes(
              mode: modes[mode] ?? .bilinear,
              padding: Symbol.GridSampleAttributes.Padding(rawValue: padding) ?? .zeros,
              alignsCorners: node.flag("align_corners")))
        ]
      }
    ],
    "MaxUnpool": [
      OperatorImport(since: 9, inputs: 2...3, slots: [1: .choice, 2: .setting]) { node in
        let x = try node.input(0)
        guard let kernel = try node.integers("kernel_shape") else {
          throw node.problem(expected: "the attribute kernel_shape", got: "none")
        }
        let window = try node.window(x, kernel: kernel)
        var sizes = Array(x.shape[..<2])
        for axis in kernel.indices {
          let (long, overflow) = (x.shape[axis + 2] - 1).multipliedReportingOverflow(
            by: window.strides[axis])
          guard !overflow, abs(long) < .max / 4, kernel[axis] < .max / 4 else {
            throw node.problem(expected: "sizes that fit in 64 bits", got: "\(window.strides)")
          }
          sizes.append(long &+ kernel[axis] &- window.padsBefore[axis] &- window.padsAfter[axis])
        }
        let y = try x.unpooled(at: node.input(1), to: node.shape(sizes))
        guard let wanted = try node.optionalIntegers(2, "sizes") else { return [y] }
        guard wanted.count == sizes.count, zip(wanted, sizes).allSatisfy({ $0 >= $1 }) else {
          throw node.problem(expected: "output sizes of at least \(sizes)", got: "\(wanted)")
        }
        // The places count in the pool's own shape; what is wanted beyond it is zeros.
        return [
          try y.padded(
            before: sizes.map { _ in 0 }, after: zip(wanted, sizes).map { $0 &- $1 }, value: 0)
        ]
      }
    ],
    "MaxPool": [
      OperatorImport(inputs: 1...1, outputs: 1...2) { node in
        let attributes = try node.poolAttributes(isAverage: false)
        let isColumnMajor = try node.flag("storage_order")
        let x = try node.input(0)
        let y = try x.maxPool(attributes)
        guard node.node.outputs.count == 2 else { return [y] }
        return [y, try x.maxPoolIndices(attributes, isColumnMajor: isColumnMajor)]
      }
    ],
  ]
}

/// The attributes that say how a window moves, with ONNX's defaults filled in.
struct WindowAttributes {
  var kernel: [Int]
  var strides: [Int]
  var dilations: [Int]
  var padsBefore: [Int]
  var padsAfter: [Int]
}

extension NodeImport {
  /// How the window of a transposed convolution of `x` moves, and what the output has in addition.
  func transposedWindow(
    _ x: Symbol, kernel: [Int]
  ) throws -> (attributes: ConvAttributes, outputPadding: [Int]) {
    let groups = try integer("group", default: 1)
    var window = try window(x, kernel: kernel, isTransposed: true)
    let spatial = Array(x.shape.dropFirst(2))
    var outputPadding = try integers("output_padding") ?? spatial.map { _ in 0 }
    let mode = try text(
      "auto_pad", default: "NOTSET", of: ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"])
    let isSame = mode.hasPrefix("SAME")
    if let sizes = try integers("output_shape")?.suffix(spatial.count)
      ?? (isSame ? zip(spatial, window.strides).map { $0 &* $1 }[...] : nil)
    {
      guard sizes.count == spatial.count, outputPadding.count == spatial.count else {
        throw problem(expected: "an output size for each of \(spatial)", got: "\(Array(sizes))")
      }
      for (axis, size) in zip(spatial.indices, sizes) {
        let (taps, windows) = (kernel[axis] - 1, spatial[axis] - 1)
        let (reach, wide) = taps.multipliedReportingOverflow(by: window.dilations[axis])
        let (steps, long) = windows.multipliedReportingOverflow(by: window.strides[axis])
        let whole = (steps &+ outputPadding[axis]) &+ (reach &+ 1)
        let (total, far) = whole.subtractingReportingOverflow(size)
        guard !wide, !long, !far, size >= 0, whole >= 0 else {
          throw problem(expected: "output sizes that fit in 64 bits", got: "\(size)")
        }
        // What the window doesn't reach is as empty as an output padding.
        if total < 0 { outputPadding[axis] -= total }
        guard total > 0 else {
          (window.padsBefore[axis], window.padsAfter[axis]) = (0, 0)
          continue
        }
        window.padsBefore[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
        window.padsAfter[axis] = total - window.padsBefore[axis]
      }
    }
    try checkReach(window, of: x)
    let attributes = ConvAttributes(
      strides: window.strides, dilations: window.dilations, padsBefore: window.padsBefore,
      padsAfter: window.padsAfter, groups: groups)
    return (attributes, outputPadding)
  }

  /// The window over `x`, [N, C, spatial…]; automatic pads of a transposed one are left out.
  func window(
    _ x: Symbol, kernel: [Int], isTransposed: Bool = false
  ) throws -> WindowAttributes {
    let spatial = Array(x.shape.dropFirst(2))
    guard x.shape.rank >= 3 else {
      throw problem(expected: "an input [N, C, …] with spatial axes", got: "\(x.type)")
    }
    guard kernel.count == spatial.count else {
      throw problem(
        expected: "a kernel size for each of the spatial sizes \(spatial)", got: "\(kernel)")
    }
    if let declared = try integers("kernel_shape"), declared != kernel {
      throw problem(expected: "kernel_shape \(kernel), as the filter is", got: "\(declared)")
    }
    let ones = spatial.map { _ in 1 }
    let strides = try integers("strides") ?? ones
    let dilations = try integers("dilations") ?? ones
    for (name, numbers) in [
      ("kernel_shape", kernel), ("strides", strides), ("dilations", dilations),
    ] {
      guard numbers.count == spatial.count, numbers.allSatisfy({ $0 >= 1 }) else {
        throw problem(
          expected: "\(name) of at least 1, one for each of the spatial sizes \(spatial)",
          got: "\(numbers)")
      }
    }
    let pads = try pads(
      spatial, kernel: kernel, strides: strides, dilations: dilations, isTransposed: isTransposed)
    let window = WindowAttributes(
      kernel: kernel, strides: strides, dilations: dilations, padsBefore: pads.before,
      padsAfter: pads.after)
    try checkReach(window, of: x)
    return window
  }

  /// The pads that a node gives, or that `auto_pad` makes of the sizes.
  private func pads(
    _ spatial: [Int], kernel: [Int], strides: [Int], dilations: [Int], isTransposed: Bool
  ) throws -> (before: [Int], after: [Int]) {
    let mode = try text(
      "auto_pad", default: "NOTSET", of: ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"])
    let given = try integers("pads")
    var (before, after) = (spatial.map { _ in 0 }, spatial.map { _ in 0 })
    switch mode {
    case "NOTSET":
      if let given {
        guard given.count == 2 * spatial.count else {
          throw problem(expected: "\(2 * spatial.count) pads", got: "\(given)")
        }
        (before, after) = (Array(given[..<spatial.count]), Array(given[spatial.count...]))
      }
    case _ where isTransposed: break
    case "VALID": break
    default:
      for axis in spatial.indices {
        let (reach, overflow) = (kernel[axis] - 1).multipliedReportingOverflow(by: dilations[axis])
        guard !overflow, reach < .max / 4, strides[axis] < .max / 4 else {
          throw problem(
            expected: "a window whose extent fits in 64 bits",
            got: "strides \(strides) and dilations \(dilations)")
        }
        let steps = (spatial[axis] + strides[axis] - 1) / strides[axis] - 1
        let total = max(steps * strides[axis] + reach + 1 - spatial[axis], 0)
        let smaller = total / 2
        let isUpper = mode == "SAME_UPPER"
        before[axis] = isUpper ? smaller : total - smaller
        after[axis] = isUpper ? total - smaller : smaller
      }
    }
    return (before, after)
  }

  /// The attributes of a pool.
  func poolAttributes(isAverage: Bool) throws -> PoolAttributes {
    guard let kernel = try integers("kernel_shape") else {
      throw problem(expected: "the attribute kernel_shape", got: "none")
    }
    let window = try window(input(0), kernel: kernel)
    try checkPads(of: window)
    return PoolAttributes(
      kernel: window.kernel, strides: window.strides, dilations: window.dilations,
      padsBefore: window.padsBefore, padsAfter: window.padsAfter,
      ceilMode: try flag("ceil_mode"),
      countsPadding: isAverage ? try flag("count_include_pad") : false)
  }

  /// Refuses strides, dilated kernels and pads that are larger than any input gives a reason for, whose
  /// padding alone would take memory and time without end.
  private func checkReach(_ window: WindowAttributes, of x: Symbol) throws {
    for (axis, size) in x.shape.dropFirst(2).enumerated() {
      let limit = max(size, 1 << 12)
      let (reach, overflow) = (window.kernel[axis] - 1)
        .multipliedReportingOverflow(by: window.dilations[axis])
      let numbers = [
        window.strides[axis], reach, window.padsBefore[axis], window.padsAfter[axis],
      ]
      guard !overflow, numbers.allSatisfy({ $0 <= limit }) else {
        throw problem(
          expected:
            "strides, pads and a dilated kernel of at most \(limit) along spatial axis \(axis), "
            + "which has \(size) elements",
          got: "strides \(window.strides), pads \(window.padsBefore) and \(window.padsAfter), "
            + "dilations \(window.dilations) of a kernel \(window.kernel)")
      }
    }
  }

  /// Refuses a pool whose window covers nothing but padding somewhere, which has no meaning.
  private func checkPads(of window: WindowAttributes) throws {
    for axis in window.kernel.indices {
      let reach = (window.kernel[axis] - 1) * window.dilations[axis]
      guard window.padsBefore[axis] <= reach, window.padsAfter[axis] <= reach else {
        throw problem(
          expected: "pads that are smaller than the window",
          got:
            "pads \(window.padsBefore) and \(window.padsAfter) for a kernel \(window.kernel) with "
            + "dilations \(window.dilations)")
      }
    }
  }
}
