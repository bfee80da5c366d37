import CCrestKernels
import CrestGraph
import CrestTensor

extension ConvAttributes {
  /// The kernel's description of a two-dimensional convolution from `x` to `y`; nil for other ranks.
  fileprivate func kernelAttributes(x: Shape, filter: Shape, y: Shape) -> ck_conv2d? {
    guard x.rank == 4 else { return nil }
    return ck_conv2d(
      batch: x[0], height: x[2], width: x[3], channels: x[1], output_channels: filter[0],
      kernel_height: filter[2], kernel_width: filter[3], output_height: y[2], output_width: y[3],
      stride_height: strides[0], stride_width: strides[1], dilation_height: dilations[0],
      dilation_width: dilations[1], pad_top: padsBefore[0], pad_left: padsBefore[1],
      groups: groups)
  }
}

/// A kernel's description at a fixed address.
final class Fixed<Value> {
  let base: UnsafeMutablePointer<Value>

  init(_ value: Value) {
    base = .allocate(capacity: 1)
    base.initialize(to: value)
  }

  deinit {
    base.deinitialize(count: 1)
    base.deallocate()
  }
}

extension Lowering {
  /// The kernel's description of a convolution's node or of one of its gradients; nil for other
  /// nodes and ranks.
  fileprivate func convolution(_ node: Graph.Node) -> ck_conv2d? {
    let shapes = node.inputs.map { graph.type(of: $0).shape }
    switch node.operation {
    case let conv as Conv:
      return conv.attributes.kernelAttributes(
        x: shapes[0], filter: shapes[1], y: graph.type(of: node.outputs[0]).shape)
    case let gradient as ConvInputGradient:
      return gradient.attributes.kernelAttributes(
        x: gradient.inputShape, filter: shapes[1], y: shapes[0])
    case let gradient as ConvFilterGradient:
      return gradient.attributes.kernelAttributes(
        x: shapes[0], filter: gradient.filterShape, y: shapes[1])
    default: return nil
    }
  }

  /// The kernel that a convolution's node runs on; nil when none does.
  func choice(_ node: Graph.Node) -> ConvolutionChoice? {
    convolution(node).map {
      ConvolutionChoice(
        $0, ofInputGradient: node.operation is ConvInputGradient, allowed: engine.convolutions)
    }
  }

  /// What a step of a convolution is called.
  fileprivate func describe(_ node: Graph.Node, _ choice: ConvolutionChoice) -> String {
    "\(node.operation.name) \(choice)"
  }

  /// Adds a Winograd convolution: of an input, or of a gradient with turned filters.
  fileprivate func winograd(
    _ node: Graph.Node, _ p: ck_conv2d, tile: Int, turned: Bool
  ) {
    let (x, filter) = (node.inputs[0], graph.type(of: node.inputs[1]).shape)
    // Whoever computes an image first keeps it, where somebody needs it whole.
    let keepsInput = isNeededWhole(x)
    let border = p.kernel_height / 2
    let coversInput =
      p.height == p.output_height && p.width == p.output_width && p.pad_top == border
      && p.pad_left == border
    if keepsInput, !coversInput { _ = buffer(x, .channelsLast) }
    let image = operand(x)
    let isKept = keepsInput && coversInput
    if isKept { pending[x] = nil }

    let filters = temporary(
      byteCount: 4 * ck_winograd_filter_floats(tile, p.kernel_height, p.channels, p.output_channels)
    )
    emit("filters winograd \(tile)×\(tile)", reads: [buffer(node.inputs[1])], writes: [filters]) {
      call in
      call.kernels.pointee.winograd_filters_f32(
        call.pool, tile, filter[2], filter[0], filter[1], turned, call.read(0), call.write(0))
    }
    let bias = node.inputs.count > 2 ? [buffer(node.inputs[2])] : []
    let settings = Fixed(p)
    let y = output(node.outputs[0], .channelsLast)
    let kept = isKept ? [output(x, .channelsLast)] : []
    let step = WinogradStep(
      number: steps.count, tile: tile, settings, image: image, hasBias: !bias.isEmpty,
      keepsInput: isKept)
    emit(
      step, describe(node, .winograd(tile: tile)), reads: image.buffers + [filters] + bias,
      writes: [y] + kept,
      scratchBytes: ck_winograd_conv2d_scratch_bytes(settings.base, tile, engine.threadCount))
  }

  /// The step that makes the gradient of the input of the convolution whose filters' gradient a node
  /// is, by the same tiles, and can make that too; nil when there is none.
  private func inputGradientStep(
    beside node: Graph.Node, _ gradient: ConvFilterGradient
  ) -> WinogradStep? {
    let (x, dy) = (node.inputs[0], node.inputs[1])
    for number in readers[dy] ?? [] {
      let other = graph.nodes[number]
      if let operation = other.operation as? ConvInputGradient, other.inputs[0] == dy,
        operation.attributes == gradient.attributes,
        operation.inputShape == graph.type(of: x).shape,
        graph.type(of: other.inputs[1]).shape == gradient.filterShape,
        choice(other) == choice(node), let step = winogradStep(making: other.outputs[0]),
        !step.makesFilterGradient
      {
        return step
      }
    }
    return nil
  }

  /// Lets the step that makes the gradient of the input make that of the filters too; false when
  /// there is none, or x is not there by then.
  fileprivate func joinedToInputGradient(
    _ node: Graph.Node, _ gradient: ConvFilterGradient, _ p: Fixed<ck_conv2d>, tile: Int
  ) -> Bool {
    guard let step = inputGradientStep(beside: node, gradient),
      let x = operand(node.inputs[0], before: step.number)
    else { return false }
    step.makeFilterGradient(p, x: x, dw: output(node.outputs[0]), in: self)
    extend(
      step.number, name: "ConvGradients \(ConvolutionChoice.winograd(tile: tile))",
      scratchBytes: ck_winograd_gradients_scratch_bytes(p.base, tile, engine.threadCount))
    return true
  }
}

extension Conv: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let settings = lowering.convolution(node), let choice = lowering.choice(node) else {
      return false
    }
    if case .winograd(let tile) = choice {
      lowering.winograd(node, settings, tile: tile, turned: false)
      return true
    }
    let p = Fixed(settings)
    let bias = node.inputs.count > 2 ? [lowering.buffer(node.inputs[2])] : []
    lowering.emit(
      lowering.describe(node, choice),
      reads: [lowering.buffer(node.inputs[0], .channelsLast), lowering.buffer(node.inputs[1])]
        + bias,
      writes: [lowering.output(node.outputs[0], .channelsLast)],
      scratchBytes: ck_conv2d_scratch_bytes(p.base, lowering.engine.threadCount)
    ) { call in
      call.kernels.pointee.conv2d_f32(
        call.pool, p.base, call.read(0), call.read(1),
        bias.isEmpty ? nil : UnsafePointer(call.read(2)), call.write(0), call.scratch)
    }
    return true
  }
}

extension ConvInputGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let settings = lowering.convolution(node), let choice = lowering.choice(node) else {
      return false
    }
    let p = Fixed(settings)
    if case .winograd(let tile) = choice {
      lowering.winograd(
        node, ck_conv2d_input_gradient_as_conv2d(p.base), tile: tile, turned: true)
      return true
    }
    let (dy, filter) = (node.inputs[0], node.inputs[1])
    lowering.emit(
      lowering.describe(node, choice),
      reads: [lowering.buffer(dy, .channelsLast), lowering.buffer(filter)],
      writes: [lowering.output(node.outputs[0], .channelsLast)],
      scratchBytes: ck_conv2d_input_gradient_scratch_bytes(p.base, lowering.engine.threadCount)
    ) { call in
      call.kernels.pointee.conv2d_input_gradient_f32(
        call.pool, p.base, call.read(0), call.read(1), call.write(0), call.scratch)
    }
    return true
  }
}

extension ConvFilterGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let settings = lowering.convolution(node), let choice = lowering.choice(node) else {
      return false
    }
    let p = Fixed(settings)
    if case .winograd(let tile) = choice {
      if lowering.joinedToInputGradient(node, self, p, tile: tile) { return true }
      let (x, dy) = (lowering.operand(node.inputs[0]), lowering.operand(node.inputs[1]))
      lowering.emit(
        lowering.describe(node, choice), reads: x.buffers + dy.buffers,
        writes: [lowering.output(node.outputs[0])],
        scratchBytes: ck_winograd_filter_gradient_scratch_bytes(
          p.base, tile, lowering.engine.threadCount)
      ) { call in
        var (xImage, dyImage) = (x.affine(call, at: 0), dy.affine(call, at: x.buffers.count))
        call.kernels.pointee.winograd_filter_gradient_f32(
          call.pool, tile, p.base, &xImage, &dyImage, call.write(0), call.scratch)
      }
      return true
    }
    lowering.emit(
      lowering.describe(node, choice),
      reads: node.inputs.map { lowering.buffer($0, .channelsLast) },
      writes: [lowering.output(node.outputs[0])],
      scratchBytes: ck_conv2d_filter_gradient_scratch_bytes(p.base, lowering.engine.threadCount)
    ) { call in
      call.kernels.pointee.conv2d_filter_gradient_f32(
        call.pool, p.base, call.read(0), call.read(1), call.write(0), call.scratch)
    }
    return true
  }
}
