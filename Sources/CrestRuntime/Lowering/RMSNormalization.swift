import CCrestKernels
import CrestGraph
import CrestTensor

extension RMSNormalization: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let shape = lowering.graph.type(of: node.inputs[0]).shape
    let columns = shape.dimensions[axis...].reduce(1, *)
    let rows = shape.dimensions[..<axis].reduce(1, *)
    let epsilon = epsilon
    lowering.emit(
      name, reads: node.inputs.map { lowering.buffer($0) },
      writes: [lowering.output(node.outputs[0])]
    ) { call in
      call.kernels.pointee.rms_normalization_f32(
        call.pool, rows, columns, epsilon, call.read(0), call.read(1), call.write(0))
    }
    return true
  }
}
