import CCrestKernels
import CrestGraph
import CrestTensor

extension Lowering {
  /// Runs a kernel over logits (rows, classes); classes along another axis wait for kernels.
  fileprivate func overLogits(
    _ node: Graph.Node,
    _ kernel:
      @escaping (Engine, (rows: Int, classes: Int), [UnsafeMutableRawPointer]) -> Void
  ) -> Bool {
    let shape = graph.type(of: node.inputs[0]).shape
    guard shape.rank == 2 else { return false }
    let sources = node.inputs.map { buffer($0) }
    let target = output(node.outputs[0])
    let engine = engine
    emit(node.operation.name, reads: sources, writes: [target]) { memory in
      let pointers = (sources + [target]).map { memory[$0] }
      return { kernel(engine, (shape[0], shape[1]), pointers) }
    }
    return true
  }

  /// Whether labels are of the type the kernel reads.
  fileprivate func hasLongLabels(_ node: Graph.Node) -> Bool {
    graph.type(of: node.inputs[1]).elementType == .int64
  }
}

extension UnsafeMutableRawPointer {
  fileprivate var floats: UnsafeMutablePointer<Float> { assumingMemoryBound(to: Float.self) }
  fileprivate var labels: UnsafeMutablePointer<Int64> { assumingMemoryBound(to: Int64.self) }
}

extension CrossEntropyLabels: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let smoothing = Float(smoothing)
    return lowering.hasLongLabels(node)
      && lowering.overLogits(node) { engine, size, p in
        engine.kernels.pointee.cross_entropy_labels_f32(
          engine.pool, size.rows, size.classes, smoothing, p[0].floats, p[1].labels, p[2].floats)
      }
  }
}

extension CrossEntropyLabelsGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let smoothing = Float(smoothing)
    return lowering.hasLongLabels(node)
      && lowering.overLogits(node) { engine, size, p in
        engine.kernels.pointee.cross_entropy_labels_gradient_f32(
          engine.pool, size.rows, size.classes, smoothing, p[0].floats, p[1].labels, p[2].floats,
          p[3].floats)
      }
  }
}

extension CrossEntropyProbabilities: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let smoothing = Float(smoothing)
    return lowering.overLogits(node) { engine, size, p in
      engine.kernels.pointee.cross_entropy_probabilities_f32(
        engine.pool, size.rows, size.classes, smoothing, p[0].floats, p[1].floats, p[2].floats)
    }
  }
}

extension CrossEntropyProbabilitiesGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let smoothing = Float(smoothing)
    return lowering.overLogits(node) { engine, size, p in
      engine.kernels.pointee.cross_entropy_probabilities_gradient_f32(
        engine.pool, size.rows, size.classes, smoothing, p[0].floats, p[1].floats, p[2].floats,
        p[3].floats)
    }
  }
}
