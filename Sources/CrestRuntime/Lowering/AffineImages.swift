import CCrestKernels
import CrestGraph
import CrestTensor

/// An image that is computed while it is read: the inputs of a ``ChannelAffine``.
struct AffineImage {
  let inputs: [ValueID]
  let hasRelu: Bool

  /// Whether it is made of one value.
  var isOfOne: Bool { inputs.count == 3 }
  /// Its inputs, and how a kernel reads each.
  var parts: Zip2Sequence<[ValueID], [Lowering.Layout]> {
    zip(inputs, [.channelsLast, .plain, .plain, .channelsLast, .plain])
  }
}

/// How a kernel finds an image among what its step reads: x, and where it is computed its scale and
/// shift, and where it is the sum of two the second and its scale.
struct ImageOperand {
  let buffers: [BufferID]
  let hasRelu: Bool

  /// What the kernel is given, when the first buffer is the step's read number `start`.
  func affine(_ call: KernelCall, at start: Int) -> ck_affine {
    let isScaled = buffers.count > 1
    let isSum = buffers.count > 3
    return ck_affine(
      x: call.read(start), scale: isScaled ? UnsafePointer(call.read(start + 1)) : nil,
      shift: isScaled ? UnsafePointer(call.read(start + 2)) : nil,
      second: isSum ? UnsafePointer(call.read(start + 3)) : nil,
      second_scale: isSum ? UnsafePointer(call.read(start + 4)) : nil, relu: hasRelu)
  }
}

extension Lowering {
  /// An image as a kernel reads it that can compute it on the way.
  func operand(_ value: ValueID) -> ImageOperand {
    guard let image = pending[value] else {
      return ImageOperand(buffers: [buffer(value, .channelsLast)], hasRelu: false)
    }
    return operand(image)
  }

  private func operand(_ image: AffineImage) -> ImageOperand {
    ImageOperand(buffers: image.parts.map { buffer($0, $1) }, hasRelu: image.hasRelu)
  }

  /// An image as a kernel reads it, if all that it is made of is there before a step.
  func operand(_ value: ValueID, before step: Int) -> ImageOperand? {
    guard let image = pending[value] else {
      return ready(value, .channelsLast, before: step).map {
        ImageOperand(buffers: [$0], hasRelu: false)
      }
    }
    let buffers = image.parts.compactMap { ready($0, $1, before: step) }
    guard buffers.count == image.inputs.count else { return nil }
    return ImageOperand(buffers: buffers, hasRelu: image.hasRelu)
  }

  /// Whether some reader of a pending image needs it in memory.
  func isNeededWhole(_ value: ValueID) -> Bool {
    guard let image = pending[value] else { return false }
    return !(readers[value] ?? []).allSatisfy { canCompute(value, image, graph.nodes[$0]) }
  }

  /// Whether a node can compute an image while it reads it.
  fileprivate func canCompute(_ value: ValueID, _ image: AffineImage, _ node: Graph.Node) -> Bool {
    switch node.operation {
    case is Conv, is ConvInputGradient:
      guard case .winograd = choice(node) else { return false }
      return node.inputs[0] == value && !node.inputs.dropFirst().contains(value)
    case is ConvFilterGradient:
      if case .winograd = choice(node) { return true }
      return false
    case let chain as FusedElementwise:
      // Where a ReLU of one value let something through, that value alone tells.
      guard image.isOfOne, image.hasRelu, let pattern = chain.gradientPattern else { return false }
      return pattern.mask.map { node.inputs[$0] } == value
        && !pattern.terms.contains { node.inputs[$0] == value }
    default: return false
    }
  }

  /// Puts a pending image into memory, by a pass of its own.
  func materialize(_ value: ValueID, _ image: AffineImage) {
    let operand = operand(image)
    let shape = graph.type(of: value).shape
    let size = (rows: shape[0] * shape.dropFirst(2).reduce(1, *), channels: shape[1])
    emit(
      "ChannelAffine", reads: operand.buffers,
      writes: [output(value, shape.rank == 4 ? .channelsLast : .plain)]
    ) { call in
      var affine = operand.affine(call, at: 0)
      call.kernels.pointee.affine_f32(call.pool, size.rows, size.channels, &affine, call.write(0))
    }
  }
}

extension ChannelAffine: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let value = node.outputs[0]
    let rank = lowering.graph.type(of: value).shape.rank
    guard rank == 2 || rank == 4 else { return false }
    let image = AffineImage(inputs: node.inputs, hasRelu: hasRelu)
    let readers = lowering.readers[value] ?? []
    if rank == 4, lowering.isJoining, !lowering.wanted.contains(value),
      readers.contains(where: { lowering.canCompute(value, image, lowering.graph.nodes[$0]) })
    {
      lowering.pending[value] = image
    } else {
      lowering.materialize(value, image)
    }
    return true
  }
}
