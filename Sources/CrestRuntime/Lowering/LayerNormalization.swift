import CCrestKernels
import CrestGraph
import CrestTensor

extension LayerNormalization: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let (rows, columns) = sizes(of: lowering.graph.type(of: node.inputs[0]).shape)
    let epsilon = epsilon
    lowering.emit(
      name, reads: node.inputs.map { lowering.buffer($0) },
      writes: [lowering.output(node.outputs[0])]
    ) { call in
      call.kernels.pointee.layer_normalization_f32(
        call.pool, rows, columns, epsilon, call.read(0), call.read(1), call.read(2), call.write(0))
    }
    return true
  }

  /// How many rows of how many elements are normalised.
  fileprivate func sizes(of shape: Shape) -> (rows: Int, columns: Int) {
    (shape.dimensions[..<axis].reduce(1, *), shape.dimensions[axis...].reduce(1, *))
  }
}

extension LayerNormalizationGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let (rows, columns) = normalization.sizes(of: lowering.graph.type(of: node.inputs[0]).shape)
    let epsilon = normalization.epsilon
    lowering.emit(
      name, reads: node.inputs.map { lowering.buffer($0) },
      writes: node.outputs.map { lowering.output($0) },
      scratchBytes: ck_layer_norm_scratch_bytes(rows, columns)
    ) { call in
      call.kernels.pointee.layer_normalization_gradient_f32(
        call.pool, rows, columns, epsilon, call.read(0), call.read(1), call.read(2), call.write(0),
        call.write(1), call.write(2), call.scratch)
    }
    return true
  }
}
