import CCrestKernels
import CrestGraph
import CrestTensor

extension Slice: KernelLowering {
  var servesEveryType: Bool { true }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let type = lowering.graph.type(of: node.outputs[0])
    let input = lowering.graph.type(of: node.inputs[0]).shape
    guard let extents = try? extents(of: input) else { return false }
    let layout = lowering.layout(moving: node.inputs[0])
    let (source, target) = (
      lowering.buffer(node.inputs[0], layout), lowering.output(node.outputs[0], layout)
    )
    let strides = input.strides(layout)
    lowering.copyBox(
      sizes: type.shape.dimensions, elementType: type.elementType, layout: layout, from: source,
      strides: zip(extents, strides).map { $0.step * $1 }, sourceOffset: extents.start(strides),
      to: target, strides: type.shape.strides(layout))
    return true
  }
}

extension SliceGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let extents = try? slice.extents(of: inputShape) else { return false }
    let gradient = lowering.graph.type(of: node.inputs[0])
    let layout = lowering.layout(moving: node.inputs[0])
    let (source, target) = (
      lowering.buffer(node.inputs[0], layout), lowering.output(node.outputs[0], layout)
    )
    let strides = inputShape.strides(layout)
    lowering.fill(target, count: inputShape.elementCount, with: Tensor(scalar: 0 as Float))
    lowering.copyBox(
      sizes: gradient.shape.dimensions, elementType: gradient.elementType, layout: layout,
      from: source, strides: gradient.shape.strides(layout), to: target,
      strides: zip(extents, strides).map { $0.step * $1 }, targetOffset: extents.start(strides))
    return true
  }
}

extension [Slice.Extent] {
  /// The first element taken, in elements from the start.
  fileprivate func start(_ strides: [Int]) -> Int {
    zip(self, strides).reduce(0) { $0 + ($1.0.count == 0 ? 0 : $1.0.start * $1.1) }
  }
}

extension Pad: KernelLowering {
  var servesEveryType: Bool { true }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let input = lowering.graph.type(of: node.inputs[0]).shape
    let type = lowering.graph.type(of: node.outputs[0])
    let layout = lowering.layout(moving: node.inputs[0])
    let (source, target) = (
      lowering.buffer(node.inputs[0], layout), lowering.output(node.outputs[0], layout)
    )
    let (sourceStrides, targetStrides) = (input.strides(layout), type.shape.strides(layout))
    let border =
      type.elementType.isFloat
      ? Tensor(rounding: [value], to: type.elementType, shape: [])
      : Tensor(wrapping: [Int64(value)], to: type.elementType, shape: [])
    lowering.fill(target, count: type.shape.elementCount, with: border)
    // Negative widths take elements away, so what is copied begins and ends inside the input.
    var sizes: [Int] = []
    var offsets = (source: 0, target: 0)
    for axis in 0..<input.rank {
      let taken = (before: max(0, -before[axis]), after: max(0, -after[axis]))
      sizes.append(max(0, input[axis] - taken.before - taken.after))
      offsets.source += taken.before * sourceStrides[axis]
      offsets.target += max(0, before[axis]) * targetStrides[axis]
    }
    guard !sizes.contains(0) else { return true }
    lowering.copyBox(
      sizes: sizes, elementType: type.elementType, layout: layout, from: source,
      strides: sourceStrides, sourceOffset: offsets.source, to: target, strides: targetStrides,
      targetOffset: offsets.target)
    return true
  }
}
