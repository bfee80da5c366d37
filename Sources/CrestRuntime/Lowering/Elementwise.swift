import CCrestKernels
import CrestGraph
import CrestTensor

extension FusedElementwise: KernelLowering {
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let shape = type.shape
    guard shape.rank <= Int(CK_MAX_RANK) else { return false }
    let shapes = node.inputs.map { lowering.graph.type(of: $0).shape }
    // The output takes the layout that most full-sized inputs have already.
    let whole = node.inputs.indices.filter { shapes[$0] == shape }
    let images = whole.filter { lowering.exists(node.inputs[$0], .channelsLast) }
    let plain = whole.filter { lowering.exists(node.inputs[$0], .plain) }
    let layout: Lowering.Layout =
      shape.rank == 4 && images.count > plain.count
        || shape.rank == 4 && images.count == plain.count && !images.isEmpty
          && !lowering.exists(node.inputs[whole[0]], .plain)
      ? .channelsLast : .plain

    let order = layout == .channelsLast ? [0, 2, 3, 1] : Array(0..<shape.rank)
    var inputs: [(buffer: BufferID, strides: [Int])] = []
    for (input, inputShape) in zip(node.inputs, shapes) {
      if inputShape == shape {
        let own = Shape(order.map { shape[$0] }).strides
        inputs.append((lowering.buffer(input, layout), own))
      } else {
        let strides = inputShape.strides(broadcastTo: shape)
        inputs.append((lowering.buffer(input), order.map { strides[$0] }))
      }
    }
    let target = lowering.output(node.outputs[0], layout)
    let sizes = order.map { shape[$0] }
    let program = ElementwiseProgram(
      sizes: sizes, strides: inputs.map(\.strides), instructions(inputCount: inputs.count))
    lowering.emit(
      name, reads: inputs.map(\.buffer), writes: [target],
      inPlace: (target, whole.map { inputs[$0].buffer })
    ) { call in
      program.point(to: call)
      call.kernels.pointee.elementwise_f32(call.pool, program.base, call.write(0))
    }
    return true
  }
}

extension Lowering {
  /// Applies one instruction to floats, with broadcasting; false when it has too many axes.
  func applyOne(_ node: Graph.Node, _ op: ck_op) -> Bool {
    let shape = graph.type(of: node.outputs[0]).shape
    guard shape.rank <= Int(CK_MAX_RANK) else { return false }
    let program = ElementwiseProgram(
      sizes: shape.dimensions,
      strides: node.inputs.map { graph.type(of: $0).shape.strides(broadcastTo: shape) },
      [ck_instruction(op: op, a: 0, b: 1, c: 2, constant: 0)])
    emit(
      node.operation.name, reads: node.inputs.map { buffer($0) },
      writes: [output(node.outputs[0])]
    ) { call in
      program.point(to: call)
      call.kernels.pointee.elementwise_f32(call.pool, program.base, call.write(0))
    }
    return true
  }
}

/// An elementwise program at a fixed address.
private final class ElementwiseProgram {
  let base: UnsafeMutablePointer<ck_elementwise>

  init(sizes: [Int], strides: [[Int]], _ instructions: [ck_instruction]) {
    base = .allocate(capacity: 1)
    base.initialize(to: ck_elementwise())
    base.pointee.rank = sizes.count
    base.pointee.input_count = strides.count
    withUnsafeMutableBytes(of: &base.pointee.sizes) { bytes in
      let table = bytes.bindMemory(to: Int.self)
      for (axis, size) in sizes.enumerated() { table[axis] = size }
    }
    withUnsafeMutableBytes(of: &base.pointee.strides) { bytes in
      let table = bytes.bindMemory(to: Int.self)
      for (number, strides) in strides.enumerated() {
        for (axis, stride) in strides.enumerated() {
          table[number * Int(CK_MAX_RANK) + axis] = stride
        }
      }
    }
    base.pointee.instruction_count = instructions.count
    withUnsafeMutableBytes(of: &base.pointee.instructions) { bytes in
      let table = bytes.bindMemory(to: ck_instruction.self)
      for (number, instruction) in instructions.enumerated() { table[number] = instruction }
    }
  }

  deinit { base.deallocate() }

  /// Reads from the inputs of a call.
  func point(to call: KernelCall) {
    withUnsafeMutableBytes(of: &base.pointee.inputs) { bytes in
      let table = bytes.bindMemory(to: UnsafePointer<Float>?.self)
      for place in call.reads.indices { table[place] = UnsafePointer(call.read(place)) }
    }
  }
}

extension FusedElementwise {
  /// Registers are inputs, then one an instruction; a constant is an instruction of its own.
  fileprivate func instructions(inputCount: Int) -> [ck_instruction] {
    var made: [ck_instruction] = []
    var registers: [UInt16] = []
    for instruction in instructions {
      let operands = instruction.operands.map { operand -> UInt16 in
        switch operand {
        case .input(let number): return UInt16(number)
        case .result(let number): return registers[number]
        case .constant(let value):
          made.append(
            ck_instruction(op: CK_CONSTANT, a: 0, b: 0, c: 0, constant: Float(value)))
          return UInt16(inputCount + made.count - 1)
        }
      }
      guard let op = instruction.function.instruction else {
        programmerError("\(instruction.function) has no kernel, and was fused")
      }
      made.append(
        ck_instruction(
          op: op, a: operands[0],
          b: operands.count > 1 ? operands[1] : 0, c: operands.count > 2 ? operands[2] : 0,
          constant: 0))
      registers.append(UInt16(inputCount + made.count - 1))
    }
    return made
  }
}

extension ElementwiseFunction {
  /// Whether a kernel computes it.
  var hasKernel: Bool { instruction != nil }

  /// The kernel's instruction; nil where the reference must do.
  fileprivate var instruction: ck_op? {
    switch self {
    case .add: CK_ADD
    case .subtract: CK_SUB
    case .multiply: CK_MUL
    case .divide: CK_DIV
    case .power: CK_POW
    case .maximum: CK_MAX
    case .minimum: CK_MIN
    case .negate: CK_NEG
    case .exponential: CK_EXP
    case .logarithm: CK_LOG
    case .squareRoot: CK_SQRT
    case .reciprocal: CK_RECIPROCAL
    case .absolute: CK_ABS
    case .sign: CK_SIGN
    case .relu: CK_RELU
    case .sigmoid: CK_SIGMOID
    case .tanh: CK_TANH
    case .softplus: CK_SOFTPLUS
    case .hardSwish: CK_HARD_SWISH
    case .erf: CK_ERF
    case .gelu: CK_GELU
    case .geluSlope: CK_GELU_SLOPE
    case .geluTanh: CK_GELU_TANH
    case .geluTanhSlope: CK_GELU_TANH_SLOPE
    case .reluMask: CK_RELU_MASK
    case .equal: CK_EQUAL
    case .less: CK_LESS
    case .greater: CK_GREATER
    case .select: CK_SELECT
    case .sine: CK_SIN
    case .cosine: CK_COS
    case .tangent: CK_TAN
    case .arcSine: CK_ASIN
    case .arcCosine: CK_ACOS
    case .arcTangent: CK_ATAN
    case .hyperbolicSine: CK_SINH
    case .hyperbolicCosine: CK_COSH
    case .areaSine: CK_ASINH
    case .areaCosine: CK_ACOSH
    case .areaTangent: CK_ATANH
    case .floor: CK_FLOOR
    case .ceiling: CK_CEIL
    case .round: CK_ROUND
    // Of booleans, which no float is.
    case .and, .or, .xor, .not: nil
    }
  }
}
