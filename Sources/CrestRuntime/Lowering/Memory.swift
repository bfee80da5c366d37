import CCrestKernels
import CrestGraph

/// What the steps of a run share, at a fixed address that they are bound to.
final class RunState {
  /// The random key of the step being run.
  var key = RandomKey(seed: 0, step: 0)
  /// The first step that met an index which names nothing.
  var fault: (node: Int?, error: GraphError.IndexOutOfRange)?
}

/// The addresses of a program's buffers, once planned.
struct Memory {
  let addresses: [UnsafeMutableRawPointer]
  let scratch: UnsafeMutableRawPointer
  let state: RunState

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
  private let state: RunState
  private let node: Int?

  init(_ step: Step, _ memory: Memory, _ engine: Engine) {
    kernels = engine.kernels
    pool = engine.pool
    reads = step.reads.map { memory[$0] }
    writes = step.writes.map { memory[$0] }
    scratch = memory.scratch
    state = memory.state
    node = step.node
  }

  /// The random key of the step being run.
  var random: RandomKey { state.key }

  /// Says that an index names nothing, which ends the run of the stage.
  func report(_ error: GraphError.IndexOutOfRange) {
    if state.fault == nil { state.fault = (node, error) }
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
