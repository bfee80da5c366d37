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

extension Lowering {
  /// Runs a pooling kernel over images, from `x` to `y` or back; `replacing` names an input that the
  /// result may take the place of where no windows overlap.
  fileprivate func pool(
    _ node: Graph.Node, _ attributes: PoolAttributes, x: Shape, y: Shape, replacing: Int? = nil,
    _ kernel: @escaping (KernelCall, UnsafePointer<ck_pool2d>) -> Void
  ) -> Bool {
    guard let settings = attributes.kernelAttributes(x: x, y: y) else { return false }
    let p = StableBox(settings)
    let reads = node.inputs.map { buffer($0, .channelsLast) }
    let target = output(node.outputs[0], .channelsLast)
    let replaced = replacing.flatMap { ck_pool2d_is_tiling(p.base) ? [reads[$0]] : nil }
    emit(
      node.operation.name, reads: reads, writes: [target], inPlace: replaced.map { (target, $0) }
    ) { call in kernel(call, p.base) }
    return true
  }

  fileprivate func shape(_ value: Graph.ValueID) -> Shape { graph.type(of: value).shape }
}

extension MaxPool: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    lowering.pool(
      node, attributes, x: lowering.shape(node.inputs[0]), y: lowering.shape(node.outputs[0])
    ) { call, p in
      call.kernels.pointee.max_pool2d_f32(call.pool, p, call.read(0), call.write(0))
    }
  }
}

extension MaxPoolGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    lowering.pool(
      node, attributes, x: lowering.shape(node.inputs[0]), y: lowering.shape(node.inputs[1]),
      replacing: 0
    ) { call, p in
      call.kernels.pointee.max_pool2d_gradient_f32(
        call.pool, p, call.read(0), call.read(1), call.write(0))
    }
  }
}

extension AveragePool: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    lowering.pool(
      node, attributes, x: lowering.shape(node.inputs[0]), y: lowering.shape(node.outputs[0])
    ) { call, p in
      call.kernels.pointee.average_pool2d_f32(call.pool, p, call.read(0), call.write(0))
    }
  }
}

extension AveragePoolGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    lowering.pool(node, attributes, x: inputShape, y: lowering.shape(node.inputs[0])) { call, p in
      call.kernels.pointee.average_pool2d_gradient_f32(
        call.pool, p, call.read(0), call.write(0))
    }
  }
}
