import CCrestKernels
import CrestGraph
import CrestTensor

extension Lowering {
  /// Rows of channels: images channels-last, or a plain matrix; nil for other ranks.
  fileprivate func rows(
    _ value: ValueID
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
    let epsilon = Float(epsilon)
    if let step = lowering.winogradStep(making: node.inputs[0]), step.isPlain,
      let scale = lowering.ready(node.inputs[1], .plain, before: step.number),
      let bias = lowering.ready(node.inputs[2], .plain, before: step.number)
    {
      step.normalize(
        scale: scale, bias: bias, epsilon: epsilon,
        results: node.outputs.map { lowering.output($0) }, in: lowering)
      return true
    }
    let size = rows.size
    lowering.emit(
      "NormalizationCoefficients",
      reads: [lowering.buffer(node.inputs[0], rows.layout)]
        + node.inputs[1...].map { lowering.buffer($0) },
      writes: node.outputs.map { lowering.output($0) },
      scratchBytes: ck_batch_norm_scratch_bytes(size.rows, size.channels)
    ) { call in
      var normalization = ck_normalization(
        epsilon: epsilon, scale: call.read(1), bias: call.read(2), mean: call.write(0),
        variance: call.write(1), factor: call.write(2), shift: call.write(3))
      call.kernels.pointee.normalization_f32(
        call.pool, size.rows, size.channels, call.read(0), &normalization, call.scratch)
    }
    return true
  }
}

extension NormalizationGradientCoefficients: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let rows = lowering.rows(node.inputs[0]) else { return false }
    let epsilon = Float(epsilon)
    if let step = lowering.winogradStep(making: node.inputs[1]), step.takesGradient,
      let x = lowering.ready(node.inputs[0], rows.layout, before: step.number),
      let scale = lowering.ready(node.inputs[2], .plain, before: step.number),
      let mean = lowering.ready(node.inputs[3], .plain, before: step.number),
      let variance = lowering.ready(node.inputs[4], .plain, before: step.number)
    {
      step.differentiate(
        x: x, scale: scale, mean: mean, variance: variance, epsilon: epsilon,
        results: node.outputs.map { lowering.output($0) }, in: lowering)
      return true
    }
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
