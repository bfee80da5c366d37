import CrestONNX
import CrestTensor

/// What a model holds, in the words of `make_wire.py`.
struct ModelSummary: Codable, Equatable {
  var ir: Int64
  var opsets: [String]
  var producer: String
  var metadata: [String]
  var functions: [String]
  var graph: String
  var graphInputs: [String]
  var graphOutputs: [String]
  var values: [String]
  var initializers: [String]
  var sparseInitializers: [String]
  var tensors: [String] = []
  var nodes = 0
  var inputs = 0
  var outputs = 0
  var attributes = 0
  var ints = 0
  var floats = 0
  var strings = 0
  var operations = ""

  init(_ model: ModelProto) throws {
    let reader = TensorReader(model)
    ir = model.irVersion
    opsets = model.opsets.map { "\($0.domain):\($0.version)" }
    producer = "\(model.producerName) \(model.producerVersion)"
    metadata = model.metadata.map { "\($0.key)=\($0.value)" }
    functions = model.functions.map { "\($0.domain).\($0.name).\($0.overload)" }
    graph = model.graph.name
    graphInputs = model.graph.inputs.map(Self.text)
    graphOutputs = model.graph.outputs.map(Self.text)
    values = model.graph.values.map(Self.text)
    initializers = try model.graph.initializers.map { try Self.text($0, reader) }
    sparseInitializers = model.graph.sparseInitializers.map(\.name)
    var operationCounts: [String: Int] = [:]
    for nodes in [model.graph.nodes] + model.functions.map(\.nodes) {
      try add(nodes, reader, &operationCounts)
    }
    operations = operationCounts.sorted {
      $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars)
    }
    .map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }

  private mutating func add(
    _ more: [NodeProto], _ reader: TensorReader, _ operationCounts: inout [String: Int]
  ) throws {
    for node in more {
      nodes += 1
      inputs += node.inputs.count
      outputs += node.outputs.count
      attributes += node.attributes.count
      operationCounts[node.operation, default: 0] += 1
      for attribute in node.attributes {
        switch attribute.value {
        case .ints(let list): ints += list.count
        case .floats(let list): floats += list.count
        case .strings(let list): strings += list.count
        case .tensor(let tensor): tensors.append(try Self.text(tensor, reader))
        case .tensors(let list): tensors += try list.map { try Self.text($0, reader) }
        case .graph(let graph): try add(graph.nodes, reader, &operationCounts)
        case .graphs(let list):
          for graph in list { try add(graph.nodes, reader, &operationCounts) }
        case .float, .int, .string, .sparseTensor, .sparseTensors, .type, .types, .reference: break
        }
      }
    }
  }

  private static func text(_ proto: TensorProto, _ reader: TensorReader) throws -> String {
    var checksum = "None"
    if proto.dataType.elementType != nil {
      checksum = try "\(reader.tensor(proto).withUnsafeBytes { crc32($0) })"
    }
    return "\(proto.name): \(proto.dataType.name) \(proto.shape) \(checksum)"
  }

  private static func text(_ value: ValueInfoProto) -> String {
    switch value.type {
    case .unknown: "\(value.name): unknown"
    case .other(let name): "\(value.name): \(name)"
    case .tensor(let type, nil): "\(value.name): \(type.name) ?"
    case .tensor(let type, let sizes?):
      "\(value.name): \(type.name) [\(sizes.map(text).joined(separator: ", "))]"
    }
  }

  private static func text(_ dimension: DimensionProto) -> String {
    switch dimension {
    case .unknown: "_"
    case .size(let size): "\(size)"
    case .parameter(let name): name
    }
  }

  /// The summary with each list as its length and checksum, as in `models.json`.
  var digest: [String: String] {
    let numbers = [
      "ir": Int(ir), "nodes": nodes, "inputs": inputs, "outputs": outputs,
      "attributes": attributes, "ints": ints, "floats": floats, "strings": strings,
    ]
    let lists = [
      "opsets": opsets, "metadata": metadata, "functions": functions, "graphInputs": graphInputs,
      "graphOutputs": graphOutputs, "values": values, "initializers": initializers,
      "sparseInitializers": sparseInitializers, "tensors": tensors,
    ]
    var digest = ["producer": producer, "graph": graph, "operations": operations]
    for (key, number) in numbers { digest[key] = "\(number)" }
    for (key, list) in lists {
      let checksum = Array(list.joined(separator: "\n").utf8).withUnsafeBytes { crc32($0) }
      digest[key] = "\(list.count) lines, \(checksum)"
    }
    return digest
  }
}

/// The CRC-32 of zlib and PNG: reflected polynomial 0xEDB88320.
func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
  ~bytes.reduce(~UInt32(0)) { checksum, byte in
    crcTable[Int(UInt8(truncatingIfNeeded: checksum) ^ byte)] ^ (checksum >> 8)
  }
}

private let crcTable: [UInt32] = (0..<256).map { byte in
  (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
  }
}
