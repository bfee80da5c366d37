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

/// The models beside the package that PyTorch trained for ten steps, trained from their ONNX files.
@Suite struct ONNXParityTests {
  /// `expected.json`.
  struct Expected: Decodable {
    struct Step: Decodable {
      let loss: Double
      let lr: Double
      let momentum: Double
    }
    struct Schedule: Decodable { let maxLR: Double }
    let loss: String
    let batchSize: Int
    let steps: [Step]
    let schedule: Schedule
  }

  static let folder = SharedFolder.path("parity")

  @Test(
    .enabled(if: folder != nil, "\(SharedFolder.reason("parity"))"),
    arguments: ["mlp", "lenet", "resnet20", "tabular", "autoencoder", "lstm", "bert"])
  func `ten steps on an ONNX file are PyTorch's`(name: String) throws {
    let folder = "\(try #require(Self.folder))/\(name)"
    let expected = try JSONDecoder().decode(
      Expected.self, from: Data(contentsOf: URL(filePath: folder + "/expected.json")))
    let model = try Model(onnx: folder + "/model.onnx")
    model.restartTracedStatistics()
    let whole = try #require(try NPYFolder(path: folder).split().whole)
    let learner = try Learner(
      model, data: DataSplit(measuringOn: whole), loss: .named(expected.loss),
      optimizer: SGD(momentum: 0.9, weightDecay: 1e-4, decayKind: .l2, decayTargets: .all),
      batchSize: expected.batchSize, shuffle: false)
    var step = 0
    let check = CallbackOf(
      .afterBatch { batch in
        guard batch.isTraining else { return }
        let wanted = expected.steps[step]
        #expect(
          abs(Double(batch.loss) - wanted.loss) <= 2e-5 * abs(wanted.loss),
          "step \(step): loss \(batch.loss), not \(wanted.loss)")
        let used = batch.learner.hyperparameters
        #expect(abs(used.learningRate - wanted.lr) <= 1e-9)
        #expect(abs(used.momentum - wanted.momentum) <= 1e-9)
        step += 1
      }, name: "Check")
    try learner.fitOneCycle(
      epochs: 1, maxLR: expected.schedule.maxLR, convention: .pytorch, callbacks: [check])
    #expect(step == expected.steps.count)

    let weights = try Self.safetensors(folder + "/expected-weights.safetensors")
    for (name, wanted) in weights {
      let entry = try #require(model.store.entry(named: name), "\(name) is not in the model")
      let worst = zip(model.store.value(of: entry).array(as: Float.self), wanted)
        .reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(worst <= 1e-4, "\(name) is off by \(worst)")
    }
    #expect(weights.count == model.store.parameters.count + model.store.statistics.count)

    let batch = try TensorFile.readInput(folder + "/eval-x.npy")
    let wanted = try TensorFile.readNPY(folder + "/expected-eval.npy").doubles
    let scale = wanted.reduce(1) { max($0, abs($1)) }
    let got = try model.predict(batch).doubles
    let worst = zip(got, wanted).reduce(0) { max($0, abs($1.0 - $1.1)) }
    #expect(got.count == wanted.count && worst <= 1e-4 * scale, "outputs are off by \(worst)")
  }

  /// The float32 tensors of a safetensors file.
  private static func safetensors(_ path: String) throws -> [String: [Float]] {
    let data = try Data(contentsOf: URL(filePath: path))
    let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try #require(
      try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: [String: Any]])
    return try header.filter { $0.key != "__metadata__" }.mapValues { entry in
      let offsets = try #require(entry["data_offsets"] as? [Int])
      let bytes = [UInt8](data[8 + length + offsets[0]..<8 + length + offsets[1]])
      return stride(from: 0, to: bytes.count, by: 4).map { place in
        Float(bitPattern: bytes[place..<place + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
      }
    }
  }
}
