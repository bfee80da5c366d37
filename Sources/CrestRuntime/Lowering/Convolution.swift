import CCrestKernels
import CrestGraph
import CrestTensor

extension ConvAttributes {
  /// The kernel's description of a convolution of images from `x` to `y`.
  func settings(x: Shape, filter: Shape, y: Shape) -> ck_conv2d {
    ck_conv2d(
      batch: x[0], height: x[2], width: x[3], channels: x[1], output_channels: filter[0],
      kernel_height: filter[2], kernel_width: filter[3], output_height: y[2], output_width: y[3],
      stride_height: strides[0], stride_width: strides[1], dilation_height: dilations[0],
      dilation_width: dilations[1], pad_top: padsBefore[0], pad_left: padsBefore[1],
      groups: groups)
  }
}

/// A convolution or one of its gradients.
protocol ImageConvolution: KernelLowering {
  /// How the window moves.
  var attributes: ConvAttributes { get }

  /// The shapes of x, the filter and y, of those of a node's inputs and output.
  func shapes(_ inputs: [Shape], _ output: Shape) -> (x: Shape, filter: Shape, y: Shape)

  /// Whether it is the gradient of the input, whose kernels cost something else.
  var isInputGradient: Bool { get }

  /// The same by Winograd's algorithm with tiles of so many outputs.
  func tiled(_ tile: Int, _ node: Graph.Node) -> any GraphOperation
}

extension ImageConvolution {
  var isInputGradient: Bool { false }

  /// The kernel's description of the convolution that a node computes or is a gradient of; nil when it is not of
  /// images.
  func settings(_ node: Graph.Node, in graph: Graph) -> ck_conv2d? {
    let (x, filter, y) = shapes(
      node.inputs.map { graph.type(of: $0).shape }, graph.type(of: node.outputs[0]).shape)
    return x.rank == 4 ? attributes.settings(x: x, filter: filter, y: y) : nil
  }

  /// The kernel that a node runs on; nil when none does.
  func choice(
    _ node: Graph.Node, in graph: Graph, _ algorithms: Engine.ConvolutionAlgorithms
  ) -> ConvolutionChoice? {
    settings(node, in: graph).map {
      ConvolutionChoice($0, ofInputGradient: isInputGradient, allowed: algorithms)
    }
  }
}

extension Lowering {
  /// Adds the step of a convolution that doesn't run on Winograd's algorithm, which has nodes of its own.
  ///
  /// `images` are the places of inputs that are images, and whether the output is one.
  fileprivate func convolve(
    _ node: Graph.Node, _ operation: some ImageConvolution,
    images: (inputs: Set<Int>, output: Bool),
    scratchBytes: (UnsafePointer<ck_conv2d>, Int) -> Int,
    _ kernel: @escaping (KernelCall, UnsafePointer<ck_conv2d>) -> Void
  ) -> Bool {
    guard let settings = operation.settings(node, in: graph) else { return false }
    let choice = ConvolutionChoice(
      settings, ofInputGradient: operation.isInputGradient, allowed: .direct)
    let p = StableBox(settings)
    emit(
      "\(operation.name) \(choice)",
      reads: node.inputs.enumerated().map {
        buffer($1, images.inputs.contains($0) ? .channelsLast : .plain)
      },
      writes: [output(node.outputs[0], images.output ? .channelsLast : .plain)],
      scratchBytes: scratchBytes(p.base, engine.threadCount)
    ) { call in kernel(call, p.base) }
    return true
  }
}

extension Conv: ImageConvolution {
  func shapes(_ inputs: [Shape], _ output: Shape) -> (x: Shape, filter: Shape, y: Shape) {
    (inputs[0], inputs[1], output)
  }

  func tiled(_ tile: Int, _ node: Graph.Node) -> any GraphOperation {
    FusedConvolution(
      attributes: attributes, inputShape: nil, tile: tile, bias: node.inputs.count > 2 ? 2 : nil)
  }

  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let hasBias = node.inputs.count > 2
    return lowering.convolve(
      node, self, images: ([0], true), scratchBytes: ck_conv2d_scratch_bytes
    ) { call, p in
      call.kernels.pointee.conv2d_f32(
        call.pool, p, call.read(0), call.read(1),
        hasBias ? UnsafePointer(call.read(2)) : nil, call.write(0), call.scratch)
    }
  }
}

extension ConvInputGradient: ImageConvolution {
  var isInputGradient: Bool { true }

  func shapes(_ inputs: [Shape], _ output: Shape) -> (x: Shape, filter: Shape, y: Shape) {
    (output, inputs[1], inputs[0])
  }

  func tiled(_ tile: Int, _ node: Graph.Node) -> any GraphOperation {
    FusedConvolution(attributes: attributes, inputShape: inputShape, tile: tile)
  }

  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    lowering.convolve(
      node, self, images: ([0], true), scratchBytes: ck_conv2d_input_gradient_scratch_bytes
    ) { call, p in
      call.kernels.pointee.conv2d_input_gradient_f32(
        call.pool, p, call.read(0), call.read(1), call.write(0), call.scratch)
    }
  }
}

extension ConvFilterGradient: ImageConvolution {
  func shapes(_ inputs: [Shape], _ output: Shape) -> (x: Shape, filter: Shape, y: Shape) {
    (inputs[0], output, inputs[1])
  }

  func tiled(_ tile: Int, _ node: Graph.Node) -> any GraphOperation {
    FusedFilterGradient(gradient: self, tile: tile)
  }

  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    lowering.convolve(
      node, self, images: ([0, 1], false), scratchBytes: ck_conv2d_filter_gradient_scratch_bytes
    ) { call, p in
      call.kernels.pointee.conv2d_filter_gradient_f32(
        call.pool, p, call.read(0), call.read(1), call.write(0), call.scratch)
    }
  }
}
