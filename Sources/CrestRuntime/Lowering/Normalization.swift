import CCrestKernels
import CrestGraph
import CrestTensor

/// The rows of channels a batch norm sees: images channels-last, or a plain matrix.
private func channelRows(
  _ value: ValueID, in lowering: Lowering
) -> (layout: Lowering.Layout, rows: Int, channels: Int)? {
  let shape = lowering.graph.type(of: value).shape
  switch shape.rank {
  case 2: return (.plain, shape[0], shape[1])
  case 4: return (.channelsLast, shape[0] * shape[2] * shape[3], shape[1])
  default: return nil
  }
}

extension BatchNormTraining: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let (layout, rows, channels) = channelRows(node.inputs[0], in: lowering) else {
      return false
    }
    let epsilon = Float(epsilon)
    lowering.emit(
      name,
      reads: [lowering.buffer(node.inputs[0], layout)]
        + node.inputs[1...].map { lowering.buffer($0) },
      writes: [lowering.output(node.outputs[0], layout)]
        + node.outputs[1...].map { lowering.output($0) },
      scratchBytes: ck_batch_norm_scratch_bytes(rows, channels)
    ) { call in
      call.kernels.pointee.batch_norm_train_f32(
        call.pool, rows, channels, epsilon, call.read(0), call.read(1), call.read(2),
        call.write(0), call.write(1), call.write(2), call.scratch)
    }
    return true
  }
}

extension BatchNormTrainingGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let (layout, rows, channels) = channelRows(node.inputs[0], in: lowering) else {
      return false
    }
    let epsilon = Float(epsilon)
    lowering.emit(
      name,
      reads: node.inputs[..<2].map { lowering.buffer($0, layout) }
        + node.inputs[2...].map { lowering.buffer($0) },
      writes: [lowering.output(node.outputs[0], layout)]
        + node.outputs[1...].map { lowering.output($0) },
      scratchBytes: ck_batch_norm_scratch_bytes(rows, channels)
    ) { call in
      call.kernels.pointee.batch_norm_train_gradient_f32(
        call.pool, rows, channels, epsilon, call.read(0), call.read(1), call.read(2),
        call.read(3), call.read(4), call.write(0), call.write(1), call.write(2), call.scratch)
    }
    return true
  }
}

extension BatchNormInference: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let (layout, rows, channels) = channelRows(node.inputs[0], in: lowering) else {
      return false
    }
    let epsilon = Float(epsilon)
    lowering.emit(
      name,
      reads: [lowering.buffer(node.inputs[0], layout)]
        + node.inputs[1...].map { lowering.buffer($0) },
      writes: [lowering.output(node.outputs[0], layout)]
    ) { call in
      call.kernels.pointee.batch_norm_inference_f32(
        call.pool, rows, channels, epsilon, call.read(0), call.read(1), call.read(2),
        call.read(3), call.read(4), call.write(0))
    }
    return true
  }
}
