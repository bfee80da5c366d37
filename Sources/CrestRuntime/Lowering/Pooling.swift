import CCrestKernels
import CrestGraph
import CrestTensor

extension PoolAttributes {
  /// The kernel's description of two-dimensional pooling from `x` to `y`; nil for other ranks.
  fileprivate func kernelAttributes(x: Shape, y: Shape) -> ck_pool2d? {
    guard x.rank == 4 else { return nil }
    return ck_pool2d(
      batch: x[0], height: x[2], width: x[3], channels: x[1], kernel_height: kernel[0],
      kernel_width: kernel[1], output_height: y[2], output_width: y[3], stride_height: strides[0],
      stride_width: strides[1], dilation_height: dilations[0], dilation_width: dilations[1],
      pad_top: padsBefore[0], pad_left: padsBefore[1], pad_bottom: padsAfter[0],
      pad_right: padsAfter[1], count_padding: countsPadding)
  }
}

extension MaxPool: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let graph = lowering.graph
    guard
      let settings = attributes.kernelAttributes(
        x: graph.type(of: node.inputs[0]).shape, y: graph.type(of: node.outputs[0]).shape)
    else { return false }
    let x = lowering.buffer(node.inputs[0], .channelsLast)
    let y = lowering.output(node.outputs[0], .channelsLast)
    let engine = lowering.engine
    lowering.emit(name, reads: [x], writes: [y]) { memory in
      let p = Fixed(settings)
      let (input, result) = (memory.floats(x), memory.floats(y))
      let (kernels, pool) = (engine.kernels, engine.pool)
      return { kernels.pointee.max_pool2d_f32(pool, p.base, input, result) }
    }
    return true
  }
}

extension MaxPoolGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let graph = lowering.graph
    guard
      let settings = attributes.kernelAttributes(
        x: graph.type(of: node.inputs[0]).shape, y: graph.type(of: node.inputs[1]).shape)
    else { return false }
    let x = lowering.buffer(node.inputs[0], .channelsLast)
    let dy = lowering.buffer(node.inputs[1], .channelsLast)
    let dx = lowering.output(node.outputs[0], .channelsLast)
    let engine = lowering.engine
    lowering.emit(name, reads: [x, dy], writes: [dx]) { memory in
      let p = Fixed(settings)
      let (input, gradient, result) = (memory.floats(x), memory.floats(dy), memory.floats(dx))
      let (kernels, pool) = (engine.kernels, engine.pool)
      return { kernels.pointee.max_pool2d_gradient_f32(pool, p.base, input, gradient, result) }
    }
    return true
  }
}

extension AveragePool: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let graph = lowering.graph
    guard
      let settings = attributes.kernelAttributes(
        x: graph.type(of: node.inputs[0]).shape, y: graph.type(of: node.outputs[0]).shape)
    else { return false }
    let x = lowering.buffer(node.inputs[0], .channelsLast)
    let y = lowering.output(node.outputs[0], .channelsLast)
    let engine = lowering.engine
    lowering.emit(name, reads: [x], writes: [y]) { memory in
      let p = Fixed(settings)
      let (input, result) = (memory.floats(x), memory.floats(y))
      let (kernels, pool) = (engine.kernels, engine.pool)
      return { kernels.pointee.average_pool2d_f32(pool, p.base, input, result) }
    }
    return true
  }
}

extension AveragePoolGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard
      let settings = attributes.kernelAttributes(
        x: inputShape, y: lowering.graph.type(of: node.inputs[0]).shape)
    else { return false }
    let dy = lowering.buffer(node.inputs[0], .channelsLast)
    let dx = lowering.output(node.outputs[0], .channelsLast)
    let engine = lowering.engine
    lowering.emit(name, reads: [dy], writes: [dx]) { memory in
      let p = Fixed(settings)
      let (gradient, result) = (memory.floats(dy), memory.floats(dx))
      let (kernels, pool) = (engine.kernels, engine.pool)
      return { kernels.pointee.average_pool2d_gradient_f32(pool, p.base, gradient, result) }
    }
    return true
  }
}
