import CCrestKernels
import CrestGraph
import CrestTensor

extension Lowering {
  /// Runs a kernel over the rows of one axis, which is moved to the end and back when it lies
  /// elsewhere.
  fileprivate func alongRows(
    _ node: Graph.Node, axis: Int,
    _ kernel: @escaping (KernelCall, (rows: Int, columns: Int)) -> Void
  ) -> Bool {
    let shape = graph.type(of: node.outputs[0]).shape
    guard let axis = shape.resolved(axis: axis) else { return false }
    let columns = shape[axis]
    // An empty axis has no rows that a division could count.
    let rows = (0..<shape.rank).reduce(1) { $1 == axis ? $0 : $0 * shape[$1] }
    let order = (0..<shape.rank).filter { $0 != axis } + [axis]
    let isLast = axis == shape.rank - 1
    let moved = Shape(order.map { shape[$0] })
    let strides = order.map { shape.strides[$0] }
    let sources = node.inputs.map { input -> BufferID in
      let source = buffer(input)
      guard !isLast else { return source }
      let target = temporary(byteCount: shape.elementCount * 4)
      copyBox(
        sizes: moved.dimensions, elementType: .float32, from: source, strides: strides,
        to: target, strides: moved.strides)
      return target
    }
    let result = output(node.outputs[0])
    let target = isLast ? result : temporary(byteCount: shape.elementCount * 4)
    emit(node.operation.name, reads: sources, writes: [target]) { call in
      kernel(call, (rows, columns))
    }
    if !isLast {
      copyBox(
        sizes: moved.dimensions, elementType: .float32, from: target, strides: moved.strides,
        to: result, strides: strides)
    }
    return true
  }
}

extension Softmax: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let kind = kind
    return lowering.alongRows(node, axis: axis) { call, size in
      let kernels = call.kernels.pointee
      let kernel = kind == .plain ? kernels.softmax_f32 : kernels.log_softmax_f32
      kernel(call.pool, size.rows, size.columns, call.read(0), call.write(0))
    }
  }
}

extension SoftmaxGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let kind = kind
    return lowering.alongRows(node, axis: axis) { call, size in
      let kernels = call.kernels.pointee
      let kernel =
        kind == .plain ? kernels.softmax_gradient_f32 : kernels.log_softmax_gradient_f32
      kernel(call.pool, size.rows, size.columns, call.read(0), call.read(1), call.write(0))
    }
  }
}
