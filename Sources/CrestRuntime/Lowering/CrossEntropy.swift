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
  /// The labels, at a place of the inputs.
  func labels(_ place: Int) -> UnsafeMutablePointer<Int64> {
    reads[place].assumingMemoryBound(to: Int64.self)
  }

  /// Whether each label is a class; the run ends at one that isn't.
  ///
  /// A program checks those that it is given, but a loss may compute others.
  func areClasses(
    _ place: Int, count: Int, _ range: Demands.IndexRange
  ) -> Bool {
    let labels = UnsafeBufferPointer(start: labels(place), count: count)
    guard let row = labels.firstIndex(where: { !range.allows($0) }) else { return true }
    report(
      GraphError.IndexOutOfRange(
        index: labels[row], place: row, size: range.count, countsFromEnd: range.countsFromEnd))
    return false
  }
}

extension CrossEntropyLabels.Form {
  /// Whether the kernels of the plain cross-entropy of logits serve it.
  fileprivate var isPlain: Bool { !isOfLogarithms && !countsFromEnd && ignoredLabel == nil }

  fileprivate func range(_ classCount: Int) -> Demands.IndexRange {
    Demands.IndexRange(
      count: classCount, countsFromEnd: countsFromEnd, ignored: ignoredLabel)
  }
}

/// Calls `body` with the address of a number, or with none.
private func withAddress(_ number: Int64?, _ body: (UnsafePointer<Int64>?) -> Void) {
  guard var number else { return body(nil) }
  withUnsafePointer(to: &number) { body($0) }
}

extension CrossEntropyLabels: KernelLowering {
  var integerInputs: Set<Int> { [1] }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let (form, smoothing, isWeighted) = (form, Float(form.smoothing), node.inputs.count > 2)
    return lowering.overLogits(node) { call, size in
      guard call.areClasses(1, count: size.rows, form.range(size.classes)) else { return }
      guard !form.isPlain || isWeighted else {
        call.kernels.pointee.cross_entropy_labels_f32(
          call.pool, size.rows, size.classes, smoothing, call.read(0), call.labels(1),
          call.write(0))
        return
      }
      withAddress(form.ignoredLabel) {
        call.kernels.pointee.label_loss_f32(
          call.pool, size.rows, size.classes, smoothing, form.isOfLogarithms, $0,
          isWeighted ? call.read(2) : nil, call.read(0), call.labels(1), call.write(0))
      }
    }
  }
}

extension CrossEntropyLabelsGradient: KernelLowering {
  var integerInputs: Set<Int> { [1] }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let (form, smoothing, isWeighted) = (form, Float(form.smoothing), node.inputs.count > 3)
    return lowering.overLogits(node) { call, size in
      guard call.areClasses(1, count: size.rows, form.range(size.classes)) else { return }
      guard !form.isPlain || isWeighted else {
        call.kernels.pointee.cross_entropy_labels_gradient_f32(
          call.pool, size.rows, size.classes, smoothing, call.read(0), call.labels(1),
          call.read(2), call.write(0))
        return
      }
      withAddress(form.ignoredLabel) {
        call.kernels.pointee.label_loss_gradient_f32(
          call.pool, size.rows, size.classes, smoothing, form.isOfLogarithms, $0,
          isWeighted ? call.read(3) : nil, call.read(0), call.labels(1), call.read(2),
          call.write(0))
      }
    }
  }
}

extension OneHotLabels: KernelLowering {
  var integerInputs: Set<Int> { [0] }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let shape = lowering.graph.type(of: node.inputs[0]).shape
    let inner = shape.dimensions.dropFirst().reduce(1, *)
    let (classCount, ignored) = (classCount, ignoredLabel)
    let range = Demands.IndexRange(count: classCount, countsFromEnd: false, ignored: ignored)
    lowering.emit(
      name, reads: [lowering.buffer(node.inputs[0])], writes: [lowering.output(node.outputs[0])]
    ) { call in
      guard call.areClasses(0, count: shape.elementCount, range) else { return }
      withAddress(ignored) {
        call.kernels.pointee.one_hot_labels_f32(
          call.pool, shape[0], classCount, inner, $0, call.labels(0), call.write(0))
      }
    }
    return true
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
