import CrestGraph
import CrestLayers
import CrestONNX
import CrestRuntime
import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// What `make_exports.py` had PyTorch write, and how PyTorch trained it.
struct PyTorchExports: Decodable {
  /// What a network is trained for.
  struct Network: Decodable {
    let loss: String
    let target: ModelCase.Batch
    /// PyTorch's loss before its step; nil where the step is random.
    let lossValue: Double?
    let learningRate: Float?
    /// What lies in `NAME-step.npy`, one after another.
    let variables: [Variable]?
  }

  struct Variable: Decodable {
    let name: String
    let count: Int
  }

  let files: [String: ModelCase]
  let networks: [String: Network]

  static let folder = Fixtures.onnx + "/exports"
  private static let all = Fixtures.decoded("exports/cases.json", as: PyTorchExports.self)

  static let cases = all.files.map { $1.named($0, in: folder) }.sorted { $0.name < $1.name }

  /// The networks that PyTorch took a step with.
  static let stepped = all.networks.filter { $1.lossValue != nil }.keys.sorted()

  /// The name of the network in a file, as in `lstm` for `lstm-dynamo`.
  static func networkName(_ file: ModelCase) -> String {
    String(file.name.prefix { $0 != "-" })
  }

  static func network(_ name: String) throws -> Network { try #require(all.networks[name]) }

  static func file(_ name: String) throws -> ModelCase {
    try #require(cases.first { $0.name == name })
  }

  /// The variables of a network after PyTorch's step.
  static func variablesAfterStep(_ name: String) throws -> [(name: String, values: [Float])] {
    let flat = try Tensor(npy: fileBytes("\(folder)/\(name)-step.npy")).array(as: Float.self)
    let variables = try #require(try network(name).variables)
    var start = 0
    return variables.map { variable in
      defer { start += variable.count }
      return (variable.name, Array(flat[start..<start + variable.count]))
    }
  }
}

extension TrainingStep {
  /// The batch and loss that a file's network is for.
  fileprivate init(_ file: ModelCase, path: String? = nil) throws {
    let network = try PyTorchExports.network(PyTorchExports.networkName(file))
    let model = try Model(onnx: path ?? file.path, engine: Engine(threadCount: 1))
    try self.init(
      model, file.batches(for: model), target: network.target.tensor, loss: .named(network.loss))
  }
}

@Suite struct `A network that PyTorch exported` {
  @Test(arguments: PyTorchExports.cases)
  func `gives what ONNX Runtime gives`(_ file: ModelCase) throws {
    let model = try Model(onnx: file.path)
    let batches = try file.batches(for: model)
    let prediction = try model.predict(batches)
    #expect(prediction.shape == Shape(file.shape))
    file.expectClose(prediction)
    guard model.template.fixedBatchSize == nil else { return }
    // As the last batch of an epoch may be smaller.
    file.expectClose(try model.predict(batches.map(\.firstRow)))
  }

  @Test(arguments: PyTorchExports.cases)
  func `has a gradient along which the loss changes`(_ file: ModelCase) throws {
    let step = try TrainingStep(file)
    let loss = try step.loss()
    let gradients = try step.gradients()
    let parameters = step.parameters
    let slope = gradients.reduce(0) { sum, gradient in
      gradient.doubles.reduce(sum) { $0 + $1 * $1 }
    }
    #expect(loss.isFinite && slope.isFinite && slope > 0)

    // Far enough to stand out from rounding, near enough for a straight line.
    let distance = Float(0.004 * Double(loss) / slope)
    step.move(parameters, along: gradients, by: distance)
    let above = try step.loss()
    step.move(parameters, along: gradients, by: -distance)
    let below = try step.loss()
    let ratio = Double(above - below) / (2 * Double(distance) * slope)
    #expect(below < loss && loss < above)
    #expect(abs(ratio - 1) <= 0.02, "the loss changes \(ratio) times as much as its gradient says")
  }

  @Test(arguments: PyTorchExports.stepped)
  func `steps as PyTorch does`(name: String) throws {
    let network = try PyTorchExports.network(name)
    let step = try TrainingStep(PyTorchExports.file(name + "-training"))
    let loss = try step.take(rate: try #require(network.learningRate))
    let wanted = try #require(network.lossValue)
    #expect(abs(Double(loss) - wanted) <= 1e-5 * max(1, wanted), "\(loss), not \(wanted)")

    let store = step.model.store
    let variables = try PyTorchExports.variablesAfterStep(name)
    #expect(variables.count == store.parameters.count + store.statistics.count)
    for (name, wanted) in variables {
      let entry = try #require(store.entry(named: name))
      let got = store.value(of: entry).array(as: Float.self)
      let worst = zip(got, wanted).reduce(0) { max($0, abs($1.0 - $1.1)) }
      let scale = wanted.reduce(1) { max($0, abs($1)) }
      #expect(got.count == wanted.count && worst <= 1e-5 * scale, "\(name) is off by \(worst)")
    }
  }

  /// A folder with a copy of a file, and of what lies beside it.
  private func copy(_ file: ModelCase, as name: String) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(fileBytes(file.path), to: name)
    let side = file.path + ".data"
    if FileManager.default.fileExists(atPath: side) {
      try folder.write(fileBytes(side), to: Self.sideName(file))
    }
    return folder
  }

  private static func sideName(_ file: ModelCase) -> String { "\(file.name).onnx.data" }

  @Test(arguments: PyTorchExports.cases)
  func `is written back as the same bytes when nothing was trained`(_ file: ModelCase) throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/same.onnx"
    try Model(onnx: file.path).exportONNX(to: path, keepsTrainingNodes: true)
    let isSame = try fileBytes(path) == fileBytes(file.path)
    #expect(isSame)
    guard file.name.hasSuffix("-dynamo") else {
      #expect(try folder.names == ["same.onnx"])
      return
    }
    #expect(try folder.names == [Self.sideName(file), "same.onnx"].sorted())
    let isSameData =
      try fileBytes("\(folder.path)/\(Self.sideName(file))")
      == fileBytes(file.path + ".data")
    #expect(isSameData)
  }

  @Test(arguments: PyTorchExports.cases)
  func `goes back with what it learned, and its source stays`(_ file: ModelCase) throws {
    let folder = try copy(file, as: "source.onnx")
    let before = try folder.names
    let step = try TrainingStep(file, path: folder.path + "/source.onnx")
    try step.take(rate: 0.01)
    let batches = try file.batches(for: step.model)
    let wanted = try step.model.predict(batches)
    try step.model.exportONNX(to: folder.path + "/trained.onnx")

    let trained = try Model(onnx: folder.path + "/trained.onnx")
    #expect(try trained.predict(batches) == wanted)
    let nodes = try ModelProto(path: folder.path + "/trained.onnx").graph.nodes
    #expect(!nodes.contains { $0.operation == "BatchNormalization" && $0.outputs.count > 1 })
    #expect(!nodes.contains { $0.operation == "Dropout" && $0.inputs.count > 2 })

    let isExternal = file.name.hasSuffix("-dynamo")
    let new = isExternal ? ["trained.onnx", "trained.onnx.data"] : ["trained.onnx"]
    #expect(try folder.names == (before + new).sorted())
    let isUntouched = try fileBytes(folder.path + "/source.onnx") == fileBytes(file.path)
    #expect(isUntouched)

    // Over the source itself: its data go to a new file, as someone may be reading the old one.
    try step.model.exportONNX(to: folder.path + "/source.onnx")
    #expect(try Model(onnx: folder.path + "/source.onnx").predict(batches) == wanted)
    guard isExternal else { return }
    #expect(try folder.names == (before + new + ["source.onnx.data"]).sorted())
    let isDataUntouched =
      try fileBytes("\(folder.path)/\(Self.sideName(file))")
      == fileBytes(file.path + ".data")
    #expect(isDataUntouched)
  }

  @Test func `with the batch wired in says so, and others are filled up`() throws {
    let file = try PyTorchExports.file("lstm-frozen")
    let model = try Model(onnx: file.path)
    #expect(model.template.fixedBatchSize == 3)
    #expect(model.trainingReadiness?.notes.contains(.frozenBatch(3)) == true)
    file.expectClose(try model.predict(file.batches(for: model).map(\.firstRow)))
  }

  static let notes: [(name: String, notes: [TrainingReadiness.Note])] = [
    ("mlp-training", []), ("mlp-legacy", []), ("resnet20-training", []),
    ("resnet20-dynamo", [.foldedBatchNorm(convolutions: 21)]),
    ("unet-legacy", [.foldedBatchNorm(convolutions: 11)]),
    ("autoencoder-dynamo", [.finalActivation(operation: "Sigmoid", node: "node_sigmoid")]),
    ("lstm-frozen", [.frozenBatch(3)]), ("bert-training", []),
    ("bert-dynamo", bertNotes),
  ]

  // `nn.TransformerEncoder` copies its layer, weights included, and the exporter merges the copies and says so.
  private static let bertNotes: [TrainingReadiness.Note] = [
    .unmerged(
      [
        ("norm.weight", 5), ("norm.bias", 5), ("encoder.layers.0.self_attn.in_proj_bias", 2),
        ("encoder.layers.0.self_attn.out_proj.weight", 2), ("encoder.layers.0.linear1.bias", 2),
        ("encoder.layers.0.linear2.bias", 2), ("val_9", 2), ("val_117", 2), ("val_119", 2),
      ].map { name, count in
        .init(name: name, copies: [name] + (2...count).map { "\(name).untied\($0)" })
      }),
    .leftOut(names: ["encoder.layers.0.self_attn.out_proj.bias"]),
  ]

  @Test(arguments: notes)
  func `says what its export means for training`(
    name: String, notes: [TrainingReadiness.Note]
  ) throws {
    let model = try Model(onnx: PyTorchExports.file(name).path)
    #expect(model.trainingReadiness?.notes == notes)
  }

  @Test func `has its parameters in the rows of its summary`() throws {
    let model = try Model(onnx: PyTorchExports.file("mlp-training").path)
    let rows = try model.summary().split(separator: "\n").filter { $0.hasPrefix("node ") }
    #expect(rows.count == 5)
    let counts = rows.map { $0.split(separator: " ").last }
    #expect(counts == ["0", "104", "0", "0", "27"])
  }
}
