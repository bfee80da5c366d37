import CCrestKernels
import CrestGraph
import CrestTensor

extension Dropout: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let count = lowering.graph.type(of: node.outputs[0]).shape.elementCount
    // Masks are keyed by an element's place in the graph's order, so images are taken plain.
    let (x, y) = (lowering.buffer(node.inputs[0]), lowering.output(node.outputs[0]))
    let (rate, stream) = (Float(rate), stream)
    lowering.emit(name, reads: [x], writes: [y]) { call in
      call.kernels.pointee.dropout_f32(
        call.pool, count, rate, call.random.seed, stream, call.random.step, call.read(0),
        call.write(0))
    }
    return true
  }
}

extension DropoutMask: KernelLowering {
  var servesEveryType: Bool { true }

  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let count = lowering.graph.type(of: node.outputs[0]).shape.elementCount
    let (rate, stream) = (Float(dropout.rate), dropout.stream)
    lowering.emit(name, reads: [], writes: [lowering.output(node.outputs[0])]) { call in
      call.kernels.pointee.dropout_mask(
        call.pool, count, rate, call.random.seed, stream, call.random.step,
        call.writes[0].assumingMemoryBound(to: UInt8.self))
    }
    return true
  }
}

extension RandomNormalLike: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let count = lowering.graph.type(of: node.outputs[0]).shape.elementCount
    let stream = stream
    lowering.emit(name, reads: [], writes: [lowering.output(node.outputs[0])]) { call in
      call.kernels.pointee.normal_f32(
        call.pool, count, call.random.seed, stream, call.random.step, call.write(0))
    }
    return true
  }
}
