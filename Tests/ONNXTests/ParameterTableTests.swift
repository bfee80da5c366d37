import CrestGraph
import CrestLayers
import CrestONNX
import CrestRuntime
import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// What `onnx-parameters/make_networks.py` found of each network that it exported.
struct ExportedNetwork: Decodable, CustomTestStringConvertible {
  let arrays: [String: String]?
  /// How many numbers a new network's parameters have.
  let untouched: Int?
  private(set) var name = ""

  private enum CodingKeys: String, CodingKey { case arrays, untouched }

  var testDescription: String { name }

  /// The arrays that consist of parameters.
  var parameters: Set<String> {
    Set((arrays ?? [:]).filter { $0.value == "parameter" }.keys)
  }

  static let source = URL(filePath: Fixtures.onnx).deletingLastPathComponent()
    .appending(path: "onnx-parameters")

  private static let all: [ExportedNetwork] = {
    let url = source.appending(path: "table.json")
    guard let data = try? Data(contentsOf: url),
      let table = try? JSONDecoder().decode([String: ExportedNetwork].self, from: data)
    else { preconditionFailure("\(url.path) is no table") }
    return table.map { name, network in
      var network = network
      network.name = name
      return network
    }.sorted { $0.name < $1.name }
  }()

  static let trained = all.filter { $0.arrays != nil }
  static let new = all.filter { $0.untouched != nil }

  /// The model with random numbers in the place of the weights that were cut out.
  func template() throws -> ONNXTemplate {
    let folder = try TemporaryFolder()
    try folder.write(Self.weights, to: "weights.data")
    let file = Self.source.appending(path: name + ".onnx").path(percentEncoded: false)
    try folder.write(fileBytes(file), to: name + ".onnx")
    return try ONNXTemplate(path: folder.path + "/\(name).onnx")
  }

  private static let weights: [UInt8] = {
    let random = Philox(seed: 13, stream: 0)
    let numbers = (0..<UInt64(weightLimit)).map { random.uniform($0) - 0.5 }
    return numbers.withUnsafeBytes { [UInt8]($0) }
  }()

  private static let weightLimit = 1 << 16
}

@Suite struct `The arrays of a network that PyTorch exported` {
  /// Arrays about which a file can't tell, and which the rule decides otherwise than the network.
  static let exceptions: [String: (arrays: Set<String>, reason: String)] = [
    "frozen-normalization-dynamo": (["mul_2", "sub_1"], folded),
    "frozen-normalization-legacy": (["onnx::Mul_37", "onnx::Add_39"], folded),
    "state-space-dynamo": (["mul"], "the exporter has computed 0 · rates: zeros without a name"),
    "squeeze-excite-dynamo": (
      ["mul_28"], "the exporter has computed 1 / p: one number without a name, as a setting's"
    ),
  ]

  private static let folded =
    "the exporter has computed a scale and a shift from buffers, and leaves their names out"

  /// Files of new networks that have more numbers, or fewer, than the network.
  static let differences: [String: (numbers: Int, reason: String)] = [
    "albert-fresh-dynamo": (
      -36, "the exporter has cut the table of places to the length of the example"
    ),
    "convnext-fresh-dynamo": (-52, zeros),
    "vit-fresh-dynamo": (-52, zeros),
    "stack-fresh-dynamo": (-552, "layers that are copies stay tied; " + zeros),
    "tied-fresh-dynamo": (88, "the exporter has stored the embedding once more, transposed"),
  ]

  private static let zeros = "the exporter leaves out biases of products that are zero"

  @Test func `are those of 60 networks at least, by both exporters`() {
    #expect(ExportedNetwork.trained.count >= 60)
    for exporter in ["-dynamo", "-legacy"] {
      #expect(ExportedNetwork.trained.count { $0.name.hasSuffix(exporter) } >= 30)
    }
  }

  @Test(arguments: ExportedNetwork.trained)
  func `are trained where they are parameters, and nowhere else`(_ network: ExportedNetwork) throws
  {
    let template = try network.template()
    let trained = Set(template.sample.variables.filter { $0.role != nil }.map(\.name))
    let known = Self.exceptions[network.name]?.arrays ?? []
    #expect(
      trained.symmetricDifference(network.parameters) == known,
      "too many: \(trained.subtracting(network.parameters).sorted()), too few: \(network.parameters.subtracting(trained).sorted())"
    )
  }

  @Test(arguments: ExportedNetwork.new)
  func `are as many as a new network's parameters, though the exporter merged equal ones`(
    _ network: ExportedNetwork
  ) throws {
    let wanted = try #require(network.untouched) + (Self.differences[network.name]?.numbers ?? 0)
    let trained = try network.template().sample.variables.filter { $0.role != nil }
    let numbers = trained.reduce(0) { $0 + $1.type.shape.elementCount }
    #expect(numbers == wanted, "\(trained.map { "\($0.name) \($0.type.shape)" })")
  }
}
