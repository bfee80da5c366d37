import CrestCallbacks
import CrestData
import CrestLayers
import CrestONNX
import CrestOptimizers
import CrestRuntime
import CrestTensor
import CrestTestSupport
import CrestTraining
import Foundation
import Testing

/// Ten steps of every network that comes with the project give the bits on record, on each instruction set.
///
/// A change of the code that moves a bit without meaning to fails here. A change that means to, run with
/// `CREST_APPROVE=1`, renews the record, which says so in the diff.
@Suite struct StepBitsTests {
  /// A network, and where its model comes from.
  struct Network: Sendable, CustomTestStringConvertible {
    let name: String
    let model: @Sendable (Engine) throws -> Model
    /// Whether ten steps take long on narrow vectors; they are then run on the widest only.
    var isLarge = false
    /// Whether it is trained by squared errors, not on classes.
    var predictsValues = false

    var testDescription: String { name }
  }

  private static let project = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  private static let record = project.appending(path: "Tests/Fixtures/step-bits/hashes.txt")
  private static let parity = SharedFolder.path("parity")

  /// All but a network of 36 million parameters, which is `wide-resnet16-4` with more and wider blocks.
  private static let builtIn = BuiltInModel.all.filter { $0.name != "wide-resnet28-10" }.map {
    model in
    Network(
      name: model.name,
      model: { engine in
        try BuiltInModel.make(
          model.name, input: model.name == "lenet" ? [1, 28, 28] : [3, 32, 32], classes: 10,
          engine: engine)
      },
      isLarge: [
        "resnet56", "resnet110", "resnet9", "wide-resnet16-4", "densenet-bc100", "efficientnet-b0",
        "convnext-atto", "vit-tiny",
      ].contains(model.name),
      // Its classes are those of pixels.
      predictsValues: model.name == "unet")
  }

  private static let files = ["lenet", "lstm", "mlp", "resnet20", "resnet56", "transformer"].map {
    name in
    Network(
      name: "models/\(name).onnx",
      model: {
        try Model(onnx: project.appending(path: "models/\(name).onnx").path, engine: $0)
      }, isLarge: name == "resnet56")
  }

  private static let shared =
    ["autoencoder", "bert", "lenet", "lstm", "mlp", "resnet20", "tabular"].map { name in
      Network(
        name: "parity/\(name)",
        model: { try Model(onnx: "\(parity ?? "")/\(name)/model.onnx", engine: $0) },
        predictsValues: ["autoencoder", "tabular"].contains(name))
    }

  @Test(arguments: builtIn + files)
  func `ten steps give the bits on record`(_ network: Network) throws {
    try check(network)
  }

  @Test(.enabled(if: parity != nil, "\(SharedFolder.reason("parity"))"), arguments: shared)
  func `ten steps of PyTorch's networks give the bits on record`(_ network: Network) throws {
    try check(network)
  }

  private func check(_ network: Network) throws {
    let sets = Engine.InstructionSet.available
    for set in network.isLarge ? sets.suffix(1) : sets[...] {
      let key = "\(network.name) \(set.rawValue)"
      let hash = try Self.hash(of: network, on: set)
      if ProcessInfo.processInfo.environment["CREST_APPROVE"] == "1" {
        try Self.approve(key, hash)
      } else {
        // AVX-512 rounds as AVX2 does, so that a record made on either is for both.
        let known = try Self.recorded()[key] ?? Self.recorded()[Self.equivalent(of: key)]
        #expect(
          known != nil,
          "\(key) is not on record; run this test with CREST_APPROVE=1 to record \(hash)")
        #expect(known == nil || known == hash, "\(key)")
      }
    }
  }

  /// The key of the other instruction set that rounds in the same way.
  private static func equivalent(of key: String) -> String {
    key.hasSuffix(" avx2")
      ? key.replacing(" avx2", with: " avx512") : key.replacing(" avx512", with: " avx2")
  }

  /// Of the losses, parameters, statistics and moments after each optimiser's ten steps.
  private static func hash(of network: Network, on set: Engine.InstructionSet) throws -> String {
    var hash = Fingerprint()
    for optimizer: any Optimizer in [
      try SGD(learningRate: 0.01, momentum: 0.9, weightDecay: 1e-3), AdamW(),
    ] {
      let model = try network.model(try Engine(instructionSet: set))
      let learner = try Learner(
        model, data: DataSplit(measuringOn: examples(for: model, of: network)),
        optimizer: optimizer, batchSize: 4, seed: 3, prefetch: 0)
      var losses: [Float] = []
      try learner.fit(
        epochs: 1,
        callbacks: [
          CallbackOf(.afterBatch { if $0.isTraining { losses.append($0.loss) } }, name: "Losses")
        ])
      #expect(losses.count == 10 && losses.allSatisfy(\.isFinite), "\(network.name): \(losses)")
      losses.withUnsafeBytes { hash.add($0) }
      let store = model.store
      let moments = (0..<optimizer.momentCount).map { ParameterStore.Buffer.moments($0) }
      for buffer in [.parameters, .statistics] + moments {
        store.withBuffer(buffer) { hash.add(UnsafeRawBufferPointer($0)) }
      }
    }
    return hash.text
  }

  /// Forty examples of random numbers, or of ids below 20.
  private static func examples(for model: Model, of network: Network) throws -> TensorExamples {
    let count = 40
    let random = Philox(seed: 5, stream: Philox.Stream.split)
    let inputs = model.inputs.map { input in
      let shape = Shape([count] + Array(input.shape))
      let uniform = (0..<shape.elementCount).map { random.uniform(UInt64($0)) }
      return (
        input.name,
        input.elementType == .int64
          ? Tensor(uniform.map { Int64($0 * 20) }, shape: shape)
          : Tensor(uniform.map { 2 * $0 - 1 }, shape: shape)
      )
    }
    guard !network.predictsValues else {
      let shape = Shape([count] + Array(model.outputShape))
      let values = (0..<shape.elementCount).map { random.uniform(1 << 32 + UInt64($0)) }
      return TensorExamples(
        name: "random", inputs: inputs, targets: Tensor(values, shape: shape))
    }
    let classes = model.outputShape[0]
    return TensorExamples(
      name: "random", inputs: inputs, targets: Tensor((0..<count).map { Int64($0 * 7 % classes) }),
      classNames: (0..<classes).map(String.init))
  }

  private static func recorded() throws -> [String: String] {
    let text = (try? String(contentsOf: record, encoding: .utf8)) ?? ""
    return Dictionary(
      uniqueKeysWithValues: text.split(separator: "\n").map { line in
        let words = line.split(separator: " ")
        return ("\(words[0]) \(words[1])", String(words[2]))
      })
  }

  private static let recording = NSLock()

  private static func approve(_ key: String, _ hash: String) throws {
    try recording.withLock {
      var hashes = try recorded()
      hashes[key] = hash
      let lines = hashes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
      try Data(lines.joined().utf8).write(to: record)
    }
  }
}
