import CrestGraph
import CrestLayers
import CrestONNX
import CrestRuntime
import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// What `make_kinds.py` recorded of a network that it exported.
struct ArrayKindCase: Decodable, CustomTestStringConvertible {
  let shape: [Int]
  let x: [Float]
  let target: [Int64]
  let learningRate: Float
  /// PyTorch's, of each step.
  let losses: [Double]
  /// How many numbers PyTorch trains.
  let numbers: Int
  private(set) var name = ""

  private enum CodingKeys: String, CodingKey {
    case shape, x, target, learningRate, losses, numbers
  }

  var testDescription: String { name }

  static let all: [ArrayKindCase] = {
    let url = ExportedNetwork.source.appending(path: "kinds.json")
    guard let data = try? Data(contentsOf: url),
      let table = try? JSONDecoder().decode([String: ArrayKindCase].self, from: data)
    else { preconditionFailure("\(url.path) is no table") }
    return table.map { name, one in
      var one = one
      one.name = name
      return one
    }.sorted { $0.name < $1.name }
  }()

  static func named(_ name: String) throws -> ArrayKindCase {
    try #require(all.first { $0.name == name })
  }

  static func path(_ name: String) -> String {
    ExportedNetwork.source.appending(path: "kinds/\(name).onnx").path(percentEncoded: false)
  }

  /// The input, as the network takes it.
  var input: Tensor {
    name.hasPrefix("tied-head") || name.hasPrefix("copied-head")
      ? Tensor(x.map { Int64($0) }, shape: Shape(shape)) : Tensor(x, shape: Shape(shape))
  }

  func model() throws -> Model {
    try Model(onnx: Self.path(name), engine: Engine(threadCount: 1))
  }
}

@Suite struct `The arrays of a file, by what it says of them` {
  /// Files that can't be trained as the network, with how many numbers they have more than it.
  static let differences: [String: (numbers: Int, reason: String)] = [
    "cosine-dynamo": (-1, computed), "pooled-dynamo": (-1, computed),
    "pooled-legacy": (-1, "the exporter wrote the bound as a number of its own"),
    "input-scales-legacy": (-10, "a scale of the input may be a normalisation's"),
    "filters-legacy": (40, "the older exporter doesn't say what is a buffer"),
    "gates-dynamo": (-2, "the exporter leaves out what multiplies by 1"),
    "encoder-legacy": (
      -384, "weights that the exporter transposed first and merged then stay tied"
    ),
    "masked-dynamo": (0, folded), "masked-legacy": (0, folded),
    "cosine-legacy": (3, "the exporter has computed the norms of a weight, and keeps the weight"),
    "spectral-dynamo": (0, folded),
    "spectral-legacy": (
      0, "PyTorch takes a step of the power iteration with each of the network's"
    ),
  ]

  private static let computed = "the exporter has computed with a number that is learned"
  private static let folded = "the exporter has computed with a weight"

  @Test(arguments: ArrayKindCase.all.filter { differences[$0.name] == nil })
  func `train as in PyTorch`(_ wanted: ArrayKindCase) throws {
    let model = try wanted.model()
    let step = try TrainingStep(
      model, [wanted.input], target: Tensor(wanted.target), loss: .crossEntropy())
    for loss in wanted.losses {
      let got = try step.take(rate: wanted.learningRate)
      #expect(abs(Double(got) - loss) <= 2e-5, "\(got), not \(loss)")
    }
  }

  @Test(arguments: ArrayKindCase.all)
  func `have as many numbers as the network, but for those of a list`(_ wanted: ArrayKindCase)
    throws
  {
    let template = try ONNXTemplate(path: ArrayKindCase.path(wanted.name))
    let numbers = template.sample.variables.filter { $0.role != nil }
      .reduce(0) { $0 + $1.type.shape.elementCount }
    #expect(numbers == wanted.numbers + (Self.differences[wanted.name]?.numbers ?? 0))
  }

  /// The notes of files, those about arrays.
  static let notes: [(file: String, notes: [TrainingReadiness.Note])] = [
    ("tied-autoencoder-dynamo", [.rearranged([.init(name: "W", copy: "permute")])]),
    ("tied-head-dynamo", [.rearranged([.init(name: "e.weight", copy: "val_2")])]),
    ("tied-head-legacy", [.rearranged([.init(name: "e.weight", copy: "onnx::MatMul_13")])]),
    ("copied-head-dynamo", [.rearrangedApart([.init(name: "e.weight", copy: "val_2")])]),
    ("copied-decoder-legacy", [.rearrangedApart([.init(name: "e.weight", copy: "d.weight")])]),
    (
      "scales-dynamo",
      [
        .unmerged([.init(name: "a", copies: ["a", "a.untied2", "a.untied3"])]),
        .tied(names: ["a"], uses: 2),
      ]
    ),
    ("input-scales-dynamo", []),
    ("input-scales-legacy", [.fixed(names: ["alpha", "beta"], .inputNormalization)]),
    ("filters-dynamo", [.fixed(names: ["edges", "hadamard", "prior", "scale"], .buffer)]),
    (
      "filters-legacy",
      [
        .assumed(names: ["edges", "hadamard"], .pattern),
        .assumed(names: ["prior", "scale"], .outputScaling),
      ]
    ),
    (
      "gates-legacy",
      [
        .unmerged([.init(name: "a", copies: ["a", "a.untied2"])]),
        .assumed(names: ["a"], .scalar),
      ]
    ),
    ("gates-dynamo", [.leftOut(names: ["a", "b"])]),
    ("masked-dynamo", [.assumed(names: ["val_0"], .computed)]),
    ("masked-legacy", [.assumed(names: ["onnx::MatMul_14"], .zeros)]),
    ("spectral-dynamo", [.assumed(names: ["div"], .computed)]),
    (
      "spectral-legacy",
      [
        .tied(names: ["0.weight_orig"], uses: 2),
        .fixed(names: ["0.weight_u", "0.weight_v"], .powerIteration),
      ]
    ),
    (
      "cosine-dynamo",
      [.fixed(names: ["exp"], .computedScalar), .assumed(names: ["permute"], .computed)]
    ),
    ("pooled-dynamo", [.fixed(names: ["mul_12", "exp"], .computedScalar)]),
    (
      "pooled-legacy",
      [
        .tied(names: ["p"], uses: 2), .fixed(names: ["onnx::Clip_29"], .computedScalar),
        .assumed(names: ["p", "log_scale"], .scalar),
      ]
    ),
    (
      "pooled-training",
      [.tied(names: ["p"], uses: 2), .assumed(names: ["bound", "p", "log_scale"], .scalar)]
    ),
  ]

  @Test(arguments: notes)
  func `are named in notes where it says too little`(
    file: String, notes: [TrainingReadiness.Note]
  ) throws {
    #expect(try ONNXTemplate(path: ArrayKindCase.path(file)).readiness.notes == notes)
  }

  @Test(arguments: ["encoder-dynamo", "encoder-legacy"])
  func `are told apart where layers are copies`(file: String) throws {
    let notes = try ONNXTemplate(path: ArrayKindCase.path(file)).readiness.notes
    let copies = notes.flatMap { note in
      if case .unmerged(let arrays) = note { arrays.map(\.name) } else { [] as [String] }
    }
    #expect(copies.contains("t.layers.0.self_attn.out_proj.weight"), "\(notes)")
  }

  @Test(arguments: [
    ("tied-autoencoder-dynamo", "W", "permute"),
    ("tied-head-legacy", "e.weight", "onnx::MatMul_13"),
  ])
  func `go back as the same graph, a tied weight in both arrangements`(
    file: String, name: String, copy: String
  ) throws {
    let wanted = try ArrayKindCase.named(file)
    let model = try wanted.model()
    let step = try TrainingStep(
      model, [wanted.input], target: Tensor(wanted.target), loss: .crossEntropy())
    try step.take(rate: wanted.learningRate)
    let folder = try TemporaryFolder()
    let path = folder.path + "/trained.onnx"
    try model.exportONNX(to: path)
    let (before, after) = try (ModelProto(path: ArrayKindCase.path(file)), ModelProto(path: path))
    #expect(after.graph.nodes.map(\.inputs) == before.graph.nodes.map(\.inputs))
    func tensor(_ name: String, _ proto: ModelProto) throws -> Tensor {
      try TensorReader(proto).tensor(
        try #require(proto.graph.initializers.first { $0.name == name }))
    }
    let (original, turned) = try (tensor(name, after), tensor(copy, after))
    #expect(try tensor(name, before) != original)
    let (rows, columns) = (original.shape[0], original.shape[1])
    #expect(turned.shape == [columns, rows])
    let (a, b) = (original.array(as: Float.self), turned.array(as: Float.self))
    for row in 0..<rows {
      for column in 0..<columns { #expect(a[row * columns + column] == b[column * rows + row]) }
    }
    #expect(
      try Model(onnx: path).predict([wanted.input]) == model.predict([wanted.input]))
  }
}
