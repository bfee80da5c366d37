import CCrestKernels
import Synchronization

/// The threads and kernels that programs run on.
///
/// Several programs may share an engine; they take turns.
public final class Engine: Sendable {
  /// The instruction set of the kernels.
  public let instructionSet: InstructionSet
  /// The number of threads that share each kernel's work, the caller's included.
  public let threadCount: Int
  /// Which kernels convolutions may run on.
  public let convolutions: ConvolutionAlgorithms

  // The pool is used under `turn` only, and the table is constant.
  nonisolated(unsafe) let pool: OpaquePointer
  nonisolated(unsafe) let kernels: UnsafePointer<ck_kernels>
  private let turn = Mutex<Void>(())

  /// Starts an engine.
  ///
  /// - Parameters:
  ///   - threadCount: From 1 up; all cores the process may use when nil.
  ///   - instructionSet: ``Engine/InstructionSet/preferred()`` when nil.
  ///   - convolutions: Speed against rounding errors.
  /// - Throws: ``EngineError`` when the system can't start the threads or the CPU lacks the set.
  public init(
    threadCount: Int? = nil, instructionSet: InstructionSet? = nil,
    convolutions: ConvolutionAlgorithms = .fastest
  ) throws(EngineError) {
    let count = threadCount ?? Engine.availableCoreCount
    let set = if let instructionSet { instructionSet } else { try InstructionSet.preferred() }
    guard let kernels = ck_kernels_for(set.isa) else {
      throw EngineError.instructionSetUnavailable(set.rawValue)
    }
    guard (1...1024).contains(count), let pool = ck_pool_create(count) else {
      throw EngineError.threadsUnavailable(count)
    }
    self.threadCount = count
    self.convolutions = convolutions
    self.instructionSet = set
    self.pool = pool
    self.kernels = kernels
  }

  deinit { ck_pool_destroy(pool) }

  /// Whether the kernels were compiled with optimisation; in a debug build they run many times slower.
  public static var isOptimized: Bool { ck_is_optimized() }

  /// The number of cores this process may run on.
  public static var availableCoreCount: Int { ck_available_core_count() }

  /// Runs `body` while no other program uses the pool.
  func exclusively(_ body: () -> Void) {
    turn.withLock { _ in body() }
  }
}

/// Bytes at a fixed address, 64-byte aligned and zero at first.
final class AlignedMemory {
  let base: UnsafeMutableRawPointer
  let byteCount: Int

  init(byteCount: Int) {
    self.byteCount = byteCount
    base = .allocate(byteCount: max(byteCount, 64), alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: max(byteCount, 64))
  }

  deinit { base.deallocate() }

  /// The memory as floats.
  var floats: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(
      start: base.assumingMemoryBound(to: Float.self), count: byteCount / 4)
  }
}
