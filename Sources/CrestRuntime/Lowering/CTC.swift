import CCrestKernels
import CrestGraph
import CrestTensor

extension CTCLoss: KernelLowering {
  var integerInputs: Set<Int> { [1] }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let form = form
    lowering.overSequences(node, form) { call, size in
      call.kernels.pointee.ctc_loss_f32(
        call.pool, size.examples, size.steps, size.classes, size.width, form.blank, form.padding,
        form.zeroInfinity, call.read(0), call.labels(1), call.write(0), call.scratch)
    }
    return true
  }
}

extension CTCLossGradient: KernelLowering {
  var integerInputs: Set<Int> { [1] }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let form = form
    lowering.overSequences(node, form) { call, size in
      call.kernels.pointee.ctc_loss_gradient_f32(
        call.pool, size.examples, size.steps, size.classes, size.width, form.blank, form.padding,
        form.zeroInfinity, call.read(0), call.labels(1), call.read(2), call.write(0), call.scratch)
    }
    return true
  }
}

/// The sizes of logits (examples, steps, classes) and labels (examples, width).
private struct SequenceSizes {
  let examples, steps, classes, width: Int
}

extension Lowering {
  /// Runs a kernel over logits of sequences and their labels.
  fileprivate func overSequences(
    _ node: Graph.Node, _ form: CTCLoss.Form,
    _ kernel: @escaping (KernelCall, SequenceSizes) -> Void
  ) {
    let (logits, labels) = (
      graph.type(of: node.inputs[0]).shape, graph.type(of: node.inputs[1]).shape
    )
    let size = SequenceSizes(
      examples: logits[0], steps: logits[1], classes: logits[2], width: labels[1])
    let range = Demands.IndexRange(
      count: size.classes, countsFromEnd: false, ignored: form.padding)
    emit(
      node.operation.name, reads: node.inputs.map { buffer($0) },
      writes: [output(node.outputs[0])],
      scratchBytes: ck_ctc_scratch_bytes(
        size.steps, size.classes, size.width, engine.threadCount)
    ) { call in
      guard call.areClasses(1, count: labels.elementCount, range) else { return }
      kernel(call, size)
    }
  }
}
