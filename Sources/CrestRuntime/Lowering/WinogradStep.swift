import CCrestKernels
import CrestGraph
import CrestTensor

/// A Winograd convolution's step, which may take on what later nodes do to its result.
///
/// Numbers are places among what the step reads or writes.
final class WinogradStep {
  /// The step's number in the lowering.
  let number: Int
  private let tile: Int
  private let p: Fixed<ck_conv2d>
  private let image: ImageOperand
  private let filters: Int
  private let bias: Int?
  private let keepsInput: Bool

  private var addend: Int?
  private var mask: (first: Int, isScaled: Bool)?
  private var normalization: (epsilon: Float, reads: Int, writes: Int)?
  private var gradients: [(epsilon: Float, reads: Int, writes: Int)] = []
  private var filterGradient: (p: Fixed<ck_conv2d>, x: ImageOperand, reads: Int, writes: Int)?

  // What the kernel is told, made anew at each run.
  private let normalizationCall = UnsafeMutablePointer<ck_normalization>.allocate(capacity: 1)
  private let gradientCalls = UnsafeMutablePointer<ck_normalization_gradient>.allocate(
    capacity: WinogradStep.mostGradients)
  /// The normalisations whose gradient one result can be: the sides of a block with a projection.
  private static let mostGradients = 2

  /// The step that reads an image, then filters, then perhaps a bias, and writes y, then perhaps the
  /// image.
  init(
    number: Int, tile: Int, _ p: Fixed<ck_conv2d>, image: ImageOperand, hasBias: Bool,
    keepsInput: Bool
  ) {
    self.number = number
    self.tile = tile
    self.p = p
    self.image = image
    filters = image.buffers.count
    bias = hasBias ? filters + 1 : nil
    self.keepsInput = keepsInput
  }

  deinit {
    normalizationCall.deallocate()
    gradientCalls.deallocate()
  }

  /// Whether the result is stored as it is.
  var isPlain: Bool {
    addend == nil && mask == nil && normalization == nil && gradients.isEmpty
  }
  /// Whether the result may be the gradient of one more normalisation.
  var takesGradient: Bool { normalization == nil && gradients.count < Self.mostGradients }

  /// Whether the gradient of the filters is made on the way.
  var makesFilterGradient: Bool { filterGradient != nil }

  /// Makes the gradient of the filters of `p`, whose input's gradient this is, from x and the image
  /// this step reads.
  func makeFilterGradient(
    _ p: Fixed<ck_conv2d>, x: ImageOperand, dw: BufferID, in lowering: Lowering
  ) {
    let places = lowering.extend(number, reads: x.buffers, writes: [dw])
    filterGradient = (p, x, places.reads, places.writes)
  }

  /// Adds to the result, and keeps it where a mask is positive.
  func join(addend: BufferID?, mask: ImageOperand?, in lowering: Lowering) {
    self.addend = addend.map { lowering.extend(number, reads: [$0]).reads }
    self.mask = mask.map {
      (lowering.extend(number, reads: $0.buffers).reads, $0.buffers.count > 1)
    }
  }

  /// Makes the coefficients of a normalisation of the result: mean, variance, factor and shift.
  func normalize(
    scale: BufferID, bias: BufferID, epsilon: Float, results: [BufferID], in lowering: Lowering
  ) {
    let places = lowering.extend(number, reads: [scale, bias], writes: results)
    normalization = (epsilon, places.reads, places.writes)
  }

  /// Makes the coefficients of the gradient of a normalisation, whose result's gradient this is.
  func differentiate(
    x: BufferID, scale: BufferID, mean: BufferID, variance: BufferID, epsilon: Float,
    results: [BufferID], in lowering: Lowering
  ) {
    let places = lowering.extend(number, reads: [x, scale, mean, variance], writes: results)
    gradients.append((epsilon, places.reads, places.writes))
  }

  /// Runs the kernel.
  func run(_ call: KernelCall) {
    func read(_ place: Int?) -> UnsafePointer<Float>? { place.map { UnsafePointer(call.read($0)) } }
    if let normalization {
      let (reads, writes) = (normalization.reads, normalization.writes)
      normalizationCall.initialize(
        to: ck_normalization(
          epsilon: normalization.epsilon, scale: call.read(reads), bias: call.read(reads + 1),
          mean: call.write(writes), variance: call.write(writes + 1),
          factor: call.write(writes + 2), shift: call.write(writes + 3)))
    }
    for (place, gradient) in gradients.enumerated() {
      (gradientCalls + place).initialize(
        to: call.normalizationGradient(
          epsilon: gradient.epsilon, reads: gradient.reads, writes: gradient.writes))
    }
    var affine = image.affine(call, at: 0)
    let scaled = mask.flatMap { $0.isScaled ? $0.first : nil }
    var result = ck_conv2d_output(
      y: call.write(0), bias: read(bias), addend: read(addend), mask: read(mask?.first),
      mask_scale: read(scaled.map { $0 + 1 }), mask_shift: read(scaled.map { $0 + 2 }),
      normalization: normalization == nil ? nil : UnsafePointer(normalizationCall),
      gradient_count: gradients.count,
      gradients: (UnsafePointer(gradientCalls), UnsafePointer(gradientCalls + 1)))
    let kept = keepsInput ? call.write(1) : nil
    guard let filterGradient else {
      call.kernels.pointee.winograd_conv2d_f32(
        call.pool, tile, p.base, &affine, kept, call.read(filters), &result, call.scratch)
      return
    }
    var x = filterGradient.x.affine(call, at: filterGradient.reads)
    call.kernels.pointee.winograd_gradients_f32(
      call.pool, tile, filterGradient.p.base, &x, &affine, kept, call.read(filters), &result,
      call.write(filterGradient.writes), call.scratch)
  }
}

extension KernelCall {
  /// A gradient that reads x, scale, mean and variance, and writes five vectors.
  func normalizationGradient(epsilon: Float, reads: Int, writes: Int) -> ck_normalization_gradient {
    ck_normalization_gradient(
      epsilon: epsilon, x: read(reads), scale: read(reads + 1), mean: read(reads + 2),
      variance: read(reads + 3), dscale: write(writes), dbias: write(writes + 1),
      dy_factor: write(writes + 2), x_factor: write(writes + 3), shift: write(writes + 4))
  }
}

extension FusedElementwise {
  /// A sum of at most two inputs, masked or not: what joins gradients.
  ///
  /// Numbers are places among the inputs.
  var gradientPattern: (terms: [Int], mask: Int?)? {
    func input(_ operand: Operand) -> Int? {
      if case .input(let number) = operand { number } else { nil }
    }
    func sum(_ instruction: Instruction) -> [Int]? {
      let terms = instruction.operands.compactMap(input)
      return instruction.function == .add && terms.count == 2 ? terms : nil
    }
    switch instructions.count {
    case 1 where instructions[0].function == .reluMask:
      let operands = instructions[0].operands.compactMap(input)
      return operands.count == 2 ? ([operands[0]], operands[1]) : nil
    case 1: return sum(instructions[0]).map { ($0, nil) }
    case 2 where instructions[1].function == .reluMask:
      guard instructions[1].operands[0] == .result(0),
        let mask = input(instructions[1].operands[1]),
        let terms = sum(instructions[0])
      else { return nil }
      return (terms, mask)
    default: return nil
    }
  }

  /// Lets the convolution that makes one of the gradients join and mask them; false when none can.
  func joined(_ node: Graph.Node, in lowering: Lowering) -> Bool {
    guard type.shape.rank == 4, lowering.isJoining, lowering.isFree(node.outputs[0]),
      let pattern = gradientPattern,
      node.inputs.allSatisfy({ lowering.graph.type(of: $0) == type })
    else { return false }
    let makers = pattern.terms.compactMap { place -> (term: Int, step: WinogradStep)? in
      let value = node.inputs[place]
      guard lowering.readers[value]?.count == 1, !lowering.wanted.contains(value),
        let step = lowering.winogradStep(making: value), step.isPlain
      else { return nil }
      return (place, step)
    }
    // The later one, by which time the other gradient is there.
    guard let maker = makers.max(by: { $0.step.number < $1.step.number }) else { return false }
    let other = pattern.terms.first { $0 != maker.term }.map { node.inputs[$0] }
    if pattern.terms.count == 2, other == nil { return false }
    var addend: BufferID?
    if let other {
      guard let buffer = lowering.ready(other, .channelsLast, before: maker.step.number) else {
        return false
      }
      addend = buffer
    }
    var mask: ImageOperand?
    if let place = pattern.mask {
      guard let operand = lowering.mask(node.inputs[place], before: maker.step.number) else {
        return false
      }
      mask = operand
    }
    maker.step.join(addend: addend, mask: mask, in: lowering)
    lowering.rename(node.inputs[maker.term], as: node.outputs[0])
    return true
  }
}

extension Lowering {
  /// What tells where a ReLU let something through, if it is there before a step.
  fileprivate func mask(_ value: ValueID, before step: Int) -> ImageOperand? {
    if let image = pending[value], !image.isOfOne || !image.hasRelu { return nil }
    return operand(value, before: step)
  }
}
