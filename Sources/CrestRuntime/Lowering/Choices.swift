import CCrestKernels
import CrestGraph
import CrestTensor

extension KernelCall {
  /// Whether each index is one of `size`, negative ones counting from the end; the run ends at one that isn't.
  func areIndices(_ place: Int, _ type: ElementType, count: Int, below size: Int) -> Bool {
    func first<Index: FixedWidthInteger>(_ indices: UnsafePointer<Index>) -> Int? {
      (0..<count).first { !(-size..<size).contains(Int(indices[$0])) }
    }
    let wide = reads[place].assumingMemoryBound(to: Int64.self)
    let narrow = reads[place].assumingMemoryBound(to: Int32.self)
    guard let wrong = type == .int32 ? first(narrow) : first(wide) else { return true }
    report(
      GraphError.IndexOutOfRange(
        index: type == .int32 ? Int64(narrow[wrong]) : wide[wrong], place: wrong, size: size))
    return false
  }
}

/// A choice by index that kernels make, and whose gradient they add up.
protocol ChoiceLowering: GatherOperation, KernelLowering {
  /// Adds the step that takes what `indices` choose from `data`; false when no kernel serves it.
  func take(
    from data: (BufferID, ValueType), _ indices: (BufferID, ValueType), to target: () -> BufferID,
    _ lowering: Lowering
  ) -> Bool

  /// Adds the step that joins updates with what `indices` choose in a target of a shape; false when no kernel
  /// serves it.
  func put(
    _ updates: BufferID, _ indices: (BufferID, ValueType), joining: ck_joining, name: String,
    target: () -> BufferID, _ shape: Shape, _ lowering: Lowering
  ) -> Bool
}

extension ChoiceLowering {
  var servesEveryType: Bool { true }

  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    take(
      from: lowering.typed(node.inputs[0]), lowering.typed(node.inputs[1]),
      to: { lowering.output(node.outputs[0]) }, lowering)
  }
}

extension Lowering {
  /// The buffer of a value, and its type.
  fileprivate func typed(_ value: Graph.ValueID) -> (BufferID, ValueType) {
    (buffer(value), graph.type(of: value))
  }
}

/// Rows of data seen as [outer, size, inner], chosen by indices along the middle.
struct RowChoice {
  let outer: Int
  let size: Int
  let inner: Int

  init(of data: Shape, along axis: Int) {
    outer = data[..<axis].reduce(1, *)
    size = data[axis]
    inner = data[(axis + 1)...].reduce(1, *)
  }
}

extension Gather: ChoiceLowering {
  func take(
    from data: (BufferID, ValueType), _ indices: (BufferID, ValueType), to target: () -> BufferID,
    _ lowering: Lowering
  ) -> Bool {
    let (rows, count) = (RowChoice(of: data.1.shape, along: axis), indices.1.shape.elementCount)
    let (type, width) = (indices.1.elementType, data.1.elementType.byteCount)
    lowering.emit(name, reads: [data.0, indices.0], writes: [target()]) { call in
      guard call.areIndices(1, type, count: count, below: rows.size) else { return }
      call.kernels.pointee.gather(
        call.pool, type.kernelType, width, rows.outer, rows.size, count, rows.inner, call.reads[1],
        call.reads[0], call.writes[0])
    }
    return true
  }

  func put(
    _ updates: BufferID, _ indices: (BufferID, ValueType), joining: ck_joining, name: String,
    target: () -> BufferID, _ shape: Shape, _ lowering: Lowering
  ) -> Bool {
    let (rows, count) = (RowChoice(of: shape, along: axis), indices.1.shape.elementCount)
    let (type, target) = (indices.1.elementType, target())
    lowering.emit(
      name, reads: [updates, indices.0, target], writes: [target],
      scratchBytes: ck_scatter_scratch_bytes(rows.size, count)
    ) { call in
      guard call.areIndices(1, type, count: count, below: rows.size) else { return }
      call.kernels.pointee.scatter_f32(
        call.pool, type.kernelType, joining, rows.outer, rows.size, count, rows.inner,
        call.reads[1], call.read(0), call.write(0), call.scratch)
    }
    return true
  }
}

extension GatherElements: ChoiceLowering {
  /// The kernel's description of a choice of single elements; nil when it has too many axes.
  private func choice(_ indices: Shape, from data: Shape) -> StableBox<ck_element_choice>? {
    guard indices.rank <= Int(CK_MAX_RANK) else { return nil }
    var choice = ck_element_choice()
    choice.rank = indices.rank
    choice.axis = axis
    choice.size = data[axis]
    withUnsafeMutableBytes(of: &choice.sizes) { bytes in
      let sizes = bytes.bindMemory(to: Int.self)
      for (axis, size) in indices.enumerated() { sizes[axis] = size }
    }
    withUnsafeMutableBytes(of: &choice.strides) { bytes in
      let strides = bytes.bindMemory(to: Int.self)
      for (axis, stride) in data.strides.enumerated() { strides[axis] = stride }
    }
    return StableBox(choice)
  }

  func take(
    from data: (BufferID, ValueType), _ indices: (BufferID, ValueType), to target: () -> BufferID,
    _ lowering: Lowering
  ) -> Bool {
    guard let choice = choice(indices.1.shape, from: data.1.shape) else { return false }
    let (count, size) = (indices.1.shape.elementCount, data.1.shape[axis])
    let (type, width) = (indices.1.elementType, data.1.elementType.byteCount)
    lowering.emit(name, reads: [data.0, indices.0], writes: [target()]) { call in
      guard call.areIndices(1, type, count: count, below: size) else { return }
      call.kernels.pointee.gather_elements(
        call.pool, type.kernelType, width, choice.base, call.reads[1], call.reads[0],
        call.writes[0])
    }
    return true
  }

  func put(
    _ updates: BufferID, _ indices: (BufferID, ValueType), joining: ck_joining, name: String,
    target: () -> BufferID, _ shape: Shape, _ lowering: Lowering
  ) -> Bool {
    guard let choice = choice(indices.1.shape, from: shape) else { return false }
    let (count, size) = (indices.1.shape.elementCount, shape[axis])
    let (type, target) = (indices.1.elementType, target())
    lowering.emit(name, reads: [updates, indices.0, target], writes: [target]) { call in
      guard call.areIndices(1, type, count: count, below: size) else { return }
      call.kernels.pointee.scatter_elements_f32(
        call.pool, type.kernelType, joining, choice.base, call.reads[1], call.read(0),
        call.write(0))
    }
    return true
  }
}

extension GatherGradient: KernelLowering {
  var indexInputs: Set<Int> { [1] }

  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard let choice = choice as? any ChoiceLowering else { return false }
    let (dy, indices) = (lowering.buffer(node.inputs[0]), lowering.typed(node.inputs[1]))
    return choice.put(
      dy, indices, joining: CK_JOIN_ADD, name: name,
      target: {
        let target = lowering.output(node.outputs[0])
        lowering.fill(target, count: inputShape.elementCount, with: Tensor(scalar: 0 as Float))
        return target
      }, inputShape, lowering)
  }
}

extension ScatterReduction {
  fileprivate var joining: ck_joining {
    switch self {
    case .none: CK_JOIN_REPLACE
    case .add: CK_JOIN_ADD
    case .mul: CK_JOIN_MULTIPLY
    case .max: CK_JOIN_MAXIMUM
    case .min: CK_JOIN_MINIMUM
    }
  }
}

extension Lowering {
  /// The buffer of a scatter's output, filled with its data.
  fileprivate func target(ofScatter node: Graph.Node) -> BufferID {
    let type = graph.type(of: node.inputs[0])
    let (data, target) = (buffer(node.inputs[0]), output(node.outputs[0]))
    copy(
      from: data, to: target, byteCount: type.shape.elementCount * type.elementType.byteCount)
    return target
  }
}

extension ScatterElements: KernelLowering {
  var indexInputs: Set<Int> { [1] }

  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let shape = lowering.graph.type(of: node.inputs[0]).shape
    let (updates, indices) = (lowering.buffer(node.inputs[2]), lowering.typed(node.inputs[1]))
    return GatherElements(axis: axis).put(
      updates, indices, joining: reduction.joining, name: name,
      target: { lowering.target(ofScatter: node) }, shape, lowering)
  }
}

/// Parts of data [K…, J…] named by indices [I…, k] of the axes K, which become numbers of rows [J…].
private struct PartNames {
  let sizes: [Int]
  let strides: [Int]
  let count: Int
  let rows: RowChoice

  init(of data: Shape, named indices: Shape) {
    let width = indices[indices.rank - 1]
    sizes = Array(data[..<width])
    strides = Shape(sizes).strides
    count = indices.dimensions.dropLast().reduce(1, *)
    // All axes named are one.
    rows = RowChoice(
      of: Shape([sizes.reduce(1, *), data[width...].reduce(1, *)]), along: 0)
  }

  /// The memory that numbers of rows take, in whole lines of the cache.
  var scratchBytes: Int { (count * MemoryLayout<Int64>.stride + 63) / 64 * 64 }

  /// The number of each row named, in the scratch of a call; nil where an index names nothing, which ends the run.
  func rowNumbers(_ call: KernelCall, indices place: Int) -> UnsafeMutablePointer<Int64>? {
    let indices = call.labels(place)
    let numbers = call.scratch.assumingMemoryBound(to: Int64.self)
    for part in 0..<count {
      var number = 0
      for (axis, size) in sizes.enumerated() {
        let index = indices[part * sizes.count + axis]
        guard (-Int64(size)..<Int64(size)).contains(index) else {
          call.report(
            GraphError.IndexOutOfRange(
              index: index, place: part * sizes.count + axis, size: size))
          return nil
        }
        number += (Int(index) + (index < 0 ? size : 0)) * strides[axis]
      }
      numbers[part] = Int64(number)
    }
    return numbers
  }
}

extension GatherND: KernelLowering {
  var servesEveryType: Bool { true }

  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let (data, indices) = (lowering.typed(node.inputs[0]), lowering.typed(node.inputs[1]))
    let names = PartNames(of: data.1.shape, named: indices.1.shape)
    let width = data.1.elementType.byteCount
    lowering.emit(
      name, reads: [data.0, indices.0], writes: [lowering.output(node.outputs[0])],
      scratchBytes: names.scratchBytes
    ) { call in
      guard let numbers = names.rowNumbers(call, indices: 1) else { return }
      call.kernels.pointee.gather(
        call.pool, CK_INT64, width, 1, names.rows.size, names.count, names.rows.inner, numbers,
        call.reads[0], call.writes[0])
    }
    return true
  }
}

extension ScatterND: KernelLowering {
  var integerInputs: Set<Int> { [1] }

  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let shape = lowering.graph.type(of: node.inputs[0]).shape
    let (updates, indices) = (lowering.buffer(node.inputs[2]), lowering.typed(node.inputs[1]))
    let names = PartNames(of: shape, named: indices.1.shape)
    let (target, joining) = (lowering.target(ofScatter: node), reduction.joining)
    lowering.emit(
      name, reads: [updates, indices.0, target], writes: [target],
      scratchBytes: names.scratchBytes + ck_scatter_scratch_bytes(names.rows.size, names.count)
    ) { call in
      guard let numbers = names.rowNumbers(call, indices: 1) else { return }
      call.kernels.pointee.scatter_f32(
        call.pool, CK_INT64, joining, 1, names.rows.size, names.count, names.rows.inner, numbers,
        call.read(0), call.write(0), call.scratch + names.scratchBytes)
    }
    return true
  }
}
