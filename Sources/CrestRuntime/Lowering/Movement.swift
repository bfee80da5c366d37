import CCrestKernels
import CrestGraph
import CrestTensor

extension Lowering {
  /// Copies a box of elements between two buffers, by strides in elements.
  func copyBox(
    sizes: [Int], elementType: ElementType, from source: BufferID, strides sourceStrides: [Int],
    sourceOffset: Int = 0, to target: BufferID, strides targetStrides: [Int],
    targetOffset: Int = 0
  ) {
    // The kernel takes few axes; a box of more is cut along its outermost ones.
    let rank = Int(CK_MAX_RANK)
    if sizes.count > rank {
      for index in 0..<sizes[0] {
        copyBox(
          sizes: Array(sizes.dropFirst()), elementType: elementType, from: source,
          strides: Array(sourceStrides.dropFirst()),
          sourceOffset: sourceOffset + index * sourceStrides[0], to: target,
          strides: Array(targetStrides.dropFirst()),
          targetOffset: targetOffset + index * targetStrides[0])
      }
      return
    }
    let width = elementType.byteCount
    let box = Box(sizes: sizes, sourceStrides: sourceStrides, targetStrides: targetStrides)
    emit("copy", reads: [source], writes: [target]) { call in
      call.kernels.pointee.copy_box(
        call.pool, width, box.rank, box.sizes, box.sourceStrides, box.targetStrides,
        call.reads[0] + sourceOffset * width, call.writes[0] + targetOffset * width)
    }
  }

  /// Copies a box between a source and a target laid out alike; strides are those of the axes of the
  /// graph's value in that layout.
  func copyBox(
    sizes: [Int], elementType: ElementType, layout: Layout, from source: BufferID,
    strides sourceStrides: [Int], sourceOffset: Int = 0, to target: BufferID,
    strides targetStrides: [Int], targetOffset: Int = 0
  ) {
    // The kernel is quick where the last axis is dense.
    let order = layout == .channelsLast ? [0, 2, 3, 1] : Array(sizes.indices)
    copyBox(
      sizes: order.map { sizes[$0] }, elementType: elementType, from: source,
      strides: order.map { sourceStrides[$0] }, sourceOffset: sourceOffset, to: target,
      strides: order.map { targetStrides[$0] }, targetOffset: targetOffset)
  }

  /// The layout in which elements of a value are moved: the only one it lies in, if it is an image's.
  func layout(moving value: Graph.ValueID) -> Layout {
    exists(value, .plain) || !exists(value, .channelsLast) ? .plain : .channelsLast
  }

  /// Copies bytes as they lie.
  func copy(from source: BufferID, to target: BufferID, byteCount: Int) {
    emit("copy", reads: [source], writes: [target]) { call in
      call.writes[0].copyMemory(from: call.reads[0], byteCount: byteCount)
    }
  }

  /// Writes one element over and over.
  func fill(_ target: BufferID, count: Int, with value: Tensor) {
    let width = value.elementType.byteCount
    let element = OwnedBytes(value)
    emit("fill", reads: [], writes: [target]) { call in
      call.kernels.pointee.fill(call.pool, width, count, element.base, call.writes[0])
    }
  }
}

extension Shape {
  /// The distances between neighbours along each axis, in elements, when laid out so.
  func strides(_ layout: Lowering.Layout) -> [Int] {
    guard layout == .channelsLast else { return strides }
    let (channels, height, width) = (self[1], self[2], self[3])
    return [channels * height * width, 1, width * channels, channels]
  }
}

/// Sizes and strides of a copy, at an address that outlives the call that binds it.
private final class Box {
  let rank: Int
  let sizes: UnsafeMutablePointer<Int>
  let sourceStrides: UnsafeMutablePointer<Int>
  let targetStrides: UnsafeMutablePointer<Int>

  init(sizes: [Int], sourceStrides: [Int], targetStrides: [Int]) {
    rank = sizes.count
    self.sizes = .allocate(capacity: max(rank, 1))
    self.sourceStrides = .allocate(capacity: max(rank, 1))
    self.targetStrides = .allocate(capacity: max(rank, 1))
    self.sizes.initialize(from: sizes, count: rank)
    self.sourceStrides.initialize(from: sourceStrides, count: rank)
    self.targetStrides.initialize(from: targetStrides, count: rank)
  }

  deinit {
    sizes.deallocate()
    sourceStrides.deallocate()
    targetStrides.deallocate()
  }
}

/// The bytes of a tensor at a fixed address.
final class OwnedBytes {
  let base: UnsafeMutableRawPointer

  init(_ tensor: Tensor) {
    base = .allocate(byteCount: max(tensor.byteCount, 64), alignment: 64)
    tensor.withUnsafeBytes { bytes in
      if let source = bytes.baseAddress { base.copyMemory(from: source, byteCount: bytes.count) }
    }
  }

  deinit { base.deallocate() }
}

extension Lowering {
  /// Gathers the whole output from one input, by a stride of the input for each axis of the output.
  fileprivate func gather(_ node: Graph.Node, strides: [Int], offset: Int = 0) {
    let type = graph.type(of: node.outputs[0])
    let source = buffer(node.inputs[0])
    let target = output(node.outputs[0])
    copyBox(
      sizes: type.shape.dimensions, elementType: type.elementType, from: source, strides: strides,
      sourceOffset: offset, to: target, strides: type.shape.strides)
  }
}

extension Reshape: KernelLowering {
  var servesEveryType: Bool { true }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    lowering.alias(node.outputs[0], of: node.inputs[0])
    return true
  }
}

extension Flatten: KernelLowering {
  var servesEveryType: Bool { true }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    lowering.alias(node.outputs[0], of: node.inputs[0])
    return true
  }
}

extension Expand: KernelLowering {
  var servesEveryType: Bool { true }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let input = lowering.graph.type(of: node.inputs[0]).shape
    lowering.gather(node, strides: input.strides(broadcastTo: shape))
    return true
  }
}

extension Transpose: KernelLowering {
  var servesEveryType: Bool { true }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let strides = lowering.graph.type(of: node.inputs[0]).shape.strides
    lowering.gather(node, strides: permutation.map { strides[$0] })
    return true
  }
}

extension Concat: KernelLowering {
  var servesEveryType: Bool { true }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let type = lowering.graph.type(of: node.outputs[0])
    guard let axis = type.shape.resolved(axis: axis) else { return false }
    let sources = node.inputs.map { lowering.buffer($0) }
    let target = lowering.output(node.outputs[0])
    var start = 0
    for (input, source) in zip(node.inputs, sources) {
      let shape = lowering.graph.type(of: input).shape
      lowering.copyBox(
        sizes: shape.dimensions, elementType: type.elementType, from: source,
        strides: shape.strides, to: target, strides: type.shape.strides,
        targetOffset: start * type.shape.strides[axis])
      start += shape[axis]
    }
    return true
  }
}

extension Split: KernelLowering {
  var servesEveryType: Bool { true }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let type = lowering.graph.type(of: node.inputs[0])
    let source = lowering.buffer(node.inputs[0])
    var start = 0
    for output in node.outputs {
      let shape = lowering.graph.type(of: output).shape
      lowering.copyBox(
        sizes: shape.dimensions, elementType: type.elementType, from: source,
        strides: type.shape.strides, sourceOffset: start * type.shape.strides[axis],
        to: lowering.output(output), strides: shape.strides)
      start += shape[axis]
    }
    return true
  }
}

extension Cast: KernelLowering {
  var servesEveryType: Bool { true }
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let from = lowering.graph.type(of: node.inputs[0])
    let (source, target) = (lowering.buffer(node.inputs[0]), lowering.output(node.outputs[0]))
    let (kernelFrom, kernelTo) = (from.elementType.kernelType, elementType.kernelType)
    let count = from.shape.elementCount
    lowering.emit(name, reads: [source], writes: [target]) { call in
      call.kernels.pointee.cast(
        call.pool, kernelFrom, kernelTo, count, call.reads[0], call.writes[0])
    }
    return true
  }
}

extension ElementType {
  var kernelType: ck_type {
    switch self {
    case .float32: CK_FLOAT32
    case .float64: CK_FLOAT64
    case .bfloat16: CK_BFLOAT16
    case .float16: CK_FLOAT16
    case .int8: CK_INT8
    case .int16: CK_INT16
    case .int32: CK_INT32
    case .int64: CK_INT64
    case .uint8: CK_UINT8
    case .bool: CK_BOOL
    }
  }
}
