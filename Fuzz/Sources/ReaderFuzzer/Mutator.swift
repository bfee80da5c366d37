import Foundation
import ONNXTestSupport

@_silgen_name("LLVMFuzzerMutate")
private func mutate(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int) -> Int

private let readsModels = ProcessInfo.processInfo.environment["CREST_FUZZ_READER"] == "onnx"

/// Changes an input: half of the models by their fields, so that what comes behind the reader of bytes is reached;
/// everything else as libFuzzer does.
@_cdecl("LLVMFuzzerCustomMutator")
public func customMutator(
  _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int, _ seed: CUnsignedInt
) -> Int {
  guard readsModels, seed & 1 == 0,
    let changed = ModelMutator.changed(
      Array(UnsafeBufferPointer(start: bytes, count: count)), seed: UInt64(seed)),
    changed.count <= limit
  else { return mutate(bytes, count, limit) }
  for (place, byte) in changed.enumerated() { bytes[place] = byte }
  return changed.count
}
