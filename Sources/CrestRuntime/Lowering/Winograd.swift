import CCrestKernels
import CrestGraph
import CrestTensor

extension FusedConvolution {
  /// The kernel's description of the convolution that it is, or that it is a gradient of, and of what runs: of a
  /// gradient, a convolution of dy with turned filters.
  fileprivate func settings(
    _ node: Graph.Node, in graph: Graph
  ) -> (convolution: ck_conv2d, run: ck_conv2d) {
    let (image, y) = (graph.type(of: node.inputs[0]).shape, graph.type(of: node.outputs[0]).shape)
    let filter = graph.type(of: node.inputs[1]).shape
    guard inputShape != nil else {
      let convolution = attributes.settings(x: image, filter: filter, y: y)
      return (convolution, convolution)
    }
    var convolution = attributes.settings(x: y, filter: filter, y: image)
    return (convolution, ck_conv2d_input_gradient_as_conv2d(&convolution))
  }

  /// Whether windows lie around each pixel of the image, so that the kernel passes through all of it.
  func readsAsItWrites(_ node: Graph.Node, in graph: Graph) -> Bool {
    let p = settings(node, in: graph).run
    let border = p.kernel_height / 2
    return p.height == p.output_height && p.width == p.output_width && p.pad_top == border
      && p.pad_left == border
  }

  /// How the kernel reads the input at a place.
  fileprivate func layout(of place: Int) -> Lowering.Layout {
    if place == addend || gradients.contains(where: { $0.reads == place }) { return .channelsLast }
    let images = [image] + [mask, filterGradient?.x].compactMap(\.self)
    return images.lazy.compactMap { $0.layout(of: place) }.first ?? .plain
  }
}

extension FusedImage {
  /// How a kernel reads the input at a place; nil when it is none of the image's.
  func layout(of place: Int) -> Lowering.Layout? {
    places.firstIndex(of: place).map { [0, 3].contains($0) ? .channelsLast : .plain }
  }
}

extension FusedConvolution: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let (convolution, run) = settings(node, in: lowering.graph)
    var reads = node.inputs.enumerated().map { lowering.buffer($1, layout(of: $0)) }
    reads[1] = filters(reads[1], convolution, run, into: lowering)
    let writes = node.outputs.enumerated().map { place, value in
      lowering.output(value, place == 0 || place == keptImage ? .channelsLast : .plain)
    }
    let step = WinogradStep(self, convolution: StableBox(convolution), run: StableBox(run))
    lowering.emit(
      "\(name) \(ConvolutionChoice.winograd(tile: tile))", reads: reads, writes: writes,
      scratchBytes: step.scratchBytes(threadCount: lowering.engine.threadCount), run: step.run)
    return true
  }

  /// Adds the step that transforms the filters.
  private func filters(
    _ filters: BufferID, _ convolution: ck_conv2d, _ run: ck_conv2d, into lowering: Lowering
  ) -> BufferID {
    let (tile, isTurned) = (tile, inputShape != nil)
    let transformed = lowering.temporary(
      byteCount: 4
        * ck_winograd_filter_floats(tile, run.kernel_height, run.channels, run.output_channels))
    lowering.emit(
      "filters winograd \(tile)×\(tile)", reads: [filters], writes: [transformed]
    ) { call in
      call.kernels.pointee.winograd_filters_f32(
        call.pool, tile, convolution.kernel_height, convolution.output_channels,
        convolution.channels, isTurned, call.read(0), call.write(0))
    }
    return transformed
  }
}

/// A call of Winograd's kernel, with what it is told at fixed addresses.
private final class WinogradStep {
  private let operation: FusedConvolution
  private let convolution: StableBox<ck_conv2d>
  private let settings: StableBox<ck_conv2d>
  private let normalization = UnsafeMutablePointer<ck_normalization>.allocate(capacity: 1)
  private let gradients = UnsafeMutablePointer<ck_normalization_gradient>.allocate(
    capacity: FusedConvolution.mostGradients)

  init(_ operation: FusedConvolution, convolution: StableBox<ck_conv2d>, run: StableBox<ck_conv2d>)
  {
    self.operation = operation
    self.convolution = convolution
    settings = run
  }

  deinit {
    normalization.deallocate()
    gradients.deallocate()
  }

  func scratchBytes(threadCount: Int) -> Int {
    operation.filterGradient == nil
      ? ck_winograd_conv2d_scratch_bytes(settings.base, operation.tile, threadCount)
      : ck_winograd_gradients_scratch_bytes(convolution.base, operation.tile, threadCount)
  }

  func run(_ call: KernelCall) {
    var image = operation.image.affine(call)
    var result = result(call)
    let kept = operation.keptImage.map { call.write($0) }
    guard let gradient = operation.filterGradient else {
      call.kernels.pointee.winograd_conv2d_f32(
        call.pool, operation.tile, settings.base, &image, kept, call.read(1), &result,
        call.scratch)
      return
    }
    var x = gradient.x.affine(call)
    call.kernels.pointee.winograd_gradients_f32(
      call.pool, operation.tile, convolution.base, &x, &image, kept, call.read(1), &result,
      call.write(gradient.write), call.scratch)
  }

  /// What becomes of the sums.
  private func result(_ call: KernelCall) -> ck_conv2d_output {
    if let statistics = operation.statistics {
      normalization.initialize(
        to: call.normalization(
          epsilon: statistics.epsilon, reads: statistics.reads, writes: statistics.writes))
    }
    for (place, gradient) in operation.gradients.enumerated() {
      (gradients + place).initialize(
        to: call.normalizationGradient(
          epsilon: gradient.epsilon, reads: gradient.reads, writes: gradient.writes))
    }
    func read(_ place: Int?) -> UnsafePointer<Float>? { place.map { UnsafePointer(call.read($0)) } }
    let mask = operation.mask?.affine(call)
    return ck_conv2d_output(
      y: call.write(0), bias: read(operation.bias), addend: read(operation.addend), mask: mask?.x,
      mask_scale: mask?.scale, mask_shift: mask?.shift,
      normalization: operation.statistics == nil ? nil : UnsafePointer(normalization),
      gradient_count: operation.gradients.count,
      gradients: (UnsafePointer(gradients), UnsafePointer(gradients + 1)))
  }
}

extension FusedFilterGradient: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let settings = gradient.settings(node, in: lowering.graph) else { return false }
    let (p, operation) = (StableBox(settings), self)
    lowering.emit(
      "\(name) \(ConvolutionChoice.winograd(tile: tile))",
      reads: node.inputs.enumerated().map { place, value in
        lowering.buffer(value, x.layout(of: place) ?? dy.layout(of: place) ?? .plain)
      },
      writes: [lowering.output(node.outputs[0])],
      scratchBytes: ck_winograd_filter_gradient_scratch_bytes(
        p.base, tile, lowering.engine.threadCount)
    ) { call in
      var (x, dy) = (operation.x.affine(call), operation.dy.affine(call))
      call.kernels.pointee.winograd_filter_gradient_f32(
        call.pool, operation.tile, p.base, &x, &dy, call.write(0), call.scratch)
    }
    return true
  }
}
