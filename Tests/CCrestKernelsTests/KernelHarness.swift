import CCrestKernels
import Testing

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// One instruction set that this machine can run.
struct InstructionSet: CustomTestStringConvertible, Sendable {
  let isa: ck_isa

  static let available = (0..<CK_ISA_COUNT.rawValue)
    .map { InstructionSet(isa: ck_isa(rawValue: $0)) }
    .filter { ck_kernels_for($0.isa) != nil }

  var testDescription: String { String(cString: ck_isa_name(isa)) }

  var kernels: ck_kernels {
    guard let table = ck_kernels_for(isa) else {
      preconditionFailure("\(testDescription) is not available")
    }
    return table.pointee
  }
}

private func currentThread() -> UInt {
  #if canImport(Darwin)
    UInt(bitPattern: pthread_self())
  #else
    UInt(pthread_self())
  #endif
}

/// The calling thread's own worker pool of a size, made on first use and kept: a test runs on one
/// thread, so nobody else calls it, and no pool can go while a kernel works in it.
struct Pool {
  private struct Key: Hashable {
    var callingThread: UInt
    var threads: Int
  }
  private static let pools = Locked<[Key: UInt]>([:])

  let pointer: OpaquePointer
  let threads: Int

  init(threads: Int = 1) {
    let key = Key(callingThread: currentThread(), threads: threads)
    let address = Self.pools.withLock { pools in
      if let address = pools[key] { return address }
      guard let pool = ck_pool_create(threads) else {
        preconditionFailure("no pool of \(threads) threads")
      }
      let address = UInt(bitPattern: pool)
      pools[key] = address
      return address
    }
    guard let pointer = OpaquePointer(bitPattern: address) else {
      preconditionFailure("the pool of \(threads) threads is lost")
    }
    self.pointer = pointer
    self.threads = threads
  }
}

/// Lends 64-byte aligned scratch full of NaN, and checks that nothing behind its end was written.
func withScratch<Result>(
  bytes: Int, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: (UnsafeMutableRawPointer) throws -> Result
) rethrows -> Result {
  let guardBytes = 256
  let scratch = UnsafeMutableRawPointer.allocate(byteCount: bytes + guardBytes, alignment: 64)
  defer { scratch.deallocate() }
  scratch.initializeMemory(as: UInt8.self, repeating: 0xff, count: bytes + guardBytes)
  let result = try body(scratch)
  let end = UnsafeRawBufferPointer(start: scratch + bytes, count: guardBytes)
  #expect(
    end.allSatisfy { $0 == 0xff }, "scratch of \(bytes) bytes was overrun",
    sourceLocation: sourceLocation)
  return result
}

/// Floats at a fixed address, for kernels that are told by a struct where they lie.
final class Floats {
  let base: UnsafeMutablePointer<Float>
  private let count: Int

  init(_ values: [Float]) {
    count = values.count
    base = .allocate(capacity: max(count, 1))
    base.initialize(to: .nan)
    base.update(from: values, count: count)
  }

  /// NaN throughout, to be written.
  convenience init(count: Int) { self.init([Float](repeating: .nan, count: count)) }

  deinit { base.deallocate() }

  /// A copy of them.
  var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }
}

extension ck_affine {
  /// An image as it is, or computed from it.
  init(
    _ x: Floats, scale: Floats? = nil, shift: Floats? = nil, second: Floats? = nil,
    secondScale: Floats? = nil, relu: Bool = false
  ) {
    func pointer(_ floats: Floats?) -> UnsafePointer<Float>? {
      floats.map { UnsafePointer($0.base) }
    }
    self.init(
      x: x.base, scale: pointer(scale), shift: pointer(shift), second: pointer(second),
      second_scale: pointer(secondScale), relu: relu)
  }
}

/// A gradient of a normalisation with room for its coefficients.
struct NormalizationGradient {
  let x: Floats
  let scale: Floats
  let mean: Floats
  let variance: Floats
  let dscale: Floats
  let dbias: Floats
  let dyFactor: Floats
  let xFactor: Floats
  let shift: Floats

  init(x: Floats, scale: Floats, mean: Floats, variance: Floats) {
    (self.x, self.scale, self.mean, self.variance) = (x, scale, mean, variance)
    let channels = scale.values.count
    (dscale, dbias) = (Floats(count: channels), Floats(count: channels))
    (dyFactor, xFactor) = (Floats(count: channels), Floats(count: channels))
    shift = Floats(count: channels)
  }

  func call(epsilon: Float) -> ck_normalization_gradient {
    ck_normalization_gradient(
      epsilon: epsilon, x: x.base, scale: scale.base, mean: mean.base, variance: variance.base,
      dscale: dscale.base, dbias: dbias.base, dy_factor: dyFactor.base, x_factor: xFactor.base,
      shift: shift.base)
  }
}

/// A normalisation with room for its coefficients.
struct Normalization {
  let scale: Floats
  let bias: Floats
  let mean: Floats
  let variance: Floats
  let factor: Floats
  let shift: Floats

  init(scale: [Float], bias: [Float]) {
    (self.scale, self.bias) = (Floats(scale), Floats(bias))
    (mean, variance) = (Floats(count: scale.count), Floats(count: scale.count))
    (factor, shift) = (Floats(count: scale.count), Floats(count: scale.count))
  }

  func call(epsilon: Float) -> ck_normalization {
    ck_normalization(
      epsilon: epsilon, scale: scale.base, bias: bias.base, mean: mean.base,
      variance: variance.base, factor: factor.base, shift: shift.base)
  }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same values on every platform for a seed.
struct SeededNumbers: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func floats(_ count: Int, in range: Range<Float> = -1..<1) -> [Float] {
    (0..<count).map { _ in
      let unit = Float(next() >> 40) * 0x1p-24
      return range.lowerBound + (range.upperBound - range.lowerBound) * unit
    }
  }

  /// `values` with each of `specials` written over one random element, where there are any.
  mutating func placing(_ specials: [Float], in values: [Float]) -> [Float] {
    var values = values
    guard !values.isEmpty else { return values }
    for special in specials { values[Int(next() % UInt64(values.count))] = special }
    return values
  }
}

/// Values that kernels get wrong first.
let specialFloats: [Float] = [0, -0.0, .infinity, -.infinity, .nan]

/// A result in double precision, with what the error of a float computation of it is measured by.
struct Expected {
  var value: Double = 0
  /// Σ |terms| of the sum that made the value.
  var magnitude: Double = 0
  /// How many roundings a float computation makes.
  var roundings: Double = 1

  mutating func add(_ term: Double) {
    value += term
    magnitude += term.isFinite ? abs(term) : 0
    roundings += 1
  }

  var tolerance: Double {
    roundings * Double(Float.ulpOfOne) * magnitude + Double(Float.leastNormalMagnitude)
  }

  func agrees(with actual: Float) -> Bool {
    if value.isNaN { return actual.isNaN }
    if value.isInfinite { return Double(actual) == value }
    return abs(Double(actual) - value) <= tolerance
  }
}

/// Expects every element within its tolerance, NaN where NaN, the same infinity where infinite.
func expectClose(
  _ actual: [Float], _ expected: [Expected], _ context: @autoclosure () -> String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard actual.count == expected.count else {
    Issue.record(
      "\(context()): \(actual.count) elements, expected \(expected.count)",
      sourceLocation: sourceLocation)
    return
  }
  guard let index = actual.indices.first(where: { !expected[$0].agrees(with: actual[$0]) }) else {
    return
  }
  let wanted = expected[index]
  Issue.record(
    """
    \(context()): element \(index) of \(actual.count) is \(actual[index]), \
    expected \(wanted.value) ± \(wanted.tolerance)
    """, sourceLocation: sourceLocation)
}

/// Thread counts under which every kernel must give the same bits.
let threadCounts = [1, 2, 3, 5, 8]

/// Runs `body` under each thread count and expects the bits of the first run from all.
func expectSameBits(
  _ context: @autoclosure () -> String, sourceLocation: SourceLocation = #_sourceLocation,
  _ body: (Pool) -> [Float]
) {
  var first: [UInt32]?
  for threads in threadCounts {
    let bits = body(Pool(threads: threads)).map(\.bitPattern)
    guard let reference = first else {
      first = bits
      continue
    }
    #expect(
      bits == reference, "\(context()): \(threads) threads give other bits than one",
      sourceLocation: sourceLocation)
  }
}
