import CCrestKernels
import CrestGraph
import CrestTensor

extension Lowering {
  /// Applies an operation to integers or booleans of one type, with broadcasting; false when it has too many axes.
  fileprivate func applyWhole(_ node: Graph.Node, _ op: ck_whole_op) -> Bool {
    let type = graph.type(of: node.outputs[0])
    // The kernel takes an axis at least.
    let sizes = type.shape.rank == 0 ? [1] : type.shape.dimensions
    guard sizes.count <= Int(CK_MAX_RANK) else { return false }
    var call = ck_whole()
    call.type = type.elementType.kernelType
    call.op = op
    call.rank = sizes.count
    withUnsafeMutableBytes(of: &call.sizes) { bytes in
      let table = bytes.bindMemory(to: Int.self)
      for (axis, size) in sizes.enumerated() { table[axis] = size }
    }
    let strides = node.inputs.map {
      graph.type(of: $0).shape.strides(broadcastTo: Shape(sizes))
    }
    withUnsafeMutableBytes(of: &call.strides) { bytes in
      let table = bytes.bindMemory(to: Int.self)
      for (number, strides) in strides.enumerated() {
        for (axis, stride) in strides.enumerated() {
          table[number * Int(CK_MAX_RANK) + axis] = stride
        }
      }
    }
    let p = StableBox(call)
    emit(
      node.operation.name, reads: node.inputs.map { buffer($0) },
      writes: [output(node.outputs[0])]
    ) { call in
      withUnsafeMutableBytes(of: &p.base.pointee.inputs) { bytes in
        let table = bytes.bindMemory(to: UnsafeRawPointer?.self)
        for (place, address) in call.reads.enumerated() { table[place] = UnsafeRawPointer(address) }
      }
      call.kernels.pointee.elementwise_whole(call.pool, p.base, call.writes[0])
    }
    return true
  }
}

extension Elementwise: KernelLowering {
  var servesEveryType: Bool { true }

  /// Of integers and booleans; chains of floats have nodes of their own.
  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    guard !lowering.graph.type(of: node.outputs[0]).elementType.isFloat,
      let op = function.wholeInstruction
    else { return false }
    return lowering.applyWhole(node, op)
  }
}

extension Mod: KernelLowering {
  var servesEveryType: Bool { true }

  func lower(_ node: Graph.Node, into lowering: Lowering) -> Bool {
    let type = lowering.graph.type(of: node.outputs[0]).elementType
    if type == .float32 { return lowering.applyOne(node, CK_REMAINDER) }
    return type.isInteger
      && lowering.applyWhole(
        node, followsDividend ? CK_WHOLE_REMAINDER_OF_DIVIDEND : CK_WHOLE_REMAINDER)
  }
}

extension ElementwiseFunction {
  /// The kernel's operation on whole numbers; nil where it has no meaning there.
  fileprivate var wholeInstruction: ck_whole_op? {
    switch self {
    case .add: CK_WHOLE_ADD
    case .subtract: CK_WHOLE_SUBTRACT
    case .multiply: CK_WHOLE_MULTIPLY
    case .divide: CK_WHOLE_DIVIDE
    case .power: CK_WHOLE_POWER
    case .maximum: CK_WHOLE_MAXIMUM
    case .minimum: CK_WHOLE_MINIMUM
    case .negate: CK_WHOLE_NEGATE
    case .absolute: CK_WHOLE_ABSOLUTE
    case .sign: CK_WHOLE_SIGN
    case .relu: CK_WHOLE_RELU
    case .equal: CK_WHOLE_EQUAL
    case .less: CK_WHOLE_LESS
    case .greater: CK_WHOLE_GREATER
    case .select: CK_WHOLE_SELECT
    case .and: CK_WHOLE_AND
    case .or: CK_WHOLE_OR
    case .xor: CK_WHOLE_XOR
    case .not: CK_WHOLE_NOT
    case .reciprocal, .squareRoot, .exponential, .logarithm, .sigmoid, .tanh, .softplus, .hardSwish,
      .erf, .gelu, .geluTanh, .geluSlope, .geluTanhSlope, .sine, .cosine, .tangent, .arcSine,
      .arcCosine, .arcTangent, .hyperbolicSine, .hyperbolicCosine, .areaSine, .areaCosine,
      .areaTangent, .floor, .ceiling, .round, .reluMask:
      nil
    }
  }
}
