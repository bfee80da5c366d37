import CrestONNX
import CrestTensor

extension BrokenModel {
  /// The whole table.
  package static let all =
    versions + names + inputs + arities + attributes + constants + control + excess + windows
    + shapes
    + arithmetic + layers + sideFiles

  // MARK: Versions

  private static func opsets(_ name: String, _ sets: OperatorSet...) -> BrokenModel {
    model(name) { $0.opsets = sets }
  }

  private static let versions: [BrokenModel] =
    ([.min, -1, 0, 2, 15, .max] as [Int64]).map { version in
      model("IR \(version)") { $0.irVersion = version }
    }
    + ([.min, -1, 0, 29, .max] as [Int64]).map { opsets("opset \($0)", .init(version: $0)) }
    + [
      opsets("no opset"),
      opsets("an opset of another domain only", .init(domain: "com.example", version: 1)),
      opsets("the default opset twice", .init(version: 17), .init(version: 17)),
      opsets(
        "the default opset by both names", .init(version: 17),
        .init(domain: "ai.onnx", version: 13)),
      opsets(
        "another domain twice", .init(version: 17), .init(domain: "d", version: 1),
        .init(domain: "d", version: 2)),
    ]

  // MARK: Names

  private static func relu(_ input: String, _ output: String) -> NodeDraft {
    NodeDraft("Relu", inputs: [input], outputs: [output])
  }

  private static let names: [BrokenModel] = [
    nodes("a value that nothing defines", [relu("z", "y")]),
    nodes("a value whose name differs in case", [relu("X", "y")]),
    nodes("a value made twice", [relu("x", "y"), relu("x", "y")]),
    nodes("two outputs of one name", [NodeDraft("MaxPool", inputs: ["x"], outputs: ["y", "y"])]),
    nodes("a node that makes an input", [relu("x", "y"), relu("y", "x")]),
    nodes("a node that makes an initializer", [relu("x", "w"), relu("w", "y")], [zeros("w", [2])]),
    nodes("a node that reads what it makes", [relu("y", "y")]),
    nodes("two nodes that wait for each other", [relu("b", "a"), relu("a", "b"), relu("a", "y")]),
    nodes(
      "a cycle of 1,000 nodes",
      (0..<1000).map { relu("v\($0)", "v\(($0 + 1) % 1000)") } + [relu("v5", "y")]),
    nodes("a cycle that no output needs", [relu("x", "y"), relu("b", "a"), relu("a", "b")]),
    nodes("an output that nothing defines", [relu("x", "z")]),
    nodes("an initializer without name", [relu("x", "y")], [zeros("", [1])]),
    nodes("an initializer twice", [relu("x", "y")], [zeros("w", [1]), zeros("w", [1])]),
    model("an input twice") { $0.graph.inputs = [x, x] },
    model("no outputs") { $0.graph.outputs = [] },
    model("an undefined name of a mebibyte") { draft in
      draft.graph.nodes[0].inputs = [String(repeating: "a", count: 1 << 20)]
    },
    model("a name that steers the terminal") { draft in
      draft.graph.nodes[0].inputs = ["\u{1B}[2J\u{7}\r\nError: all is well"]
    },
  ]

  // MARK: Inputs and outputs

  private static func input(
    _ name: String, _ shape: [DimensionProto]?, _ type: TensorDataType = TensorDataType(.float32)
  ) -> BrokenModel {
    model(name) { $0.graph.inputs = [ValueDraft(name: "x", dataType: type, shape: shape)] }
  }

  /// An input that an initializer has a value for, declared otherwise.
  private static func overridden(
    _ name: String, _ type: TensorDataType, _ shape: [DimensionProto]
  ) -> BrokenModel {
    model(name) { draft in
      draft.graph.initializers = [zeros("w", [2, 3])]
      draft.graph.inputs.append(ValueDraft(name: "w", dataType: type, shape: shape))
    }
  }

  private static let inputs: [BrokenModel] = [
    model("no inputs") { draft in
      draft.graph.inputs = []
      draft.graph.initializers = [zeros("x", [2])]
    },
    input("an input of strings", [.unknown], .string),
    input("an input of a type that nobody knows", [.unknown], TensorDataType(rawValue: 99)),
    input("an input without type", [.unknown], .undefined),
    input("an input without shape", nil),
    input("an input of rank 0", []),
    input("an input with an open size", [.unknown, .parameter("length"), .size(0)]),
    input("a batch of 2^40", [.size(1 << 40), .size(1)]),
    input("2^62 elements per example", [.unknown, .size(1 << 31), .size(1 << 31)]),
    input("2^126 elements per example", [.unknown, .size(.max), .size(.max)]),
    input("2^35 elements per example", [.unknown, .size(1 << 35)]),
    model("two batch sizes") { draft in
      let type = TensorDataType(.float32)
      draft.graph.inputs = [
        ValueDraft(name: "x", dataType: type, shape: [.size(2), .size(1)]),
        ValueDraft(name: "z", dataType: type, shape: [.size(3), .size(1)]),
      ]
    },
    overridden("an initializer of another type", TensorDataType(.int64), [.size(2), .size(3)]),
    overridden("an initializer of another rank", TensorDataType(.float32), [.size(6)]),
    overridden("an initializer of another size", TensorDataType(.float32), [.size(2), .size(4)]),
    node(
      "an output without the batch", "ReduceMean", ["x"],
      ["axes": .ints([0]), "keepdims": .int(0)]),
    nodes(
      "an output that is an initializer", [relu("x", "z")], [zeros("y", [4])]),
  ]

  // MARK: Numbers of inputs and outputs

  private static let arities: [BrokenModel] = [
    node("Add of one", "Add"),
    node("Add of three", "Add", ["x", "x", "x"]),
    node("Relu of nothing", "Relu", []),
    node("Relu of two", "Relu", ["x", "x"]),
    node("Relu without its input", "Relu", [""]),
    node("Relu with two outputs", "Relu", outputs: ["y", "z"]),
    node("Relu without outputs", "Relu", outputs: []),
    node("Concat of nothing", "Concat", [], ["axis": .int(0)]),
    node("Concat with a gap", "Concat", ["x", "", "x"], ["axis": .int(0)]),
    node("Conv without filter", "Conv"),
    node("Conv with its filter left out", "Conv", ["x", "", "x"]),
    node("BatchNormalization of four", "BatchNormalization", ["x", "x", "x", "x"]),
    node("LSTM without recurrence", "LSTM", ["x", "x"]),
    node("Where of two", "Where", ["x", "x"]),
    node("Constant with an input", "Constant", ["x"], ["value_float": .float(1)]),
    node("Sum of nothing", "Sum", []),
    node("Slice of two", "Slice", ["x", "x"]),
    node("Dropout with three outputs", "Dropout", outputs: ["y", "m", "n"]),
  ]

  // MARK: Attributes

  private static func reference(_ attribute: String) -> WireContent {
    var content = WireContent()
    content.append(1, text: attribute)
    content.append(20, integer: 1)
    content.append(21, text: "outer")
    return content
  }

  private static let attributes: [BrokenModel] = [
    node("an attribute that Relu lacks", "Relu", ["x"], ["alpha": .float(1)]),
    node(
      "an attribute of an earlier opset", "Reshape", ["x", "s"], ["shape": .ints([2, 64])],
      [integers("s", [2, 64])]),
    node("an integer for a float", "LeakyRelu", ["x"], ["alpha": .int(1)]),
    node("a float for an integer", "Softmax", ["x"], ["axis": .float(1)]),
    node("a text for integers", "Slice", ["x"], ["starts": .string("1")], opset: 9),
    node(
      "floats for integers", "MaxPool", ["x"], ["kernel_shape": .floats([2, 2])]),
    node("an integer for integers", "ReduceMean", ["x"], ["axes": .int(1)]),
    node("integers for a tensor", "Constant", [], ["value": .ints([1])]),
    node("a graph for a float", "Elu", ["x"], ["alpha": .graph(GraphDraft(name: "g"))]),
    model("a tensor for a text") { draft in
      draft.graph.nodes = [
        NodeDraft(
          "Gelu", inputs: ["x"], outputs: ["y"],
          attributes: [("approximate", .tensor(zeros("", [1])))])
      ]
      draft.opsets = [OperatorSet(version: 20)]
    },
    nodes(
      "an attribute twice",
      [
        NodeDraft(
          "Elu", inputs: ["x"], outputs: ["y"],
          attributes: [("alpha", .float(1)), ("alpha", .float(2))])
      ]),
    node("a flag of 2", "ArgMax", ["x"], ["keepdims": .int(2)]),
    node(
      "a flag of 2^63 - 1", "CumSum", ["x", "a"], ["exclusive": .int(.max)], [integers("a", [2])]),
    node(
      "a text that isn't among the known", "Gelu", ["x"], ["approximate": .string("erf")], opset: 20
    ),
    raw("a text that isn't UTF-8") { node in
      node.append(4, text: "Gelu")
      node.append(5) { attribute in
        attribute.append(1, text: "approximate")
        attribute.append(4, bytes: [0xFF, 0xFE])
        attribute.append(20, integer: 3)
      }
    },
    raw("a reference outside of a function") { node in
      node.append(4, text: "Elu")
      node.append(5, message: reference("alpha"))
    },
  ]

  /// A model of one node from x to y with these further fields.
  private static func raw(_ name: String, _ fill: (inout WireContent) -> Void) -> BrokenModel {
    var content = WireContent()
    content.append(1, integer: 8)
    content.append(7) { graph in
      graph.append(1) { node in
        node.append(1, text: "x")
        node.append(2, text: "y")
        fill(&node)
      }
      graph.append(11, message: x.content)
      graph.append(12, message: y.content)
    }
    content.append(8) { $0.append(2, integer: 20) }
    return BrokenModel(name, content)
  }

  // MARK: Constants

  private static let constants: [BrokenModel] = [
    node("Constant without value", "Constant", []),
    node(
      "Constant with two values", "Constant", [], ["value_int": .int(1), "value_float": .float(1)]),
    node("Constant of a text", "Constant", [], ["value_string": .string("a")]),
    nodes(
      "Constant with its value twice",
      [
        NodeDraft(
          "Constant", inputs: [], outputs: ["c"],
          attributes: [("value", .tensor(zeros("", [8]))), ("value", .tensor(zeros("", [8])))]),
        NodeDraft("Add", inputs: ["x", "c"], outputs: ["y"]),
      ]),
    nodes(
      "a trained Constant with an input",
      [
        NodeDraft(
          "Constant", inputs: ["x"], outputs: ["c"],
          attributes: [("value", .tensor(zeros("", [8])))]),
        NodeDraft("Add", inputs: ["x", "c"], outputs: ["y"]),
      ]),
    nodes(
      "a trained Constant with another attribute",
      [
        NodeDraft(
          "Constant", inputs: [], outputs: ["c"],
          attributes: [("value", .tensor(zeros("", [8]))), ("shape", .ints([8]))]),
        NodeDraft("Add", inputs: ["x", "c"], outputs: ["y"]),
      ]),
    sparse("a sparse initializer", dims: [4], indices: [1]),
    sparse("a sparse initializer with an index beyond", dims: [4], indices: [9]),
    sparse("a sparse initializer with a negative index", dims: [4], indices: [-1]),
    sparse("a sparse initializer of 2^40 elements", dims: [1 << 40], indices: [1]),
    initializer("an initializer of complex numbers", type: 14, byteCount: 8),
    initializer("an initializer of 8-bit floats", type: 17, byteCount: 1),
    initializer("an initializer of a type that nobody knows", type: 1000, byteCount: 1),
    initializer("an initializer of bools that are none", type: 9, byteCount: 1, byte: 7),
  ]

  private static func sparse(_ name: String, dims: [Int64], indices: [Int64]) -> BrokenModel {
    var content = WireContent()
    content.append(1, integer: 8)
    content.append(7) { graph in
      graph.append(1, message: relu("x", "y").content)
      graph.append(11, message: x.content)
      graph.append(12, message: y.content)
      graph.append(15) { sparse in
        sparse.append(1, message: zeros("w", [indices.count]).content)
        sparse.append(2, message: integers("", indices).content)
        for size in dims { sparse.append(3, integer: size) }
      }
    }
    content.append(8) { $0.append(2, integer: 17) }
    return BrokenModel(name, content)
  }

  private static func initializer(
    _ name: String, type: Int64, byteCount: Int, byte: UInt8 = 0
  ) -> BrokenModel {
    var content = WireContent()
    content.append(1, integer: 8)
    content.append(7) { graph in
      graph.append(
        1, message: NodeDraft("Add", inputs: ["x", "w"], outputs: ["y"]).content)
      graph.append(11, message: x.content)
      graph.append(12, message: y.content)
      graph.append(5) { tensor in
        tensor.append(1, integer: 1)
        tensor.append(2, integer: type)
        tensor.append(8, text: "w")
        tensor.append(9, bytes: [UInt8](repeating: byte, count: byteCount))
      }
    }
    content.append(8) { $0.append(2, integer: 17) }
    return BrokenModel(name, content)
  }

  // MARK: Operations that aren't built

  private static var branch: GraphDraft {
    var graph = GraphDraft(name: "branch")
    graph.nodes = [relu("x", "z")]
    graph.outputs = [ValueDraft(name: "z", dataType: TensorDataType(.float32), shape: nil)]
    return graph
  }

  /// A model with functions, the first of which makes y.
  private static func functions(_ name: String, _ count: Int, calls: (Int) -> [Int]) -> BrokenModel
  {
    var content = WireContent()
    content.append(1, integer: 8)
    content.append(7) { graph in
      graph.append(
        1, message: NodeDraft("f0", domain: "d", inputs: ["x"], outputs: ["y"]).content)
      graph.append(11, message: x.content)
      graph.append(12, message: y.content)
    }
    for set in [OperatorSet(version: 17), OperatorSet(domain: "d", version: 1)] {
      content.append(8) { message in
        message.append(1, text: set.domain)
        message.append(2, integer: set.version)
      }
    }
    for number in 0..<count {
      content.append(25) { function in
        function.append(1, text: "f\(number)")
        function.append(4, text: "v0")
        let called = calls(number)
        function.append(5, text: "v\(called.count)")
        for (place, other) in called.enumerated() {
          let node = NodeDraft(
            "f\(other)", domain: "d", inputs: ["v\(place)"], outputs: ["v\(place + 1)"])
          function.append(7, message: node.content)
        }
        function.append(10, text: "d")
      }
    }
    return BrokenModel(name, content)
  }

  private static let control: [BrokenModel] = [
    node("an operation that nobody knows", "NoSuchOperation"),
    node("an operation in another case", "relu"),
    node("an operation of a domain that isn't imported", "Foo", domain: "com.example"),
    node("an operation of classical machine learning", "LinearClassifier", domain: "ai.onnx.ml"),
    node("Upsample without inputs", "Upsample", [], ["scales": .floats([1, 1, 2, 2])], opset: 9),
    node("a later operation", "Gelu", opset: 19),
    node("an operation whose name steers the terminal", "\u{1B}[31mRelu"),
    node("If", "If", ["x"], ["then_branch": .graph(branch), "else_branch": .graph(branch)]),
    node("Loop", "Loop", ["x", "x"], ["body": .graph(branch)]),
    node("Scan", "Scan", ["x"], ["body": .graph(branch), "num_scan_inputs": .int(1)]),
    functions("a function", 1) { _ in [] },
    functions("a function that calls itself", 1) { _ in [0] },
    functions("two functions that call each other", 2) { [1 - $0] },
    functions("25 functions that double each other", 25) { $0 < 24 ? [$0 + 1, $0 + 1] : [] },
    nodes(
      "sixty thousand operations that nobody knows",
      (0..<60_000).map { number in
        NodeDraft(
          "NoSuchOperation\(number)", inputs: ["x"], outputs: [number == 0 ? "y" : "v\(number)"])
      }),
  ]

  // MARK: Small files that ask for much

  private static func doubling(_ name: String, _ count: Int, _ operation: String) -> BrokenModel {
    nodes(
      name,
      (0..<count).map { number in
        let value = number == 0 ? "x" : "v\(number)"
        return NodeDraft(
          operation, inputs: [value, value],
          outputs: [number == count - 1 ? "y" : "v\(number + 1)"],
          attributes: operation == "Concat" ? [("axis", .int(1))] : [])
      })
  }

  private static let excess: [BrokenModel] = [
    doubling("40 doublings", 40, "Concat"),
    nodes(
      "70 tiles of tiles",
      (0..<70).map { number in
        NodeDraft(
          "Tile", inputs: [number == 0 ? "x" : "v\(number)", "r"],
          outputs: [number == 69 ? "y" : "v\(number + 1)"])
      }, [integers("r", [1, 2, 1, 1])]),
    nodes(
      "a thousand constants of a million elements, and then a fault",
      (0..<1000).flatMap { number in
        [
          NodeDraft("ConstantOfShape", inputs: ["s"], outputs: ["c\(number)"]),
          NodeDraft("Neg", inputs: ["c\(number)"], outputs: ["d\(number)"]),
        ]
      } + [relu("z", "y")], [integers("s", [1 << 20])]),
    nodes(
      "a thousand constants of a million elements for a shape",
      (0..<1000).flatMap { number in
        [
          NodeDraft("ConstantOfShape", inputs: ["s"], outputs: ["c\(number)"]),
          NodeDraft("Neg", inputs: ["c\(number)"], outputs: ["d\(number)"]),
        ]
      } + [NodeDraft("Reshape", inputs: ["x", "d9"], outputs: ["y"])], [integers("s", [1 << 20])]),
    nodes(
      "a product of constants for a shape, which would take minutes",
      [
        NodeDraft("ConstantOfShape", inputs: ["s"], outputs: ["c"]),
        NodeDraft("MatMul", inputs: ["c", "c"], outputs: ["d"]),
        NodeDraft("Cast", inputs: ["d"], outputs: ["n"], attributes: [("to", .int(7))]),
        NodeDraft("Reshape", inputs: ["x", "n"], outputs: ["y"]),
      ], [integers("s", [1 << 14, 1 << 14])]),
    nodes(
      "a thousand ranges of a million numbers",
      (0..<1000).map { number in
        NodeDraft("Range", inputs: ["a", "b", "c"], outputs: ["v\(number)"])
      } + [relu("x", "y")],
      [
        TensorDraft(name: "a", Tensor(scalar: 0 as Int64)),
        TensorDraft(name: "b", Tensor(scalar: 1_000_000 as Int64)),
        TensorDraft(name: "c", Tensor(scalar: 1 as Int64)),
      ]),
    model("a triangle of 2^30 elements") { draft in
      draft.graph.inputs = [
        ValueDraft(
          name: "x", dataType: TensorDataType(.float32),
          shape: [.unknown, .size(1 << 15), .size(1 << 15)])
      ]
      draft.graph.nodes = [NodeDraft("Trilu", inputs: ["x"], outputs: ["y"])]
    },
    model("a diagonal of 2^30 columns") { draft in
      draft.graph.inputs = [
        ValueDraft(
          name: "x", dataType: TensorDataType(.float32), shape: [.size(4), .size(1 << 30)])
      ]
      draft.graph.nodes = [NodeDraft("EyeLike", inputs: ["x"], outputs: ["y"])]
    },
    model("a resize that weighs 20,000 neighbours for each of a million elements") { draft in
      draft.graph.inputs = [
        ValueDraft(
          name: "x", dataType: TensorDataType(.float32), shape: [.unknown, .size(10_000_000_000)])
      ]
      draft.graph.initializers = [
        TensorDraft(name: "n", Tensor([1_000_000 as Int64]))
      ]
      draft.graph.nodes = [
        NodeDraft(
          "Resize", inputs: ["x", "", "", "n"], outputs: ["y"],
          attributes: [("axes", .ints([1])), ("mode", .string("linear")), ("antialias", .int(1))])
      ]
      draft.opsets = [OperatorSet(version: 18)]
    },
    unrolled("unrolled beyond all bounds", steps: 1 << 12, layers: 200),
    unrolled("too many steps", steps: 1 << 30, layers: 1),
    many("a million nodes", [0x0A, 3, 0x22, 1, 0x41], 1_000_000),
    many("a million initializers", [0x2A, 4, 8, 0, 16, 1], 1_000_000),
    many("a million inputs", [0x5A, 3, 0x0A, 1, 0x61], 1_000_000),
    model("a mebibyte and a byte of metadata") { draft in
      draft.metadata = [
        MetadataEntry(key: "k", value: String(repeating: "v", count: 1 << 20 + 1))
      ]
    },
    model("a hundred thousand entries of metadata") { draft in
      draft.metadata = (0..<100_000).map { MetadataEntry(key: "k\($0)", value: "") }
    },
  ]

  /// A model whose graph begins with a field again and again.
  private static func many(_ name: String, _ field: [UInt8], _ count: Int) -> BrokenModel {
    var content = WireContent()
    content.append(1, integer: 8)
    content.append(7) { graph in
      graph.append([UInt8]((0..<count).lazy.flatMap { _ in field }))
    }
    return BrokenModel(name, content)
  }

  /// Recurrent layers over a sequence of a declared length.
  private static func unrolled(_ name: String, steps: Int64, layers: Int) -> BrokenModel {
    model(name) { draft in
      draft.graph.inputs = [
        ValueDraft(
          name: "x", dataType: TensorDataType(.float32), shape: [.unknown, .size(steps), .size(1)])
      ]
      draft.graph.initializers = [zeros("w", [1, 4, 1]), zeros("r", [1, 4, 1])]
      draft.graph.nodes = (0..<layers).map { number in
        NodeDraft(
          "LSTM", inputs: ["x", "w", "r"], outputs: [number == 0 ? "y" : "v\(number)"],
          attributes: [("layout", .int(1))])
      }
    }
  }
}
