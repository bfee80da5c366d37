import CCrestKernels
import CrestGraph
import CrestTensor

extension Dropout: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let count = lowering.graph.type(of: node.outputs[0]).shape.elementCount
    // Masks are keyed by an element's place in the graph's order, so images are taken plain.
    let (x, y) = (lowering.buffer(node.inputs[0]), lowering.output(node.outputs[0]))
    let engine = lowering.engine
    let (rate, stream) = (Float(rate), stream)
    lowering.emit(name, reads: [x], writes: [y]) { memory in
      let (input, result) = (memory.floats(x), memory.floats(y))
      let random = memory.random
      let (kernels, pool) = (engine.kernels, engine.pool)
      return {
        kernels.pointee.dropout_f32(
          pool, count, rate, random.key.seed, stream, random.key.step, input, result)
      }
    }
    return true
  }
}
