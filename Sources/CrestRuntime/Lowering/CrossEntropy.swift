import CCrestKernels
import CrestGraph
import CrestTensor

extension Lowering {
  /// Runs a kernel over logits (rows, classes).
  fileprivate func overLogits(
    _ node: Graph.Node,
    _ kernel: @escaping (KernelCall, (rows: Int, classes: Int)) -> Void
  ) -> Bool {
    let logits = graph.type(of: node.inputs[0]).shape
    guard logits.rank == 2 else { return false }
    let size = (rows: logits[0], classes: logits[1])
    emit(
      node.operation.name, reads: node.inputs.map { buffer($0) },
      writes: [output(node.outputs[0])]
    ) { call in kernel(call, size) }
    return true
  }
}

extension KernelCall {
  /// The labels, which follow the logits.
  fileprivate var labels: UnsafeMutablePointer<Int64> {
    reads[1].assumingMemoryBound(to: Int64.self)
  }

  /// Whether each label is a class; the run ends at one that isn't.
  ///
  /// A program checks those that it is given, but a loss may compute others.
  fileprivate func areClasses(_ size: (rows: Int, classes: Int)) -> Bool {
    let labels = UnsafeBufferPointer(start: labels, count: size.rows)
    guard let row = labels.firstIndex(where: { $0 < 0 || $0 >= size.classes }) else { return true }
    report(
      GraphError.IndexOutOfRange(
        index: labels[row], place: row, size: size.classes, countsFromEnd: false))
    return false
  }
}

extension CrossEntropyLabels: KernelLowering {
  var integerInputs: Set<Int> { [1] }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let smoothing = Float(smoothing)
    return lowering.overLogits(node) { call, size in
      guard call.areClasses(size) else { return }
      call.kernels.pointee.cross_entropy_labels_f32(
        call.pool, size.rows, size.classes, smoothing, call.read(0), call.labels, call.write(0))
    }
  }
}

extension CrossEntropyLabelsGradient: KernelLowering {
  var integerInputs: Set<Int> { [1] }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let smoothing = Float(smoothing)
    return lowering.overLogits(node) { call, size in
      guard call.areClasses(size) else { return }
      call.kernels.pointee.cross_entropy_labels_gradient_f32(
        call.pool, size.rows, size.classes, smoothing, call.read(0), call.labels, call.read(2),
        call.write(0))
    }
  }
}

extension CrossEntropyProbabilities: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let smoothing = Float(smoothing)
    return lowering.overLogits(node) { call, size in
      call.kernels.pointee.cross_entropy_probabilities_f32(
        call.pool, size.rows, size.classes, smoothing, call.read(0), call.read(1), call.write(0))
    }
  }
}

extension CrossEntropyProbabilitiesGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let smoothing = Float(smoothing)
    return lowering.overLogits(node) { call, size in
      call.kernels.pointee.cross_entropy_probabilities_gradient_f32(
        call.pool, size.rows, size.classes, smoothing, call.read(0), call.read(1), call.read(2),
        call.write(0))
    }
  }
}
