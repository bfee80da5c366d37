import CCrestKernels
import CrestGraph
import CrestTensor

extension CumSum: KernelLowering {
  var servesEveryType: Bool { true }

  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let type = lowering.graph.type(of: node.inputs[0])
    guard type.elementType == .float32 || type.elementType.isInteger else { return false }
    let (lines, isExclusive, isReversed) = (
      RowChoice(of: type.shape, along: axis), isExclusive, isReversed
    )
    lowering.emit(
      name, reads: [lowering.buffer(node.inputs[0])], writes: [lowering.output(node.outputs[0])]
    ) { call in
      call.kernels.pointee.cumulative_sum(
        call.pool, type.elementType.kernelType, lines.outer, lines.size, lines.inner, isExclusive,
        isReversed, call.reads[0], call.writes[0])
    }
    return true
  }
}

extension IndexSearch: KernelLowering {
  var servesEveryType: Bool { true }

  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let type = lowering.graph.type(of: node.inputs[0])
    guard type.elementType == .float32 || type.elementType.isInteger else { return false }
    let (lines, isLargest, takesLast) = (
      RowChoice(of: type.shape, along: axis), kind == .largest, takesLast
    )
    lowering.emit(
      name, reads: [lowering.buffer(node.inputs[0])], writes: [lowering.output(node.outputs[0])]
    ) { call in
      call.kernels.pointee.search(
        call.pool, type.elementType.kernelType, isLargest, takesLast, lines.outer, lines.size,
        lines.inner, call.reads[0], call.writes[0].assumingMemoryBound(to: Int64.self))
    }
    return true
  }
}

extension TopKIndices: KernelLowering {
  var servesEveryType: Bool { true }

  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let type = lowering.graph.type(of: node.inputs[0])
    guard type.elementType == .float32 else { return false }
    let (lines, count, takesLargest) = (
      RowChoice(of: type.shape, along: axis), count, takesLargest
    )
    lowering.emit(
      name, reads: [lowering.buffer(node.inputs[0])], writes: [lowering.output(node.outputs[0])]
    ) { call in
      call.kernels.pointee.top_f32(
        call.pool, takesLargest, count, lines.outer, lines.size, lines.inner, call.read(0),
        call.writes[0].assumingMemoryBound(to: Int64.self))
    }
    return true
  }
}
