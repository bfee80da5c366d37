import CrestONNX
import CrestTensor
import ONNXTestSupport
import ProcessSupport
import Testing

@Suite struct `Mutated models` {
  /// Each input is a committed model with some bytes flipped, removed, repeated or cut off.
  @Test(arguments: [0xC4E5_7001 as UInt64])
  func `are read or refused, and nothing else`(seed: UInt64) throws {
    let models = try Fixtures.names.map { try Fixtures.bytes($0) }.filter { $0.count < 20_000 }
    let rounds = 200_000
    var random = SplitMix(seed: seed)
    var readCount = 0
    var tensorCount = 0
    for _ in 0..<rounds {
      var bytes = random.element(of: models)
      ModelMutator.mutate(&bytes, &random)
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

  /// Damage of fields, which gets further: what is imported is run, trained and written back too.
  ///
  /// `script/campaign fuzz-onnx` does this a million times, under the address sanitizer.
  @Test(arguments: [0xC4E5_7002 as UInt64])
  func `are imported or refused, and nothing else`(seed: UInt64) throws {
    let folder = try TemporaryFolder()
    let models = try Fixtures.onnxFiles(in: Fixtures.onnx)
      .map { try fileBytes(Fixtures.onnx + "/" + $0) }.filter { $0.count < 20_000 }
    let mutator = ModelMutator(models, seed: seed)
    let journey = try ModelJourney()
    var counts: [ModelJourney.Stage: Int] = [:]
    for number in 0..<10_000 {
      let path = try folder.write(mutator.model(number), to: "model.onnx")
      do {
        counts[try journey.run(path, copy: folder.path + "/copy.onnx"), default: 0] += 1
      } catch {
        Issue.record("seed \(seed), number \(number): \(error)")
      }
    }
    for stage in [ModelJourney.Stage.refusedByReader, .refusedByImporter, .run] {
      #expect(counts[stage, default: 0] > 500, "seed \(seed): \(counts)")
    }
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
