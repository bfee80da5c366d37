import CCrestKernels
import CrestGraph
import CrestTensor

extension Lowering {
  /// One matrix product; `accumulates` adds to what the target holds, times beta.
  fileprivate func product(
    _ name: String, a: BufferID, b: BufferID, bias: BufferID?, target: BufferID,
    sizes: (m: Int, n: Int, k: Int), transposes: (a: Bool, b: Bool) = (false, false),
    alpha: Float = 1, beta: Float = 0
  ) {
    emit(
      name, reads: [a, b] + (bias.map { [$0] } ?? []) + (beta == 0 ? [] : [target]),
      writes: [target],
      scratchBytes: ck_gemm_scratch_bytes(sizes.m, sizes.n, sizes.k, engine.threadCount)
    ) { call in
      call.kernels.pointee.gemm_f32(
        call.pool, transposes.a, transposes.b, sizes.m, sizes.n, sizes.k, alpha, call.read(0),
        call.read(1), beta, bias == nil ? nil : UnsafePointer(call.read(2)), call.write(0),
        call.scratch)
    }
  }
}

extension Gemm: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let graph = lowering.graph
    let (a, b) = (graph.type(of: node.inputs[0]).shape, graph.type(of: node.inputs[1]).shape)
    let sizes = (
      m: transposesA ? a[1] : a[0], n: transposesB ? b[0] : b[1], k: transposesA ? a[0] : a[1]
    )
    let (left, right) = (lowering.buffer(node.inputs[0]), lowering.buffer(node.inputs[1]))
    var bias: BufferID?
    var added: BufferID?
    var addedStrides: [Int] = []
    if node.inputs.count > 2 {
      let shape = graph.type(of: node.inputs[2]).shape
      let c = lowering.buffer(node.inputs[2])
      // A row added to every row is the kernel's own; any other addend is laid out first.
      if beta == 1, shape.elementCount == sizes.n, shape.last == sizes.n {
        bias = c
      } else {
        added = c
        addedStrides = shape.strides(broadcastTo: [sizes.m, sizes.n])
      }
    }
    let target = lowering.output(node.outputs[0])
    if let added {
      lowering.copyBox(
        sizes: [sizes.m, sizes.n], elementType: .float32, from: added, strides: addedStrides,
        to: target, strides: [sizes.n, 1])
    }
    lowering.product(
      name, a: left, b: right, bias: bias, target: target, sizes: sizes,
      transposes: (transposesA, transposesB), alpha: Float(alpha),
      beta: added == nil ? 0 : Float(beta))
    return true
  }
}

extension MatMul: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let graph = lowering.graph
    guard
      let sizes = Sizes(graph.type(of: node.inputs[0]).shape, graph.type(of: node.inputs[1]).shape)
    else { return false }
    let (a, b) = (lowering.buffer(node.inputs[0]), lowering.buffer(node.inputs[1]))
    let target = lowering.output(node.outputs[0])
    if sizes.b.rank == 2 {
      // One matrix for all batches: their rows make one tall product.
      lowering.product(
        name, a: a, b: b, bias: nil, target: target,
        sizes: (m: sizes.batch.elementCount * sizes.m, n: sizes.n, k: sizes.k))
      return true
    }
    let (aStarts, bStarts) = (
      Self.starts(sizes.a, sizes.batch, matrix: sizes.m * sizes.k),
      Self.starts(sizes.b, sizes.batch, matrix: sizes.k * sizes.n)
    )
    let (m, n, k, count) = (sizes.m, sizes.n, sizes.k, sizes.batch.elementCount)
    lowering.emit(
      name, reads: [a, b], writes: [target],
      scratchBytes: ck_gemm_batch_scratch_bytes(count, m, n, k, lowering.engine.threadCount)
    ) { call in
      call.kernels.pointee.gemm_batch_f32(
        call.pool, false, false, count, m, n, k, aStarts, bStarts, call.read(0), call.read(1),
        call.write(0), call.scratch)
    }
    return true
  }

  /// Where the matrix of each batch begins in an operand that may be broadcast.
  private static func starts(_ operand: Shape, _ batch: Shape, matrix: Int) -> [Int] {
    let own = Shape(Array(operand.dimensions.dropLast(2)))
    let strides = own.strides(broadcastTo: batch)
    return (0..<batch.elementCount).map { number in
      var rest = number
      var start = 0
      for (size, stride) in zip(batch, strides).reversed() {
        start += rest % size * stride
        rest /= size
      }
      return start * matrix
    }
  }
}
