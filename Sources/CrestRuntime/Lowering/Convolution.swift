import CCrestKernels
import CrestGraph
import CrestTensor

extension ConvAttributes {
  /// The kernel's description of a two-dimensional convolution from `x` to `y`; nil for other ranks.
  fileprivate func kernelAttributes(x: Shape, filter: Shape, y: Shape) -> ck_conv2d? {
    guard x.rank == 4 else { return nil }
    return ck_conv2d(
      batch: x[0], height: x[2], width: x[3], channels: x[1], output_channels: filter[0],
      kernel_height: filter[2], kernel_width: filter[3], output_height: y[2], output_width: y[3],
      stride_height: strides[0], stride_width: strides[1], dilation_height: dilations[0],
      dilation_width: dilations[1], pad_top: padsBefore[0], pad_left: padsBefore[1],
      groups: groups)
  }
}

/// A kernel's description at a fixed address.
final class Fixed<Value> {
  let base: UnsafeMutablePointer<Value>

  init(_ value: Value) {
    base = .allocate(capacity: 1)
    base.initialize(to: value)
  }

  deinit {
    base.deinitialize(count: 1)
    base.deallocate()
  }
}

extension Conv: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let graph = lowering.graph
    guard
      var settings = attributes.kernelAttributes(
        x: graph.type(of: node.inputs[0]).shape, filter: graph.type(of: node.inputs[1]).shape,
        y: graph.type(of: node.outputs[0]).shape)
    else { return false }
    let x = lowering.buffer(node.inputs[0], .channelsLast)
    let filter = lowering.buffer(node.inputs[1])
    let bias = node.inputs.count > 2 ? lowering.buffer(node.inputs[2]) : nil
    let y = lowering.output(node.outputs[0], .channelsLast)
    let engine = lowering.engine
    lowering.emit(
      name, reads: [x, filter] + (bias.map { [$0] } ?? []), writes: [y],
      scratchBytes: ck_conv2d_scratch_bytes(&settings, engine.threadCount)
    ) { [settings] memory in
      let p = Fixed(settings)
      let (input, weight, result) = (memory.floats(x), memory.floats(filter), memory.floats(y))
      let shift = bias.map { UnsafePointer(memory.floats($0)) }
      let (kernels, pool, scratch) = (engine.kernels, engine.pool, memory.scratch)
      return { kernels.pointee.conv2d_f32(pool, p.base, input, weight, shift, result, scratch) }
    }
    return true
  }
}

extension ConvInputGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let graph = lowering.graph
    guard
      var settings = attributes.kernelAttributes(
        x: inputShape, filter: graph.type(of: node.inputs[1]).shape,
        y: graph.type(of: node.inputs[0]).shape)
    else { return false }
    let dy = lowering.buffer(node.inputs[0], .channelsLast)
    let filter = lowering.buffer(node.inputs[1])
    let dx = lowering.output(node.outputs[0], .channelsLast)
    let engine = lowering.engine
    lowering.emit(
      name, reads: [dy, filter], writes: [dx],
      scratchBytes: ck_conv2d_input_gradient_scratch_bytes(&settings, engine.threadCount)
    ) { [settings] memory in
      let p = Fixed(settings)
      let (gradient, weight, result) = (memory.floats(dy), memory.floats(filter), memory.floats(dx))
      let (kernels, pool, scratch) = (engine.kernels, engine.pool, memory.scratch)
      return {
        kernels.pointee.conv2d_input_gradient_f32(pool, p.base, gradient, weight, result, scratch)
      }
    }
    return true
  }
}

extension ConvFilterGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let graph = lowering.graph
    guard
      var settings = attributes.kernelAttributes(
        x: graph.type(of: node.inputs[0]).shape, filter: filterShape,
        y: graph.type(of: node.inputs[1]).shape)
    else { return false }
    let x = lowering.buffer(node.inputs[0], .channelsLast)
    let dy = lowering.buffer(node.inputs[1], .channelsLast)
    let dw = lowering.output(node.outputs[0])
    let engine = lowering.engine
    lowering.emit(
      name, reads: [x, dy], writes: [dw],
      scratchBytes: ck_conv2d_filter_gradient_scratch_bytes(&settings, engine.threadCount)
    ) { [settings] memory in
      let p = Fixed(settings)
      let (input, gradient, result) = (memory.floats(x), memory.floats(dy), memory.floats(dw))
      let (kernels, pool, scratch) = (engine.kernels, engine.pool, memory.scratch)
      return {
        kernels.pointee.conv2d_filter_gradient_f32(pool, p.base, input, gradient, result, scratch)
      }
    }
    return true
  }
}
