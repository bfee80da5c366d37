import CCrestKernels

/// An elementwise program with the arrays it reads, to be run by a kernel or, one element at a
/// time, by the reference.
struct ElementwiseProgram {
  struct Input {
    var values: [Float]
    var strides: [Int]
    /// The element of `values` that index zero reads.
    var origin = 0
  }

  var sizes: [Int]
  var inputs: [Input] = []
  var instructions: [ck_instruction] = []

  var count: Int { sizes.reduce(1, *) }

  /// Dense strides over `sizes`.
  static func denseStrides(_ sizes: [Int]) -> [Int] {
    var strides = sizes
    var inside = 1
    for dimension in sizes.indices.reversed() {
      strides[dimension] = inside
      inside *= sizes[dimension]
    }
    return strides
  }

  mutating func addInput(_ values: [Float], strides: [Int]? = nil, origin: Int = 0) {
    inputs.append(
      Input(values: values, strides: strides ?? Self.denseStrides(sizes), origin: origin))
  }

  mutating func add(_ op: ck_op, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, constant: Float = 0) {
    instructions.append(
      ck_instruction(op: op, a: UInt16(a), b: UInt16(b), c: UInt16(c), constant: constant))
  }

  /// Runs the kernel; with `inPlace` its output overwrites that input.
  func run(_ set: InstructionSet, _ pool: Pool, inPlace: Int? = nil) -> [Float] {
    var program = ck_elementwise()
    program.rank = sizes.count
    program.input_count = inputs.count
    program.instruction_count = instructions.count
    withUnsafeMutableBytes(of: &program.sizes) { bytes in
      for (index, size) in sizes.enumerated() { bytes.bindMemory(to: Int.self)[index] = size }
    }
    withUnsafeMutableBytes(of: &program.strides) { bytes in
      let strides = bytes.bindMemory(to: Int.self)
      for (index, input) in inputs.enumerated() {
        for (dimension, stride) in input.strides.enumerated() {
          strides[index * Int(CK_MAX_RANK) + dimension] = stride
        }
      }
    }
    withUnsafeMutableBytes(of: &program.instructions) { bytes in
      for (index, instruction) in instructions.enumerated() {
        bytes.bindMemory(to: ck_instruction.self)[index] = instruction
      }
    }
    let buffers = inputs.map { input in
      let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: input.values.count + 1)
      _ = buffer.initialize(from: input.values + [.nan])
      return buffer
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    withUnsafeMutableBytes(of: &program.inputs) { bytes in
      let pointers = bytes.bindMemory(to: UnsafePointer<Float>?.self)
      for (index, buffer) in buffers.enumerated() {
        pointers[index] = buffer.baseAddress.map { UnsafePointer($0 + inputs[index].origin) }
      }
    }
    if let inPlace {
      guard let y = buffers[inPlace].baseAddress else { return [] }
      set.kernels.elementwise_f32(pool.pointer, &program, y)
      return [Float](buffers[inPlace].prefix(count))
    }
    var y = [Float](repeating: .nan, count: count)
    set.kernels.elementwise_f32(pool.pointer, &program, &y)
    return y
  }

  /// What input `index` shows at the output's place `element`.
  func value(of index: Int, at element: Int) -> Float {
    let input = inputs[index]
    var rest = element
    var place = input.origin
    for dimension in sizes.indices.reversed() {
      place += rest % sizes[dimension] * input.strides[dimension]
      rest /= sizes[dimension]
    }
    return input.values[place]
  }

  /// The program on one element at a time, every operation by its definition.
  func reference() -> [Float] {
    (0..<count).map { element in
      var registers = inputs.indices.map { value(of: $0, at: element) }
      for instruction in instructions {
        let operands = [instruction.a, instruction.b, instruction.c].map { register in
          Int(register) < registers.count ? registers[Int(register)] : .nan
        }
        registers.append(
          referenceOperation(
            instruction.op, operands[0], operands[1], operands[2], instruction.constant))
      }
      return registers[registers.count - 1]
    }
  }
}
