/// The version of a set of operations that a model uses.
package struct OperatorSet: Hashable, Sendable {
  /// Empty for ONNX's own.
  package var domain: String
  package var version: Int64

  package init(domain: String = "", version: Int64) {
    self.domain = domain
    self.version = version
  }
}

/// A key and its value (ONNX `StringStringEntryProto`).
package struct MetadataEntry: Hashable, Sendable {
  package var key: String
  package var value: String

  package init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

/// A model as its file describes it (ONNX `ModelProto`), over the bytes it came from.
///
/// Reading it checks all of the structure, and looks at no tensor's elements. Which operations,
/// opsets and IR versions are understood is the importer's business.
package struct ModelProto: Sendable {
  package let source: ByteSource
  package fileprivate(set) var irVersion: Int64 = 0
  package fileprivate(set) var opsets: [OperatorSet] = []
  package fileprivate(set) var producerName = ""
  package fileprivate(set) var producerVersion = ""
  package fileprivate(set) var domain = ""
  package fileprivate(set) var modelVersion: Int64 = 0
  package fileprivate(set) var graph: GraphProto
  package fileprivate(set) var metadata: [MetadataEntry] = []
  package fileprivate(set) var functions: [FunctionProto] = []
  /// Whether there is `training_info`: graphs that initialise and train, which nothing here runs.
  package fileprivate(set) var hasTrainingInfo = false

  /// The model in the file at `path`.
  package init(path: String, limits: WireLimits = .standard) throws(ONNXError) {
    try self.init(source: ByteSource(path: path, limit: limits.modelByteCount), limits: limits)
  }

  /// The model in `bytes`, called `name` in messages.
  package init(
    bytes: [UInt8], name: String, limits: WireLimits = .standard
  ) throws(ONNXError) {
    let source = bytes.withUnsafeBytes { ByteSource($0, name: name) }
    try self.init(source: source, limits: limits)
  }

  /// The model in `source`.
  package init(source: ByteSource, limits: WireLimits = .standard) throws(ONNXError) {
    do throws(WireFault) {
      self = try source.withBytes { (bytes) throws(WireFault) in
        guard bytes.count <= limits.modelByteCount else {
          throw WireFault(at: 0, limit: "\(limits.modelByteCount) bytes")
        }
        var parser = MessageParser(bytes, limits: limits)
        return try parser.model(source)
      }
    } catch {
      throw error.error(in: source.name)
    }
  }

  fileprivate init(source: ByteSource, graph: GraphProto) {
    self.source = source
    self.graph = graph
  }
}

extension OperatorSet: WireMessage {
  static func read(
    _ span: WireSpan, depth: Int, by parser: inout MessageParser
  ) throws(WireFault) -> OperatorSet { try parser.operatorSet(span, depth: depth) }
}

extension MetadataEntry: WireMessage {
  static func read(
    _ span: WireSpan, depth: Int, by parser: inout MessageParser
  ) throws(WireFault) -> MetadataEntry { try parser.entry(span, depth: depth) }
}

extension MessageParser {
  fileprivate mutating func model(_ source: ByteSource) throws(WireFault) -> ModelProto {
    let whole = 0..<bytes.count
    let none = WireSpan(start: 0, bodyStart: 0, end: 0)
    var model = ModelProto(source: source, graph: GraphProto(span: none))
    var hasVersion = false
    var hasGraph = false
    var fields = try fields(in: whole, depth: 1, singular: [1, 2, 3, 4, 5, 6, 7])
    while let field = try fields.next() {
      switch field.number {
      case 1:
        model.irVersion = try integer(field, "ir_version")
        hasVersion = true
      case 2: model.producerName = try text(field, "producer_name")
      case 3: model.producerVersion = try text(field, "producer_version")
      case 4: model.domain = try text(field, "domain")
      case 5: model.modelVersion = try integer(field, "model_version")
      case 7:
        model.graph = try message(field, "graph", depth: 1)
        hasGraph = true
      case 8: try append(field, "opset_import", to: &model.opsets, depth: 1)
      case 14: try append(field, "metadata_props", to: &model.metadata, depth: 1)
      case 20:
        _ = try body(field, "training_info")
        model.hasTrainingInfo = true
      case 25: try append(field, "functions", to: &model.functions, depth: 1)
      default: break
      }
    }
    for (isThere, name) in [(hasVersion, "ir_version"), (hasGraph, "graph")] where !isThere {
      throw WireFault(at: 0, expected: "the field \(name)", got: "none")
    }
    return model
  }

  fileprivate mutating func operatorSet(_ span: WireSpan, depth: Int) throws(WireFault)
    -> OperatorSet
  {
    try count(.entries, at: span.start)
    var set = OperatorSet(version: 0)
    var fields = try fields(in: span.body, depth: depth, singular: [1, 2])
    while let field = try fields.next() {
      switch field.number {
      case 1: set.domain = try text(field, "domain")
      case 2: set.version = try integer(field, "version")
      default: break
      }
    }
    return set
  }

  fileprivate mutating func entry(_ span: WireSpan, depth: Int) throws(WireFault) -> MetadataEntry {
    try count(.entries, at: span.start)
    var entry = MetadataEntry(key: "", value: "")
    var fields = try fields(in: span.body, depth: depth, singular: [1, 2])
    while let field = try fields.next() {
      switch field.number {
      case 1: entry.key = try text(field, "key")
      case 2: entry.value = try text(field, "value")
      default: break
      }
    }
    return entry
  }
}
