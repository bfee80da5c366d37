import CrestFiles
import CrestTensor
import Synchronization

/// The elements of external data files as they were when they were first read, whatever becomes of the files.
///
/// A model needs them again for batches of another size and for an export, perhaps hours later. Tensors share
/// their memory with the graph's.
final class ExternalElements: Sendable {
  // By the start of the tensor's field in the model.
  private let held = Mutex<[Int: Tensor]>([:])
  private let files = Mutex<[String: FileStatus]>([:])

  /// Whether a file is as it was when the first tensor was read from it, so that one network doesn't get
  /// elements of two.
  func isUnchanged(_ location: String, _ status: FileStatus) -> Bool {
    files.withLock { files in
      guard let first = files[location] else {
        files[location] = status
        return true
      }
      return status.hasContent(of: first)
    }
  }

  /// The elements of a tensor, which `read` gives the first time.
  func elements(
    of proto: TensorProto, orRead read: () throws(ONNXError) -> Tensor
  ) throws(ONNXError) -> Tensor {
    if let elements = held.withLock({ $0[proto.span.start] }) { return elements }
    let elements = try read()
    return held.withLock { held in
      // What another thread read meanwhile stays.
      if let first = held[proto.span.start] { return first }
      held[proto.span.start] = elements
      return elements
    }
  }
}
