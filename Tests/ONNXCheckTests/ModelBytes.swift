/// The bytes of a protobuf message, field by field, so that a model can be wrong in any way a test wants.
struct Message {
  private(set) var bytes: [UInt8] = []

  init(_ fields: [(Int, Field)]) {
    for (number, field) in fields { append(number, field) }
  }

  enum Field {
    case number(Int64)
    case text(String)
    case bytes([UInt8])
    case message([(Int, Field)])
  }

  private mutating func append(_ number: Int, _ field: Field) {
    switch field {
    case .number(let value):
      append(UInt64(number) << 3)
      append(UInt64(bitPattern: value))
    case .text(let text): append(number, Array(text.utf8))
    case .bytes(let bytes): append(number, bytes)
    case .message(let fields): append(number, Message(fields).bytes)
    }
  }

  private mutating func append(_ number: Int, _ content: [UInt8]) {
    append(UInt64(number) << 3 | 2)
    append(UInt64(content.count))
    bytes += content
  }

  private mutating func append(_ varint: UInt64) {
    var rest = varint
    while rest > 0x7F {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

/// A small model; each part can be replaced.
struct SampleModel {
  var irVersion: Int64 = 8
  var opsets: [(domain: String, version: Int64)] = [("", 17)]
  var nodes: [Message.Field] = [Self.node("Relu", ["x"], ["y"])]
  /// Of the value x, which is the input.
  var inputShape: [Int64] = [2, 3]
  /// Fields of the graph, and of the model, beyond these.
  var graphFields: [(Int, Message.Field)] = []
  var modelFields: [(Int, Message.Field)] = []

  var bytes: [UInt8] {
    let graph: [(Int, Message.Field)] =
      nodes.map { (1, $0) }
      + [
        (2, .text("sample")),
        (11, Self.value("x", inputShape.map { .message([(1, .number($0))]) })),
        // The output's sizes are left to inference.
        (12, Self.value("y", inputShape.map { _ in .message([]) })),
      ] + graphFields
    return Message(
      [(1, .number(irVersion)), (7, .message(graph))]
        + opsets.map { (8, .message([(1, .text($0.domain)), (2, .number($0.version))])) }
        + modelFields
    ).bytes
  }

  static func node(
    _ operation: String, _ inputs: [String], _ outputs: [String], domain: String = "",
    attributes: [Message.Field] = []
  ) -> Message.Field {
    .message(
      inputs.map { (1, .text($0)) } + outputs.map { (2, .text($0)) }
        + [(4, .text(operation)), (7, .text(domain))] + attributes.map { (5, $0) })
  }

  static func value(_ name: String, _ dimensions: [Message.Field]) -> Message.Field {
    let shape = Message.Field.message(dimensions.map { (1, $0) })
    let float: Int64 = 1
    return .message([
      (1, .text(name)), (2, .message([(1, .message([(1, .number(float)), (2, shape)]))])),
    ])
  }

  /// An initializer whose data is in a file.
  static func externalTensor(_ name: String, location: String) -> Message.Field {
    let float: Int64 = 1
    let external: Int64 = 1
    return .message([
      (1, .number(4)), (2, .number(float)), (8, .text(name)),
      (13, .message([(1, .text("location")), (2, .text(location))])), (14, .number(external)),
    ])
  }

  /// Functions f0 … f(count - 1) of the domain "local", each of which calls those that `calls` says.
  static func functions(
    _ count: Int, calls: (Int) -> [Int]
  ) -> (domain: String, fields: [(Int, Message.Field)]) {
    let fields = (0..<count).map { index -> (Int, Message.Field) in
      let called = calls(index)
      let names = ["a"] + called.indices.map { $0 == called.count - 1 ? "b" : "t\($0)" }
      let nodes =
        called.isEmpty
        ? [node("Relu", ["a"], ["b"])]
        : called.indices.map { position in
          node("f\(called[position])", [names[position]], [names[position + 1]], domain: "local")
        }
      return (
        25,
        .message(
          [(1, .text("f\(index)")), (4, .text("a")), (5, .text("b"))] + nodes.map { (7, $0) }
            + ["", "local"].map { domain in
              (9, .message([(1, .text(domain)), (2, .number(domain.isEmpty ? 17 : 1))]))
            } + [(10, .text("local"))])
      )
    }
    return ("local", fields)
  }

  /// A model that calls the last of some functions.
  static func callingFunctions(_ count: Int, calls: (Int) -> [Int]) -> SampleModel {
    let functions = functions(count, calls: calls)
    return SampleModel(
      opsets: [("", 17), (functions.domain, 1)],
      nodes: [node("f\(count - 1)", ["x"], ["y"], domain: functions.domain)],
      modelFields: functions.fields)
  }
}
