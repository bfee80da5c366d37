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
