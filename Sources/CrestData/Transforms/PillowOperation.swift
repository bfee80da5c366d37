import CCrestPixels
import CrestPlatform
package import CrestTensor

/// An operation on the bytes of an image, with Pillow's results, in the order of torchvision's tables.
package enum PillowOperation: String, CaseIterable, Sendable {
  case identity
  case shearX
  case shearY
  case translateX
  case translateY
  case rotate
  case brightness
  case colour
  case contrast
  case sharpness
  case posterize
  case solarize
  case autoContrast
  case equalize

  /// Whether its magnitude has a sign that is drawn.
  package var isSigned: Bool {
    switch self {
    case .shearX, .shearY, .translateX, .translateY, .rotate, .brightness, .colour, .contrast,
      .sharpness:
      true
    case .identity, .posterize, .solarize, .autoContrast, .equalize: false
    }
  }

  /// Writes what becomes of bytes, channels first, to `output`.
  package func apply(
    _ magnitude: Float, to input: UnsafePointer<UInt8>, _ shape: Shape,
    output: UnsafeMutablePointer<UInt8>
  ) {
    let size = crest_planes(shape)
    let m = Double(magnitude)
    func move(_ matrix: [Double]) { crest_bytes_affine(size, input, matrix, output) }
    switch self {
    case .identity: output.update(from: input, count: shape.elementCount)
    case .shearX: move([1, m, 0, 0, 1, 0])
    case .shearY: move([1, 0, 0, m, 1, 0])
    case .translateX: move([1, 0, -m.rounded(.towardZero), 0, 1, 0])
    case .translateY: move([1, 0, 0, 0, 1, -m.rounded(.towardZero)])
    case .rotate: move(Self.rotation(m, Double(size.width) / 2, Double(size.height) / 2))
    case .brightness: crest_bytes_brightness(size, input, Float(1 + m), output)
    case .colour: crest_bytes_colour(size, input, Float(1 + m), output)
    case .contrast: crest_bytes_contrast(size, input, Float(1 + m), output)
    case .sharpness: crest_bytes_sharpness(size, input, Float(1 + m), output)
    case .posterize: crest_bytes_posterize(size, input, Int32(magnitude), output)
    case .solarize: crest_bytes_solarize(size, input, magnitude, output)
    case .autoContrast: crest_bytes_autocontrast(size, input, output)
    case .equalize: crest_bytes_equalize(size, input, output)
    }
  }

  /// Pillow's matrix of a rotation counter-clockwise about a place.
  private static func rotation(_ degrees: Double, _ x: Double, _ y: Double) -> [Double] {
    let turned = degrees.truncatingRemainder(dividingBy: 360)
    let angle = -(turned < 0 ? turned + 360 : turned) * .pi / 180
    func rounded(_ value: Double) -> Double { (value * 1e15).rounded(.toNearestOrEven) / 1e15 }
    let (a, b) = (rounded(cos(angle)), rounded(sin(angle)))
    return [a, b, a * -x + b * -y + x, -b, a, -b * -x + a * -y + y]
  }
}

/// How strong operations are: 31 steps from nothing to the strongest.
package enum OperationStrength: Sendable {
  /// torchvision's `TrivialAugmentWide`.
  case wide
  /// torchvision's `RandAugment`.
  case moderate

  /// The strongest step.
  static let last = 30

  /// The magnitude of an operation at a step, for an image of a size.
  package func magnitude(_ operation: PillowOperation, step: Int, _ shape: Shape) -> Float {
    switch operation {
    case .identity, .autoContrast, .equalize: 0
    case .shearX, .shearY: Self.step(step, 0, self == .wide ? 0.99 : 0.3)
    case .translateX: Self.step(step, 0, self == .wide ? 32 : Self.part * Double(shape[2]))
    case .translateY: Self.step(step, 0, self == .wide ? 32 : Self.part * Double(shape[1]))
    case .rotate: Self.step(step, 0, self == .wide ? 135 : 30)
    case .brightness, .colour, .contrast, .sharpness:
      Self.step(step, 0, self == .wide ? 0.99 : 0.9)
    case .posterize:
      8 - (Float(step) / (Float(Self.last) / (self == .wide ? 6 : 4))).rounded(.toNearestOrEven)
    case .solarize: Self.step(step, 255, 0)
    }
  }

  private static let part = 150.0 / 331

  /// PyTorch's `linspace` in `float32`, which counts from the nearer end.
  private static func step(_ step: Int, _ start: Double, _ end: Double) -> Float {
    let (start, end) = (Float(start), Float(end))
    let size = (end - start) / Float(last)
    // One rounding, as the fused instruction of the processor has.
    return step < (last + 1) / 2
      ? start.addingProduct(size, Float(step)) : end.addingProduct(-size, Float(last - step))
  }
}

/// A transform of one or more operations on bytes.
protocol PillowTransform: Transform {}

extension PillowTransform {
  /// In bytes.
  public var stage: TransformStage { .bytes }

  /// Grey or three colours.
  public func objection(to shape: Shape) -> String? { PixelChannels.objection(to: shape) }

  /// Makes the operations, each with its magnitude.
  func make(
    _ operations: some Sequence<(PillowOperation, Float)>,
    on image: UnsafeMutableBufferPointer<Float>, shape: Shape,
    scratch: UnsafeMutableBufferPointer<Float>
  ) {
    require(image, shape, scratch)
    let count = shape.elementCount
    // Two images of bytes have room in one of floats.
    scratch.withMemoryRebound(to: UInt8.self) { bytes in
      guard var input = bytes.baseAddress else { return }
      var output = input + count
      crest_pixels_to_bytes(image.baseAddress, count, input)
      for (operation, magnitude) in operations where operation != .identity {
        operation.apply(magnitude, to: input, shape, output: output)
        swap(&input, &output)
      }
      crest_pixels_from_bytes(input, count, image.baseAddress)
    }
  }

  /// A magnitude with its sign.
  static func signed(
    _ operation: PillowOperation, _ magnitude: Float, _ random: ExampleRandom, draw: Int
  ) -> Float {
    operation.isSigned && random.integer(below: 2, draw: draw) == 1 ? -magnitude : magnitude
  }
}
