import CrestONNX

/// A file whose bytes are no well-formed model, or whose tensors' bytes are none of their types.
package struct MalformedModel: Sendable {
  package let name: String
  package let bytes: [UInt8]

  init(_ name: String, _ bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }

  /// A file of these fields, which are those of `ModelProto`.
  static func model(_ name: String, _ fill: (inout WireContent) -> Void) -> MalformedModel {
    var content = WireContent()
    fill(&content)
    return MalformedModel(name, bytes(of: content))
  }

  /// A model with these fields of `GraphProto`.
  static func graph(_ name: String, _ fill: (inout WireContent) -> Void) -> MalformedModel {
    model(name) { model in
      model.append(1, integer: 8)
      model.append(7, message: fill)
    }
  }

  /// A model with an attribute of these fields, after its name.
  static func attribute(_ name: String, _ fill: (inout WireContent) -> Void) -> MalformedModel {
    graph(name) { graph in
      graph.append(1) { node in
        node.append(4, text: "Relu")
        node.append(5) { attribute in
          attribute.append(1, text: "a")
          fill(&attribute)
        }
      }
    }
  }

  /// A model with one initializer of these fields.
  static func initializer(
    _ name: String, _ fill: (inout WireContent) -> Void
  ) -> MalformedModel {
    graph(name) { $0.append(5, message: fill) }
  }

  /// The bytes of content that reads no file, which can't fail.
  static func bytes(of content: WireContent) -> [UInt8] {
    do {
      return try content.bytes()
    } catch {
      preconditionFailure("\(error)")
    }
  }
}

extension MalformedModel {
  /// The whole table.
  package static let all =
    wire + wrongTypes + twice + structure + attributes + tensors + elements + limits

  // MARK: The wire form

  private static let wire: [MalformedModel] = [
    .init("no bytes", []),
    .init("a tag alone", [0x08]),
    .init("a varint cut short", [0x08, 0x80, 0x80]),
    .init("a varint of 11 bytes", [0x08] + [UInt8](repeating: 0x80, count: 10) + [0]),
    .init("a varint of 65 bits", [0x08] + [UInt8](repeating: 0xFF, count: 9) + [2]),
    .init("field number 0", [0x00, 0x00]),
    .init("a tag of 33 bits", [0x88, 0x80, 0x80, 0x80, 0x10, 0]),
    .init("the start of a group", [0x0B, 0x08, 0x01, 0x0C]),
    .init("the end of a group", [0x0C]),
    .init("wire type 6", [0x0E, 0]),
    .init("wire type 7", [0x0F, 0]),
    .init("a length beyond the file", [0x3A, 0x05, 0x08]),
    .init("a length of 2^63", [0x3A] + [UInt8](repeating: 0x80, count: 9) + [1]),
    .init("a length of 2^64 - 1", [0x3A] + [UInt8](repeating: 0xFF, count: 9) + [1]),
    .init("a length cut short", [0x3A, 0x80]),
    .init("four fixed bytes cut short", [0xF5, 0x3F, 1, 2, 3]),
    .init("eight fixed bytes cut short", [0xF1, 0x3F, 1, 2, 3, 4, 5, 6, 7]),
    .init("a node longer than its graph", [0x08, 0x08, 0x3A, 0x03, 0x0A, 0x04, 0x22, 0x01, 0x41]),
    .init("text", Array("This is no model.".utf8)),
    .init("JSON", Array("{\"graph\": {}}".utf8)),
    .init("a ZIP archive", [0x50, 0x4B, 0x03, 0x04, 0x14, 0, 0, 0, 8, 0]),
    .init("a pickle", [0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20]),
    .init("zeros", [UInt8](repeating: 0, count: 1000)),
    .init("ones", [UInt8](repeating: 0xFF, count: 1000)),
  ]

  /// For each message the way to it, and its fields by number, name and form.
  private struct Message {
    let path: String
    let enclosing: [Int]
    let numbers: [Int]
    let messages: [Int]
  }

  private static let messages = [
    Message(
      path: "model", enclosing: [], numbers: [1, 5], messages: [2, 3, 4, 7, 8, 14, 20, 25]),
    Message(path: "operator set", enclosing: [8], numbers: [2], messages: [1]),
    Message(path: "metadata", enclosing: [14], numbers: [], messages: [1, 2]),
    Message(
      path: "function", enclosing: [25], numbers: [], messages: [1, 4, 5, 6, 7, 9, 10, 11, 13]),
    Message(path: "graph", enclosing: [7], numbers: [], messages: [1, 2, 5, 11, 12, 13, 15]),
    Message(path: "node", enclosing: [7, 1], numbers: [], messages: [1, 2, 3, 4, 5, 7, 8]),
    Message(
      path: "attribute", enclosing: [7, 1, 5], numbers: [3, 20],
      messages: [1, 4, 5, 6, 9, 10, 11, 14, 15, 21, 22, 23]),
    Message(path: "tensor", enclosing: [7, 5], numbers: [2, 14], messages: [6, 8, 9, 13]),
    Message(path: "sparse tensor", enclosing: [7, 15], numbers: [], messages: [1, 2]),
    Message(path: "value", enclosing: [7, 11], numbers: [], messages: [1, 2]),
    Message(path: "type", enclosing: [7, 11, 2], numbers: [], messages: [1, 4, 5, 7, 8, 9]),
    Message(path: "tensor type", enclosing: [7, 11, 2, 1], numbers: [1], messages: [2]),
    Message(path: "shape", enclosing: [7, 11, 2, 1, 2], numbers: [], messages: [1]),
    Message(path: "dimension", enclosing: [7, 11, 2, 1, 2, 1], numbers: [1], messages: [2]),
  ]

  /// Each known field in a form that it doesn't have.
  private static let wrongTypes: [MalformedModel] =
    messages.flatMap { message in
      message.numbers.map { number in
        wrapped("\(message.path), field \(number) as bytes", message.enclosing) { content in
          content.append(number, text: "1")
        }
      }
        + message.messages.map { number in
          wrapped("\(message.path), field \(number) as a number", message.enclosing) { content in
            content.append(number, integer: 1)
          }
        }
    }

  private static let wrongNumbers: [MalformedModel] = [
    wrapped("attribute, f as a number", [7, 1, 5]) { $0.append(2, integer: 1) },
    wrapped("attribute, floats as a number", [7, 1, 5]) { $0.append(7, integer: 1) },
    wrapped("attribute, ints as a float", [7, 1, 5]) { $0.append(8, float: 1) },
    wrapped("tensor, dims as a float", [7, 5]) { $0.append(1, float: 1) },
    wrapped("tensor, float_data as a number", [7, 5]) { $0.append(4, integer: 1) },
    wrapped("tensor, int32_data as a float", [7, 5]) { $0.append(5, float: 1) },
    wrapped("tensor, int64_data as a float", [7, 5]) { $0.append(7, float: 1) },
    wrapped("tensor, double_data as a float", [7, 5]) { $0.append(10, float: 1) },
    wrapped("tensor, uint64_data as a float", [7, 5]) { $0.append(11, float: 1) },
  ]

  /// Fields that may stand once, twice.
  private static let twice: [MalformedModel] = [
    wrapped("ir_version twice", []) { content in
      content.append(1, integer: 8)
      content.append(1, integer: 8)
    },
    wrapped("two graphs", []) { content in
      content.append(7) { $0.append(2, text: "a") }
      content.append(7) { $0.append(2, text: "b") }
    },
    wrapped("a node with two operations", [7, 1]) { content in
      content.append(4, text: "Relu")
      content.append(4, text: "Exp")
    },
    wrapped("a tensor with two raw_data", [7, 5]) { content in
      content.append(9, text: "1234")
      content.append(9, text: "5678")
    },
    wrapped("a tensor with two types", [7, 5]) { content in
      content.append(2, integer: 1)
      content.append(2, integer: 7)
    },
    wrapped("a size and a name for a dimension", [7, 11, 2, 1, 2, 1]) { content in
      content.append(1, integer: 8)
      content.append(2, text: "N")
    },
    wrapped("a tensor and a sequence as a type", [7, 11, 2]) { content in
      content.append(1) { _ in }
      content.append(4) { _ in }
    },
  ]

  private static func wrapped(
    _ name: String, _ enclosing: [Int], _ fill: (inout WireContent) -> Void
  ) -> MalformedModel {
    var content = WireContent()
    fill(&content)
    for number in enclosing.reversed() {
      var outer = WireContent()
      outer.append(number, message: content)
      content = outer
    }
    return .init(name, bytes(of: content))
  }

  // MARK: What must be there

  private static let structure: [MalformedModel] = [
    .model("no graph", { $0.append(1, integer: 8) }),
    .model("no ir_version", { $0.append(7) { _ in } }),
    .graph("a node without operation", { $0.append(1) { $0.append(1, text: "x") } }),
    .graph("an input without name", { $0.append(11) { _ in } }),
    .model(
      "a function without name",
      { model in
        model.append(1, integer: 8)
        model.append(7) { _ in }
        model.append(25) { $0.append(10, text: "d") }
      }),
    .graph("a name that isn't UTF-8", { $0.append(2, bytes: [0x61, 0xC3, 0x28]) }),
    .graph("an overlong UTF-8 form", { $0.append(2, bytes: [0xC0, 0xAF]) }),
    .graph("a surrogate in UTF-8", { $0.append(2, bytes: [0xED, 0xA0, 0x80]) }),
    .graph("a sparse tensor without values", { $0.append(15) { $0.append(3, integer: 4) } }),
    .graph(
      "a sparse tensor of negative size",
      { graph in
        graph.append(15) { sparse in
          sparse.append(1) { tensor in
            tensor.append(1, integer: 0)
            tensor.append(2, integer: 1)
          }
          sparse.append(3, integer: -1)
        }
      }),
    .graph(
      "an element type of 33 bits",
      { $0.append(11) { $0.append(2) { $0.append(1) { $0.append(1, integer: 1 << 32) } } } }),
  ]

  // MARK: Attributes

  private static let attributes: [MalformedModel] = [
    .graph(
      "an attribute without name",
      { graph in
        graph.append(1) { node in
          node.append(4, text: "Relu")
          node.append(5) { $0.append(3, integer: 1) }
        }
      }),
    .attribute("no type and no value", { _ in }),
    .attribute("type 99", { $0.append(20, integer: 99) }),
    .attribute("type -1", { $0.append(20, integer: -1) }),
    .attribute("type 99 with a value") { content in
      content.append(3, integer: 1)
      content.append(20, integer: 99)
    },
    .attribute("a float that is an int") { content in
      content.append(3, integer: 1)
      content.append(20, integer: 1)
    },
    .attribute("ints that are a string") { content in
      content.append(4, text: "1")
      content.append(20, integer: 7)
    },
    .attribute("a float and an int") { content in
      content.append(2, float: 1)
      content.append(3, integer: 1)
    },
    .attribute("a tensor that isn't there", { $0.append(20, integer: 4) }),
    .attribute("a graph that isn't there", { $0.append(20, integer: 5) }),
    .attribute("a reference and a value") { content in
      content.append(3, integer: 1)
      content.append(21, text: "outer")
    },
    .attribute("packed ints cut short", { $0.append(8, bytes: [1, 0x80]) }),
    .attribute("packed ints of 11 bytes") { content in
      content.append(8, bytes: [UInt8](repeating: 0x80, count: 10) + [0])
    },
    .attribute("packed floats of 5 bytes", { $0.append(7, bytes: [1, 2, 3, 4, 5]) }),
    .attribute("a bad tensor in a list") { content in
      content.append(10) { tensor in
        tensor.append(1, integer: -1)
        tensor.append(2, integer: 1)
      }
    },
    .attribute("a bad node in a branch") { content in
      content.append(6) { $0.append(1) { $0.append(1, text: "x") } }
    },
  ]

  // MARK: Tensors

  /// A tensor of a type and a shape, and more fields.
  private static func tensor(
    _ name: String, type: Int64 = 1, _ dimensions: [Int64],
    _ fill: (inout WireContent) -> Void = { _ in }
  ) -> MalformedModel {
    initializer(
      name,
      { tensor in
        for size in dimensions { tensor.append(1, integer: size) }
        tensor.append(2, integer: type)
        tensor.append(8, text: "w")
        fill(&tensor)
      })
  }

  private static func external(_ name: String, _ entries: [(String, String)]) -> MalformedModel {
    tensor(name, [4]) { content in
      for (key, value) in entries {
        content.append(13, message: MetadataEntry(key: key, value: value).content)
      }
      content.append(14, integer: 1)
    }
  }

  private static let tensors: [MalformedModel] = [
    .initializer("no type", { $0.append(1, integer: 0) }),
    tensor("type 0", type: 0, [0]),
    tensor("type -1 of a tensor", type: -1, [0]),
    tensor("type 2^40", type: 1 << 40, [0]),
    tensor("a negative size", [-1]) { $0.append(9, bytes: []) },
    tensor("the smallest size", [.min]) { $0.append(9, bytes: []) },
    tensor("a billion elements in 4 bytes", [1_000_000_000]) { $0.append(9, bytes: [0, 0, 0, 0]) },
    tensor("2^120 elements", [1 << 60, 1 << 60]) { $0.append(9, bytes: []) },
    tensor("2^62 elements", [1 << 31, 1 << 31]) { $0.append(9, bytes: []) },
    tensor("2^64 elements behind a zero", [0, 1 << 32, 1 << 32]),
    tensor("no data", [3]),
    tensor("raw data of another size", [3]) { $0.append(9, bytes: [1, 2, 3, 4]) },
    tensor("4 raw bytes for an int64", type: 7, [1]) { $0.append(9, bytes: [1, 2, 3, 4]) },
    tensor("7 raw bytes for an int64", type: 7, [1]) {
      $0.append(9, bytes: [1, 2, 3, 4, 5, 6, 7])
    },
    tensor("raw data of a tensor without elements", [0]) { $0.append(9, bytes: [1]) },
    tensor("too few floats", [3]) { $0.append(4, bytes: [UInt8](repeating: 0, count: 8)) },
    tensor("too many int64", type: 7, [1]) { $0.append(7, bytes: [1, 2]) },
    tensor("too few single int64", type: 7, [2]) { $0.append(7, integer: 1) },
    tensor("too few strings", type: 8, [2]) { $0.append(6, text: "a") },
    tensor("strings as raw data", type: 8, [1]) { $0.append(9, text: "a") },
    tensor("floats of 6 bytes", [1]) { $0.append(4, bytes: [1, 2, 3, 4, 5, 6]) },
    tensor("doubles of 12 bytes", type: 11, [1]) { content in
      content.append(10, bytes: [UInt8](repeating: 0, count: 12))
    },
    tensor("int64 cut short", type: 7, [1]) { $0.append(7, bytes: [0x80]) },
    tensor("floats in int64_data", [1]) { $0.append(7, integer: 1) },
    tensor("int64 in int32_data", type: 7, [1]) { $0.append(5, integer: 1) },
    tensor("int32 in float_data", type: 6, [1]) { $0.append(4, float: 1) },
    tensor("floats and raw data", [1]) { content in
      content.append(4, float: 1)
      content.append(9, bytes: [0, 0, 0, 0])
    },
    tensor("two typed fields", [1]) { content in
      content.append(4, float: 1)
      content.append(5, integer: 1)
    },
    tensor("a segment", [1]) { content in
      content.append(3) { $0.append(1, integer: 0) }
      content.append(4, float: 1)
    },
    tensor("data nowhere and elsewhere", [1]) { $0.append(14, integer: 2) },
    external("no location", [("offset", "0")]),
    external("no entries", []),
    external("two locations", [("location", "a"), ("location", "b")]),
    external("a negative offset", [("location", "a"), ("offset", "-1")]),
    external("an empty offset", [("location", "a"), ("offset", "")]),
    external("an offset in hexadecimal", [("location", "a"), ("offset", "0x10")]),
    external("an offset with a sign", [("location", "a"), ("offset", "+1")]),
    external("an offset of 2^63", [("location", "a"), ("offset", "9223372036854775808")]),
    external("a length of 20 digits", [("location", "a"), ("length", "99999999999999999999")]),
    tensor("data here and in a side file", [1]) { content in
      content.append(9, bytes: [0, 0, 0, 0])
      content.append(13, message: MetadataEntry(key: "location", value: "a").content)
      content.append(14, integer: 1)
    },
  ]

  /// Good descriptions of elements that are none of their type.
  private static let elements: [MalformedModel] = [
    tensor("a raw bool of 2", type: 9, [2]) { $0.append(9, bytes: [1, 2]) },
    tensor("a bool of 2", type: 9, [1]) { $0.append(5, integer: 2) },
    tensor("an int8 of 128", type: 3, [1]) { $0.append(5, integer: 128) },
    tensor("a uint8 of -1", type: 2, [1]) { $0.append(5, integer: -1) },
    tensor("an int16 of -32769", type: 5, [1]) { $0.append(5, integer: -32769) },
    tensor("an int32 of 2^31", type: 6, [1]) { $0.append(5, integer: 1 << 31) },
    tensor("the bits 65536 of a float16", type: 10, [1]) { $0.append(5, integer: 65536) },
    tensor("the bits -1 of a bfloat16", type: 16, [1]) { $0.append(5, integer: -1) },
    tensor("an int64 of 11 bytes", type: 7, [1]) { content in
      content.append(7, bytes: [UInt8](repeating: 0x80, count: 10) + [0])
    },
    tensor("a type that tensors lack", type: 15, [1]) { content in
      content.append(9, bytes: [UInt8](repeating: 0, count: 16))
    },
    tensor("a type that nobody knows", type: 1000, [1]) { $0.append(9, bytes: [0]) },
    tensor("strings", type: 8, [1]) { $0.append(6, text: "a") },
  ]

  // MARK: More than any model has

  private static let limits: [MalformedModel] = [
    nested(21),
    nested(2000),
    tensor("17 dimensions", [Int64](repeating: 1, count: 17)) { $0.append(4, float: 1) },
    tensor("17 packed dimensions", []) { $0.append(1, bytes: [UInt8](repeating: 1, count: 17)) },
    .attribute("a name of a mebibyte and a byte") { content in
      content.append(21, bytes: [UInt8](repeating: 0x61, count: 1 << 20 + 1))
    },
    .graph(
      "a value of 17 dimensions",
      { graph in
        graph.append(11) { value in
          value.append(1, text: "x")
          value.append(2) { $0.append(1) { $0.append(2) { many([0x0A, 0], 17, in: &$0) } } }
        }
      }),
    .graph("too many nodes", { many([0x0A, 3, 0x22, 1, 0x41], 1 << 16 + 1, in: &$0) }),
    .graph("too many tensors", { many([0x2A, 4, 8, 0, 16, 1], 1 << 16 + 1, in: &$0) }),
    .graph("too many values", { many([0x5A, 3, 0x0A, 1, 0x61], 1 << 18 + 1, in: &$0) }),
    .graph(
      "too many names",
      { graph in
        graph.append(1) { many([0x0A, 0], 1 << 19 + 1, in: &$0) }
      }),
    .graph(
      "too many attributes",
      { graph in
        graph.append(1) { many([0x2A, 5, 0x0A, 1, 0x61, 0x18, 1], 1 << 18 + 1, in: &$0) }
      }),
    .attribute(
      "too many ints", { $0.append(8, bytes: [UInt8](repeating: 1, count: 1 << 20 + 1)) }
    ),
    .attribute("too many strings", { many([0x4A, 0], 1 << 20 + 1, in: &$0) }),
    .model("too many entries", { many([0x72, 0], 1 << 16 + 1, in: &$0) }),
    .model(
      "too many functions", { many([0xCA, 1, 3, 0x0A, 1, 0x61], 1 << 12 + 1, in: &$0) }),
  ]

  private static func many(_ field: [UInt8], _ count: Int, in content: inout WireContent) {
    content.append([UInt8]((0..<count).lazy.flatMap { _ in field }))
  }

  /// A graph in a graph in a graph.
  private static func nested(_ count: Int) -> MalformedModel {
    var graph = WireContent()
    graph.append(2, text: "innermost")
    for _ in 0..<count {
      var outer = WireContent()
      outer.append(1) { node in
        node.append(4, text: "If")
        node.append(5) { attribute in
          attribute.append(1, text: "then_branch")
          attribute.append(6, message: graph)
        }
      }
      graph = outer
    }
    return .model(
      "\(count) graphs in each other",
      { model in
        model.append(1, integer: 8)
        model.append(7, message: graph)
      })
  }
}
