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
    let x = lowering.buffer(node.inputs[0], layout)
    let (scale, shift) = (lowering.buffer(node.inputs[1]), lowering.buffer(node.inputs[2]))
    let y = lowering.output(node.outputs[0], layout)
    let (mean, variance) = (lowering.output(node.outputs[1]), lowering.output(node.outputs[2]))
    let engine = lowering.engine
    let epsilon = Float(epsilon)
    lowering.emit(
      name, reads: [x, scale, shift], writes: [y, mean, variance], inPlace: nil,
      scratchBytes: ck_batch_norm_scratch_bytes(rows, channels)
    ) { memory in
      let (input, gamma, beta) = (memory.floats(x), memory.floats(scale), memory.floats(shift))
      let (result, m, v) = (memory.floats(y), memory.floats(mean), memory.floats(variance))
      let (kernels, pool, scratch) = (engine.kernels, engine.pool, memory.scratch)
      return {
        kernels.pointee.batch_norm_train_f32(
          pool, rows, channels, epsilon, input, gamma, beta, result, m, v, scratch)
      }
    }
    return true
  }
}

extension BatchNormTrainingGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let (layout, rows, channels) = channelRows(node.inputs[0], in: lowering) else {
      return false
    }
    let images = node.inputs[0...1].map { lowering.buffer($0, layout) }
    let vectors = node.inputs[2...4].map { lowering.buffer($0) }
    let dx = lowering.output(node.outputs[0], layout)
    let (dscale, dshift) = (lowering.output(node.outputs[1]), lowering.output(node.outputs[2]))
    let engine = lowering.engine
    let epsilon = Float(epsilon)
    lowering.emit(
      name, reads: images + vectors, writes: [dx, dscale, dshift],
      scratchBytes: ck_batch_norm_scratch_bytes(rows, channels)
    ) { memory in
      let (x, dy) = (memory.floats(images[0]), memory.floats(images[1]))
      let (gamma, mean) = (memory.floats(vectors[0]), memory.floats(vectors[1]))
      let variance = memory.floats(vectors[2])
      let (result, dGamma, dBeta) = (
        memory.floats(dx), memory.floats(dscale), memory.floats(dshift)
      )
      let (kernels, pool, scratch) = (engine.kernels, engine.pool, memory.scratch)
      return {
        kernels.pointee.batch_norm_train_gradient_f32(
          pool, rows, channels, epsilon, x, dy, gamma, mean, variance, result, dGamma, dBeta,
          scratch)
      }
    }
    return true
  }
}

extension BatchNormInference: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let (layout, rows, channels) = channelRows(node.inputs[0], in: lowering) else {
      return false
    }
    let x = lowering.buffer(node.inputs[0], layout)
    let vectors = node.inputs[1...4].map { lowering.buffer($0) }
    let y = lowering.output(node.outputs[0], layout)
    let engine = lowering.engine
    let epsilon = Float(epsilon)
    lowering.emit(name, reads: [x] + vectors, writes: [y]) { memory in
      let (input, result) = (memory.floats(x), memory.floats(y))
      let (gamma, beta) = (memory.floats(vectors[0]), memory.floats(vectors[1]))
      let (mean, variance) = (memory.floats(vectors[2]), memory.floats(vectors[3]))
      let (kernels, pool) = (engine.kernels, engine.pool)
      return {
        kernels.pointee.batch_norm_inference_f32(
          pool, rows, channels, epsilon, input, gamma, beta, mean, variance, result)
      }
    }
    return true
  }
}
