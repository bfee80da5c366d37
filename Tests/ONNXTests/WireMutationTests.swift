import CrestONNX
import CrestTensor
import Testing

@Suite struct `Mutated models` {
  /// Each input is a committed model with some bytes flipped, removed, repeated or cut off.
  @Test(arguments: [0xC4E5_7001 as UInt64])
  func `are read or refused, and nothing else`(seed: UInt64) throws {
    let models = try Fixtures.names.map { try Fixtures.bytes($0) }.filter { $0.count < 20_000 }
    let rounds = 200_000
    var random = SplitMix(state: seed)
    var readCount = 0
    var tensorCount = 0
    for _ in 0..<rounds {
      var bytes = models[random.below(models.count)]
      random.mutate(&bytes)
      guard let model = Self.model(bytes) else { continue }
      readCount += 1
      let tensors = Self.tensors(of: model)
      tensorCount += tensors.count
      // What is read is never larger than what was there, but for elements stored as varints.
      if !tensors.allSatisfy({ $0.byteCount <= 8 * bytes.count }) || !Self.copies(model, bytes) {
        Issue.record("seed \(seed), the input with \(readCount - 1) read before it")
      }
    }
    // Both ways were taken often, so that the test has seen something.
    #expect(readCount > rounds / 20, "seed \(seed): \(readCount) read")
    #expect(readCount < rounds * 19 / 20, "seed \(seed): \(readCount) read")
    #expect(tensorCount > rounds / 20, "seed \(seed): \(tensorCount) tensors")
  }

  /// The model, or nil when it is refused; a crash is what this looks for.
  private static func model(_ bytes: [UInt8]) -> ModelProto? {
    try? ModelProto(bytes: bytes, name: "mutated")
  }

  private static func tensors(of model: ModelProto) -> [Tensor] {
    let reader = TensorReader(model)
    return model.graph.initializers.prefix(4).compactMap { proto in try? reader.tensor(proto) }
  }

  private static func copies(_ model: ModelProto, _ bytes: [UInt8]) -> Bool {
    let copy = Result { () throws(ONNXError) in try ModelSplice(model).content.bytes() }
    return copy == .success(bytes)
  }
}

/// Steele, Lea and Flood's SplitMix64.
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  mutating func below(_ count: Int) -> Int {
    Int(next() % UInt64(count))
  }

  mutating func mutate(_ bytes: inout [UInt8]) {
    let interesting: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x3A]
    for _ in 0...below(3) where !bytes.isEmpty {
      let index = below(bytes.count)
      switch below(6) {
      case 0: bytes[index] ^= 1 << UInt8(below(8))
      case 1: bytes[index] = UInt8(truncatingIfNeeded: next())
      case 2: bytes[index] = interesting[below(interesting.count)]
      case 3: bytes.remove(at: index)
      case 4: bytes.insert(bytes[index], at: index)
      default: if below(8) == 0 { bytes.removeSubrange(index...) }
      }
    }
  }
}
