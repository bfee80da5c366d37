import CCrestKernels
import CrestGraph
import CrestTensor

extension Lowering {
  /// Runs a batch-norm kernel over rows of channels: images channels-last, or a plain matrix.
  ///
  /// The first `images` inputs and the first output have the shape of x; all others are vectors of
  /// channels.
  fileprivate func normalize(
    _ node: Graph.Node, images: Int,
    _ kernel: @escaping (KernelCall, (rows: Int, channels: Int)) -> Void
  ) -> Bool {
    let shape = graph.type(of: node.inputs[0]).shape
    guard shape.rank == 2 || shape.rank == 4 else { return false }
    let layout: Layout = shape.rank == 4 ? .channelsLast : .plain
    let size = (rows: shape[0] * shape.dropFirst(2).reduce(1, *), channels: shape[1])
    emit(
      node.operation.name,
      reads: node.inputs[..<images].map { buffer($0, layout) }
        + node.inputs[images...].map { buffer($0) },
      writes: [output(node.outputs[0], layout)] + node.outputs[1...].map { output($0) },
      scratchBytes: ck_batch_norm_scratch_bytes(size.rows, size.channels)
    ) { call in kernel(call, size) }
    return true
  }
}

extension BatchNormTraining: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let epsilon = Float(epsilon)
    return lowering.normalize(node, images: 1) { call, size in
      call.kernels.pointee.batch_norm_train_f32(
        call.pool, size.rows, size.channels, epsilon, call.read(0), call.read(1), call.read(2),
        call.write(0), call.write(1), call.write(2), call.scratch)
    }
  }
}

extension BatchNormTrainingGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let epsilon = Float(epsilon)
    return lowering.normalize(node, images: 2) { call, size in
      call.kernels.pointee.batch_norm_train_gradient_f32(
        call.pool, size.rows, size.channels, epsilon, call.read(0), call.read(1), call.read(2),
        call.read(3), call.read(4), call.write(0), call.write(1), call.write(2), call.scratch)
    }
  }
}

extension BatchNormInference: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let epsilon = Float(epsilon)
    return lowering.normalize(node, images: 1) { call, size in
      call.kernels.pointee.batch_norm_inference_f32(
        call.pool, size.rows, size.channels, epsilon, call.read(0), call.read(1), call.read(2),
        call.read(3), call.read(4), call.write(0))
    }
  }
}
