import CCrestKernels
import CrestGraph
import CrestTensor

extension Lowering {
  /// Rows of channels: images channels-last, or a plain matrix; nil for other ranks.
  fileprivate func rows(
    _ value: Graph.ValueID
  ) -> (layout: Layout, size: (rows: Int, channels: Int))? {
    let shape = graph.type(of: value).shape
    guard shape.rank == 2 || shape.rank == 4 else { return nil }
    return (
      shape.rank == 4 ? .channelsLast : .plain,
      (shape[0] * shape.dropFirst(2).reduce(1, *), shape[1])
    )
  }
}

extension NormalizationCoefficients: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let rows = lowering.rows(node.inputs[0]) else { return false }
    let epsilon = epsilon
    let size = rows.size
    lowering.emit(
      "NormalizationCoefficients",
      reads: [lowering.buffer(node.inputs[0], rows.layout)]
        + node.inputs[1...].map { lowering.buffer($0) },
      writes: node.outputs.map { lowering.output($0) },
      scratchBytes: ck_batch_norm_scratch_bytes(size.rows, size.channels)
    ) { call in
      var normalization = call.normalization(epsilon: epsilon, reads: 1, writes: 0)
      call.kernels.pointee.normalization_f32(
        call.pool, size.rows, size.channels, call.read(0), &normalization, call.scratch)
    }
    return true
  }
}

extension NormalizationGradientCoefficients: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let rows = lowering.rows(node.inputs[0]) else { return false }
    let epsilon = epsilon
    let size = rows.size
    lowering.emit(
      "NormalizationGradientCoefficients",
      reads: [
        lowering.buffer(node.inputs[0], rows.layout), lowering.buffer(node.inputs[2]),
        lowering.buffer(node.inputs[3]), lowering.buffer(node.inputs[4]),
        lowering.buffer(node.inputs[1], rows.layout),
      ],
      writes: node.outputs.map { lowering.output($0) },
      scratchBytes: ck_batch_norm_scratch_bytes(size.rows, size.channels)
    ) { call in
      var gradient = call.normalizationGradient(epsilon: epsilon, reads: 0, writes: 0)
      call.kernels.pointee.normalization_gradient_f32(
        call.pool, size.rows, size.channels, call.read(4), &gradient, call.scratch)
    }
    return true
  }
}

extension KernelCall {
  /// A normalisation that reads scale and bias, and writes mean, variance, factor and shift.
  func normalization(epsilon: Double, reads: Int, writes: Int) -> ck_normalization {
    ck_normalization(
      epsilon: Float(epsilon), scale: read(reads), bias: read(reads + 1), mean: write(writes),
      variance: write(writes + 1), factor: write(writes + 2), shift: write(writes + 3))
  }

  /// A gradient that reads x, scale, mean and variance, and writes five vectors.
  func normalizationGradient(
    epsilon: Double, reads: Int, writes: Int
  ) -> ck_normalization_gradient {
    ck_normalization_gradient(
      epsilon: Float(epsilon), x: read(reads), scale: read(reads + 1), mean: read(reads + 2),
      variance: read(reads + 3), dscale: write(writes), dbias: write(writes + 1),
      dy_factor: write(writes + 2), x_factor: write(writes + 3), shift: write(writes + 4))
  }
}

extension ChannelAffine: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let rows = lowering.rows(node.outputs[0]) else { return false }
    let image = FusedImage(self, of: Array(node.inputs.indices))
    let size = rows.size
    lowering.emit(
      name,
      reads: node.inputs.enumerated().map { place, value in
        lowering.buffer(value, image.layout(of: place) ?? .plain)
      },
      writes: [lowering.output(node.outputs[0], rows.layout)]
    ) { call in
      var affine = image.affine(call)
      call.kernels.pointee.affine_f32(call.pool, size.rows, size.channels, &affine, call.write(0))
    }
    return true
  }
}
