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
