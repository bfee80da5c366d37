import ONNXTestSupport
import ReaderFuzzing

@_silgen_name("LLVMFuzzerMutate")
private func mutate(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int) -> Int

/// What an input begins from now and then, whatever the search keeps.
private let goodInputs: [[UInt8]] = {
  do {
    return try run.reader.seeds() + KeptInputs.read(run.reader)
  } catch { fail("\(run.reader.name): \(error)") }
}()

/// Changes an input: a quarter begins again from a good one, and half of the models are changed by their fields, so that
/// what comes behind the reader of bytes is reached; everything else as libFuzzer does.
@_cdecl("LLVMFuzzerCustomMutator")
public func customMutator(
  _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int, _ seed: CUnsignedInt
) -> Int {
  var (count, choice) = (count, Int(seed >> 4))
  if seed & 3 == 0 || count < 2 {
    let good = goodInputs[choice % goodInputs.count]
    choice /= goodInputs.count
    if good.count <= limit {
      for (place, byte) in good.enumerated() { bytes[place] = byte }
      count = good.count
    }
  }
  if run.reader.name == "onnx", seed & 4 == 0,
    let changed = ModelMutator.changed(
      Array(UnsafeBufferPointer(start: bytes, count: count)), seed: UInt64(seed)),
    changed.count <= limit
  {
    for (place, byte) in changed.enumerated() { bytes[place] = byte }
    return changed.count
  }
  for _ in 0...choice % 3 { count = mutate(bytes, count, limit) }
  return count
}
