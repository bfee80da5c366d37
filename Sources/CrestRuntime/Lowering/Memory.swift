import CCrestKernels
import CrestGraph

/// The random key of the step being run, at a fixed address that steps are bound to.
final class RandomState {
  var key = RandomKey(seed: 0, step: 0)
}

/// The addresses of a program's buffers, once planned.
struct Memory {
  let addresses: [UnsafeMutableRawPointer]
  let scratch: UnsafeMutableRawPointer
  let random: RandomState

  subscript(_ buffer: BufferID) -> UnsafeMutableRawPointer { addresses[buffer.index] }

  func floats(_ buffer: BufferID) -> UnsafeMutablePointer<Float> {
    self[buffer].assumingMemoryBound(to: Float.self)
  }
}

/// What a step works with, once its buffers have addresses.
struct KernelCall {
  let kernels: UnsafePointer<ck_kernels>
  let pool: OpaquePointer
  let reads: [UnsafeMutableRawPointer]
  let writes: [UnsafeMutableRawPointer]
  let scratch: UnsafeMutableRawPointer
  let random: RandomState

  init(_ step: Step, _ memory: Memory, _ engine: Engine) {
    kernels = engine.kernels
    pool = engine.pool
    reads = step.reads.map { memory[$0] }
    writes = step.writes.map { memory[$0] }
    scratch = memory.scratch
    random = memory.random
  }

  /// The floats of a buffer the step reads.
  func read(_ place: Int) -> UnsafeMutablePointer<Float> {
    reads[place].assumingMemoryBound(to: Float.self)
  }

  /// The floats of a buffer the step writes.
  func write(_ place: Int) -> UnsafeMutablePointer<Float> {
    writes[place].assumingMemoryBound(to: Float.self)
  }
}
