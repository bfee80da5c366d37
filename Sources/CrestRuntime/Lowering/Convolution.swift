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
    let types = (node.inputs + node.outputs).map { lowering.graph.type(of: $0).shape }
    guard
      let settings = attributes.kernelAttributes(
        x: types[0], filter: types[1], y: types[types.count - 1])
    else { return false }
    let p = Fixed(settings)
    let bias = node.inputs.count > 2 ? [lowering.buffer(node.inputs[2])] : []
    lowering.emit(
      name,
      reads: [lowering.buffer(node.inputs[0], .channelsLast), lowering.buffer(node.inputs[1])]
        + bias,
      writes: [lowering.output(node.outputs[0], .channelsLast)],
      scratchBytes: ck_conv2d_scratch_bytes(p.base, lowering.engine.threadCount)
    ) { call in
      call.kernels.pointee.conv2d_f32(
        call.pool, p.base, call.read(0), call.read(1),
        bias.isEmpty ? nil : UnsafePointer(call.read(2)), call.write(0), call.scratch)
    }
    return true
  }
}

extension ConvInputGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let (dy, filter) = (node.inputs[0], node.inputs[1])
    guard
      let settings = attributes.kernelAttributes(
        x: inputShape, filter: lowering.graph.type(of: filter).shape,
        y: lowering.graph.type(of: dy).shape)
    else { return false }
    let p = Fixed(settings)
    lowering.emit(
      name, reads: [lowering.buffer(dy, .channelsLast), lowering.buffer(filter)],
      writes: [lowering.output(node.outputs[0], .channelsLast)],
      scratchBytes: ck_conv2d_input_gradient_scratch_bytes(p.base, lowering.engine.threadCount)
    ) { call in
      call.kernels.pointee.conv2d_input_gradient_f32(
        call.pool, p.base, call.read(0), call.read(1), call.write(0), call.scratch)
    }
    return true
  }
}

extension ConvFilterGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let (x, dy) = (node.inputs[0], node.inputs[1])
    guard
      let settings = attributes.kernelAttributes(
        x: lowering.graph.type(of: x).shape, filter: filterShape,
        y: lowering.graph.type(of: dy).shape)
    else { return false }
    let p = Fixed(settings)
    lowering.emit(
      name, reads: [lowering.buffer(x, .channelsLast), lowering.buffer(dy, .channelsLast)],
      writes: [lowering.output(node.outputs[0])],
      scratchBytes: ck_conv2d_filter_gradient_scratch_bytes(p.base, lowering.engine.threadCount)
    ) { call in
      call.kernels.pointee.conv2d_filter_gradient_f32(
        call.pool, p.base, call.read(0), call.read(1), call.write(0), call.scratch)
    }
    return true
  }
}
