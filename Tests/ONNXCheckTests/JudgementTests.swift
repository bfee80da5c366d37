import Foundation
import ProcessSupport
import Testing

@Suite(.needsChecker) struct `An accepted model` {
  @Test func `is described on a line`() throws {
    let result = try CheckerProcess.run("check m.onnx", on: SampleModel().bytes)
    #expect(result.end == .exit(0))
    #expect(result.output == "m.onnx: valid, IR version 8, opset 17\n")
    #expect(result.error.isEmpty)
  }

  @Test func `has the shapes of its values inferred`() throws {
    let model = SampleModel(
      nodes: [
        SampleModel.node("Transpose", ["x"], ["t"]), SampleModel.node("MatMul", ["x", "t"], ["y"]),
      ])
    let result = try CheckerProcess.run("infer m.onnx", on: model.bytes)
    #expect(result.end == .exit(0), "\(result.error)")
    #expect(
      result.output == """
        x: tensor(float) [2, 3]
        t: tensor(float) [3, 2]
        y: tensor(float) [2, 2]

        """)
  }

  @Test func `may call functions of its own`() throws {
    let model = SampleModel.callingFunctions(3) { $0 == 0 ? [] : [$0 - 1, $0 - 1] }
    let result = try CheckerProcess.run("check m.onnx", on: model.bytes)
    #expect(result.output == "m.onnx: valid, IR version 8, opset 17, local 1\n")
  }

  @Test func `is said to use operators that nobody judged`() throws {
    let model = SampleModel(
      opsets: [("", 17), ("com.example", 1)],
      nodes: [SampleModel.node("Swirl", ["x"], ["y"], domain: "com.example")])
    let text = try CheckerProcess.run("check m.onnx", on: model.bytes)
    #expect(text.end == .exit(0))
    #expect(
      text.output == "m.onnx: valid, IR version 8, opset 17, com.example 1; "
        + "not judged: operators of com.example\n")
    let inferred = try CheckerProcess.run("infer m.onnx", on: model.bytes)
    #expect(inferred.output == "x: tensor(float) [2, 3]\ny: tensor(float) [?, ?]\n")
  }

  @Test func `may have data in its folder, wherever the command runs`() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      at: folder["models"], withIntermediateDirectories: false)
    let model = SampleModel(graphFields: [(5, SampleModel.externalTensor("w", location: "w.bin"))])
    try folder.write(model.bytes, to: "models/m.onnx")
    try folder.write([UInt8](repeating: 0, count: 16), to: "models/w.bin")
    let result = try CheckerProcess.run(["check", "models/m.onnx"], in: folder)
    #expect(result.output == "models/m.onnx: valid, IR version 8, opset 17\n", "\(result.error)")
  }

  @Test func `is a JSON object for programs`() throws {
    let result = try CheckerProcess.run("infer m.onnx --json", on: SampleModel().bytes)
    #expect(
      try result.object() == [
        "event": "result", "command": "infer", "file": "m.onnx", "accepted": true, "ir_version": 8,
        "opsets": [["domain": "ai.onnx", "version": 17, "judged": true]],
        "values": [
          ["name": "x", "type": "tensor(float)", "shape": [2, 3]],
          ["name": "y", "type": "tensor(float)", "shape": [2, 3]],
        ],
      ])
    #expect(result.output.hasSuffix("}\n"))
  }

  @Test func `says unknown sizes as null`() throws {
    let model = SampleModel(
      opsets: [("", 17), ("com.example", 1)],
      nodes: [
        SampleModel.node("Swirl", ["x"], ["t"], domain: "com.example"),
        SampleModel.node("Relu", ["x"], ["y"]),
      ])
    let values = try CheckerProcess.run("infer m.onnx --json", on: model.bytes).object()["values"]
    #expect(
      values as? NSArray == [
        ["name": "x", "type": "tensor(float)", "shape": [2, 3]], ["name": "t"],
        ["name": "y", "type": "tensor(float)", "shape": [2, 3]],
      ])
  }
}

/// Exit code 65, one message on standard error, nothing on standard output.
@Suite(.needsChecker) struct `A refused model` {
  struct Case: CustomTestStringConvertible {
    let name: String
    var arguments = "check m.onnx"
    let model: [UInt8]
    let message: String
    var testDescription: String { name }
  }

  static let functionsOfThree = SampleModel.callingFunctions(3) { $0 == 0 ? [] : [$0 - 1] }

  static func external(_ location: String) -> [UInt8] {
    SampleModel(graphFields: [(5, SampleModel.externalTensor("w", location: location))]).bytes
  }

  static let cases = [
    Case(
      name: "empty", model: [],
      message: "m.onnx: expected an ONNX model, got an empty file; export the model again"),
    Case(
      name: "text", model: Array("not a model\n".utf8),
      message: "m.onnx: the model can't be read: its bytes are no ModelProto message, or not a "
        + "whole one; correct the model or export it again"),
    Case(
      name: "truncated", model: SampleModel().bytes.dropLast(3),
      message: "m.onnx: the model can't be read: its bytes are no ModelProto message, or not a "
        + "whole one; correct the model or export it again"),
    Case(
      name: "graphs in graphs, 200 deep", model: nested(200),
      message: "m.onnx: the model can't be read: its bytes are no ModelProto message, or not a "
        + "whole one; correct the model or export it again"),
    Case(
      name: "IR version too new", model: SampleModel(irVersion: 9).bytes,
      message: "m.onnx: libonnx 1.12.0 supports IR versions 1 to 8, got 9; use a checker of a "
        + "newer ONNX, or export the model for 8 or older"),
    Case(
      name: "IR version missing", model: SampleModel(irVersion: 0).bytes,
      message:
        "m.onnx: the model is not valid: The model does not have an ir_version set properly; "
        + "correct the model or export it again"),
    Case(
      name: "opset too new", model: SampleModel(opsets: [("", 18)]).bytes,
      message: "m.onnx: libonnx 1.12.0 supports opsets of ai.onnx 1 to 17, got 18; use a checker "
        + "of a newer ONNX, or export the model for 17 or older"),
    Case(
      name: "opset too new, by its other name", arguments: "infer m.onnx",
      model: SampleModel(opsets: [("ai.onnx", 20)]).bytes,
      message: "m.onnx: libonnx 1.12.0 supports opsets of ai.onnx 1 to 17, got 20; use a checker "
        + "of a newer ONNX, or export the model for 17 or older"),
    Case(
      name: "opset that is 13 in 32 bits", arguments: "convert m.onnx --opset 17 --output o.onnx",
      model: SampleModel(opsets: [("", 1 << 32 + 13)]).bytes,
      message: "m.onnx: libonnx 1.12.0 supports opsets of ai.onnx 1 to 17, got 4294967309; use a "
        + "checker of a newer ONNX, or export the model for 17 or older"),
    Case(
      name: "opset below 1", model: SampleModel(opsets: [("", -1)]).bytes,
      message: "m.onnx: libonnx 1.12.0 supports opsets of ai.onnx 1 to 17, got -1; use a checker "
        + "of a newer ONNX, or export the model for 17 or older"),
    Case(
      name: "another domain's opset too new",
      model: SampleModel(opsets: [("", 17), ("ai.onnx.ml", 4)]).bytes,
      message: "m.onnx: libonnx 1.12.0 supports opsets of ai.onnx.ml 1 to 3, got 4; use a "
        + "checker of a newer ONNX, or export the model for 3 or older"),
    Case(
      name: "opset of a function too new",
      model: SampleModel(modelFields: [
        (25, .message([(1, .text("f")), (9, .message([(2, .number(18))]))]))
      ]).bytes,
      message: "m.onnx: libonnx 1.12.0 supports opsets of ai.onnx 1 to 17, got 18; use a checker "
        + "of a newer ONNX, or export the model for 17 or older"),
    Case(
      name: "unknown operator",
      model: SampleModel(nodes: [SampleModel.node("Frobnicate", ["x"], ["y"])]).bytes,
      message: "m.onnx: the model is not valid: No Op registered for Frobnicate with "
        + "domain_version of 17 ==> Context: Bad node spec for node. Name: OpType: Frobnicate; "
        + "correct the model or export it again"),
    Case(
      name: "a name that would clear the screen",
      model: SampleModel(nodes: [SampleModel.node("A\u{1B}[2J\nB", ["x"], ["y"])]).bytes,
      message: "m.onnx: the model is not valid: No Op registered for A\\u{1b}[2J B with "
        + "domain_version of 17 ==> Context: Bad node spec for node. Name: OpType: A\\u{1b}[2J "
        + "B; correct the model or export it again"),
    Case(
      name: "undefined input",
      model: SampleModel(nodes: [SampleModel.node("Relu", ["z"], ["y"])]).bytes,
      message: "m.onnx: the model is not valid: Nodes in a graph must be topologically sorted, "
        + "however input 'z' of node: name: OpType: Relu is not output of any previous nodes; "
        + "correct the model or export it again"),
    Case(
      name: "absolute location", model: external("/etc/passwd"),
      message: "m.onnx: the model is not valid: the data of tensor \"w\" is at \"/etc/passwd\", "
        + "expected a path inside the folder of the model; correct the model or export it again"),
    Case(
      name: "location above", model: external("a/../../w.bin"),
      message: "m.onnx: the model is not valid: the data of tensor \"w\" is at "
        + "\"a/../../w.bin\", expected a path inside the folder of the model; correct the model "
        + "or export it again"),
    Case(
      name: "side file missing", model: external("w.bin"),
      message: "m.onnx: the model is not valid: Data of TensorProto ( tensor name: w) should be "
        + "stored in w.bin, but it doesn't exist or is not accessible; correct the model or "
        + "export it again"),
    Case(
      name: "shapes that don't fit", arguments: "infer m.onnx",
      model: SampleModel(nodes: [SampleModel.node("MatMul", ["x", "x"], ["y"])]).bytes,
      message: "m.onnx: the model fails shape inference: [ShapeInferenceError] Shape inference "
        + "error(s): (op_type:MatMul): [ShapeInferenceError] Incompatible dimensions for matrix "
        + "multiplication; correct the model or export it again"),
    Case(
      name: "no way down", arguments: "convert m.onnx --opset 13 --output o.onnx",
      model: SampleModel().bytes,
      message: "m.onnx: the model can't be converted: "
        + "./onnx/version_converter/BaseConverter.h:66: adapter_lookup: Assertion `false` "
        + "failed: No Adapter From Version $14 for Relu; choose another version, or export the "
        + "model again at this one"),
    Case(
      name: "functions, which conversion loses",
      arguments: "convert m.onnx --opset 17 --output o.onnx", model: functionsOfThree.bytes,
      message: "m.onnx: the model can't be converted: the converted model would be without the "
        + "source's functions; choose another version, or export the model again at this one"),
  ]

  /// If nodes with a graph in an attribute, with an If node, and so on.
  static func nested(_ depth: Int) -> [UInt8] {
    var graph: [(Int, Message.Field)] = []
    for _ in 0..<depth {
      let attribute = Message.Field.message([(1, .text("then_branch")), (6, .message(graph))])
      graph = [(1, SampleModel.node("If", ["x"], ["y"], attributes: [attribute]))]
    }
    return SampleModel(graphFields: graph).bytes
  }

  @Test(arguments: cases)
  func `says why`(refused: Case) throws {
    let folder = try TemporaryFolder()
    try folder.write(refused.model, to: "m.onnx")
    let result = try CheckerProcess.run(
      refused.arguments.split(separator: " ").map(String.init), in: folder)
    #expect(result.end == .exit(65))
    #expect(result.error == "Error: \(refused.message)\n")
    #expect(result.output.isEmpty)
    #expect(try folder.names == ["m.onnx"])
  }

  @Test(arguments: [
    ("", "size"), ("\u{1}", "unparsable"), ("opset", "version"), ("node", "invalid"),
  ])
  func `is a JSON object for programs`(fault: String, reason: String) throws {
    var model = SampleModel()
    if fault == "opset" { model.opsets = [("", 18)] }
    if fault == "node" { model.nodes = [SampleModel.node("Relu", ["z"], ["y"])] }
    let result = try CheckerProcess.run(
      "check m.onnx --json", on: fault.count < 2 ? Array(fault.utf8) : model.bytes)
    #expect(result.end == .exit(65))
    let message = result.error.dropFirst("Error: ".count).dropLast()
    #expect(!message.isEmpty)
    #expect(
      try result.object() == [
        "event": "result", "command": "check", "file": "m.onnx", "accepted": false,
        "reason": reason, "message": String(message),
      ])
  }
}
