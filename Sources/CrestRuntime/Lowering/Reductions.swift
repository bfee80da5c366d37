import CCrestKernels
import CrestGraph
import CrestTensor

extension Lowering {
  /// Folds `axes` of a node's only input away.
  ///
  /// Axes that lie side by side in memory fold in one pass; an image's height and width, with or
  /// without its batch, lie so channels-last. Others are moved to the end first.
  fileprivate func reduce(_ node: Graph.Node, axes: [Int], _ reduction: ck_reduction) {
    let (shape, type) = (graph.type(of: node.inputs[0]).shape, elementType(ofInputOf: node))
    let spatial = shape.rank == 4 && (axes == [0, 2, 3] || axes == [2, 3])
    if spatial, exists(node.inputs[0], .channelsLast) || axes == [0, 2, 3] {
      let x = buffer(node.inputs[0], .channelsLast)
      let outer = axes == [2, 3] ? shape[0] : 1
      let reduced = shape.elementCount / max(outer * shape[1], 1)
      // Without elements the sizes cannot be computed by division.
      let sizes = shape.elementCount == 0 ? axes.reduce(1) { $0 * shape[$1] } : reduced
      reduce(
        node, x, (outer, sizes, shape[1]), reduction)
      return
    }
    let size = axes.reduce(1) { $0 * shape[$1] }
    guard let first = axes.first else {
      reduce(node, buffer(node.inputs[0]), (shape.elementCount, 1, 1), reduction)
      return
    }
    if axes == Array(first..<first + axes.count) {
      let outer = shape[..<first].reduce(1, *)
      let inner = shape[(first + axes.count)...].reduce(1, *)
      reduce(node, buffer(node.inputs[0]), (outer, size, inner), reduction)
      return
    }
    let kept = (0..<shape.rank).filter { !axes.contains($0) }
    let order = kept + axes
    let x = buffer(node.inputs[0])
    let moved = temporary(byteCount: shape.elementCount * type.byteCount)
    let movedShape = Shape(order.map { shape[$0] })
    copyBox(
      sizes: movedShape.dimensions, elementType: type, from: x,
      strides: order.map { shape.strides[$0] }, to: moved, strides: movedShape.strides)
    reduce(node, moved, (kept.reduce(1) { $0 * shape[$1] }, size, 1), reduction)
  }

  fileprivate func elementType(ofInputOf node: Graph.Node) -> ElementType {
    graph.type(of: node.inputs[0]).elementType
  }

  private func reduce(
    _ node: Graph.Node, _ x: BufferID, _ sizes: (outer: Int, reduced: Int, inner: Int),
    _ reduction: ck_reduction
  ) {
    let type = elementType(ofInputOf: node)
    guard type == .float32 else {
      emit(node.operation.name, reads: [x], writes: [output(node.outputs[0])]) { call in
        call.kernels.pointee.reduce_whole(
          call.pool, type.kernelType, reduction, sizes.outer, sizes.reduced, sizes.inner,
          call.reads[0], call.writes[0])
      }
      return
    }
    emit(
      node.operation.name, reads: [x], writes: [output(node.outputs[0])],
      scratchBytes: ck_reduce_scratch_bytes(sizes.outer, sizes.reduced, sizes.inner)
    ) { call in
      call.kernels.pointee.reduce_f32(
        call.pool, reduction, sizes.outer, sizes.reduced, sizes.inner, call.read(0),
        call.write(0), call.scratch)
    }
  }
}

extension Reduce: KernelLowering {
  var servesEveryType: Bool { true }

  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let type = lowering.elementType(ofInputOf: node)
    guard type == .float32 || type.isInteger else { return false }
    let kernel: ck_reduction
    switch kind {
    case .sum: kernel = CK_SUM
    case .mean: kernel = CK_MEAN
    case .max: kernel = CK_MAXIMUM
    case .min: kernel = CK_MINIMUM
    case .product: kernel = CK_PRODUCT
    }
    lowering.reduce(node, axes: axes, kernel)
    return true
  }
}

extension GlobalAveragePool: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let rank = lowering.graph.type(of: node.inputs[0]).shape.rank
    lowering.reduce(node, axes: Array(2..<rank), CK_MEAN)
    return true
  }
}
