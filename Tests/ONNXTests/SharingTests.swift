import CrestLayers
import CrestONNX
import CrestRuntime
import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// What `make_sharing.py` recorded of a network that uses a layer twice.
private struct SharedCase: Decodable {
  struct Array: Decodable {
    let shape: [Int]
    let values: [Float]
    var tensor: Tensor { Tensor(values, shape: Shape(shape)) }
  }

  let a: Array
  let b: Array
  let target: [Int64]
  let losses: [Double]
  let learningRate: Float
  let variables: [String: Array]

  static func named(_ name: String) throws -> SharedCase {
    let url = ExportedNetwork.source.appending(path: "sharing.json")
    let all = try JSONDecoder().decode([String: SharedCase].self, from: Data(contentsOf: url))
    return try #require(all[name])
  }

  static func path(_ name: String) -> String {
    ExportedNetwork.source.appending(path: name + ".onnx").path(percentEncoded: false)
  }
}

@Suite struct `A layer that a network uses twice` {
  /// The names that running statistics have where an exporter merged them with scales and shifts.
  private static let merged = [
    "branch.1.running_mean": "branch.1.bias.untied2",
    "branch.1.running_var": "branch.1.weight.untied2",
  ]

  @Test(arguments: [("sharing", [:]), ("sharing-fresh", merged)])
  func `steps as in PyTorch, its running statistics too`(
    name: String, names: [String: String]
  ) throws {
    let wanted = try SharedCase.named(name)
    let model = try Model(onnx: SharedCase.path(name), engine: Engine(threadCount: 1))
    let step = try TrainingStep(
      model, [wanted.a.tensor, wanted.b.tensor], target: Tensor(wanted.target),
      loss: .crossEntropy())
    for loss in wanted.losses {
      let got = try step.take(rate: wanted.learningRate)
      #expect(abs(Double(got) - loss) <= 1e-5, "\(got), not \(loss)")
    }
    #expect(
      Set((model.store.parameters + model.store.statistics).map(\.name))
        == Set(wanted.variables.keys.map { names[$0] ?? $0 }))
    for (name, array) in wanted.variables {
      let entry = try #require(model.store.entry(named: names[name] ?? name))
      let got = model.store.value(of: entry).array(as: Float.self)
      let worst = zip(got, array.values).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(got.count == array.values.count && worst <= 1e-5, "\(name) is off by \(worst)")
    }
  }

  @Test(arguments: ["sharing", "sharing-fresh"])
  func `is still one layer in the file that is written`(name: String) throws {
    let wanted = try SharedCase.named(name)
    let model = try Model(onnx: SharedCase.path(name), engine: Engine(threadCount: 1))
    let batches = [wanted.a.tensor, wanted.b.tensor]
    let step = try TrainingStep(
      model, batches, target: Tensor(wanted.target), loss: .crossEntropy())
    try step.take(rate: wanted.learningRate)
    let folder = try TemporaryFolder()
    try model.exportONNX(to: folder.path + "/trained.onnx")
    let again = try Model(onnx: folder.path + "/trained.onnx")
    #expect(try again.predict(batches) == model.predict(batches))
    #expect(
      again.store.parameters.map(\.name).sorted() == model.store.parameters.map(\.name).sorted())
    #expect(again.store.statistics.count == 2)
  }

  @Test func `has begun with statistics of two steps, which a new network doesn't`() throws {
    let path = ExportedNetwork.source.deletingLastPathComponent()
      .appending(path: "cases/untied-siamese/model.onnx").path(percentEncoded: false)
    let model = try Model(onnx: path, engine: Engine(threadCount: 1))
    #expect(model.store.statistics.map(\.name) == ["e.1.running_mean", "e.1.running_var"])
    #expect(
      model.store.parameters.map(\.name) == [
        "e.0.weight", "e.0.bias", "e.1.weight", "e.1.bias", "h.weight", "h.bias",
      ])
    #expect(
      model.trainingReadiness?.notes == [
        .tracedStatistics,
        .tied(
          names: [
            "e.0.weight", "e.0.bias", "e.1.weight", "e.1.bias", "e.1.running_mean",
            "e.1.running_var",
          ], uses: 2),
        .fixed(names: ["mean", "std"], .inputNormalization),
      ])
  }

  @Test func `is named in a note`() throws {
    let notes = try ONNXTemplate(path: SharedCase.path("sharing")).readiness.notes
    #expect(
      notes == [
        .tracedStatistics,
        .tied(
          names: [
            "branch.0.weight", "branch.0.bias", "branch.1.weight", "branch.1.bias",
            "branch.1.running_mean", "branch.1.running_var",
          ], uses: 2),
      ])
  }
}
