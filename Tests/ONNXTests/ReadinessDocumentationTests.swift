import CrestONNX
import Foundation
import Testing

/// The notes in `docs/onnx.md` are those that are printed.
@Suite struct `The page about ONNX` {
  static let notes: [TrainingReadiness.Note] = [
    .foldedBatchNorm(convolutions: 21), .noDropout(name: "model/dropout/Identity"),
    .finalActivation(operation: "Softmax", node: "softmax"),
    .finalActivation(operation: "Sigmoid", node: "sigmoid"), .tracedStatistics,
    .possiblyTracedStatistics, .frozenBatch(3), .declaredBatch(3),
    .tied(names: ["embedding"], uses: 2),
    .tied(names: ["branch.0.weight", "branch.0.bias", "branch.1.weight", "a", "b", "c"], uses: 2),
    .untied([.init(name: "zeros", copies: ["zeros", "zeros.untied2"])]),
    .unmerged([
      .init(name: "layers.0.weight", copies: ["layers.0.weight", "layers.0.weight.untied2"])
    ]),
    .rearranged([.init(name: "W", copy: "permute")]),
    .rearrangedApart([.init(name: "e.weight", copy: "d.weight")]),
    .newHead(node: "fc", operation: "Gemm", from: 10, to: 5),
    .fixed(names: ["scale"], .elementType("float16")), .fixed(names: ["head"], .asked),
    .fixed(names: ["pooler.weight", "pooler.bias"], .otherOutput),
    .fixed(names: ["mean", "std"], .inputNormalization),
    .fixed(names: ["running_mean"], .statisticName),
    .fixed(names: ["running_var"], .variance), .fixed(names: ["mask"], .mask),
    .fixed(names: ["pe"], .sinusoids), .fixed(names: ["inv_freq"], .frequencies),
    .fixed(names: ["eye"], .identity), .fixed(names: ["grid"], .positions),
    .fixed(names: ["/Constant_output_0"], .literal),
    .fixed(names: ["blur"], .filter), .fixed(names: ["edges", "prior"], .buffer),
    .fixed(names: ["exp"], .computedScalar),
    .fixed(names: ["0.weight_u", "0.weight_v"], .powerIteration), .leftOut(names: ["a", "b"]),
    .assumed(names: ["temperature"], .scalar),
    .assumed(names: ["onnx::Add_91"], .computed),
    .assumed(names: ["edges"], .pattern), .assumed(names: ["onnx::MatMul_14"], .zeros),
    .assumed(names: ["scale", "prior"], .outputScaling), .assumed(names: ["ones"], .merged),
    .assumed(names: ["mask"], .asked),
  ]

  /// Notes that have a node's reason in them, of networks that give it.
  private static func notesOnRows() throws -> [String] {
    try ["centred", "assigned-part"].map { name in
      let template = try ONNXTemplate(path: RowNetwork.folder + name + ".onnx")
      let note = try #require(
        template.readiness.notes.first { if case .rowsTogether = $0 { true } else { false } })
      return note.description
    }
  }

  @Test func `has every note as it is printed, and no other`() throws {
    let page = URL(filePath: Fixtures.onnx).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/onnx.md")
    let report = try #require(
      try String(contentsOf: page, encoding: .utf8).components(separatedBy: "## The report").last?
        .components(separatedBy: "\n## ").first)
    let blocks = report.components(separatedBy: "```\n").enumerated().filter { $0.offset % 2 == 1 }
    let lines = blocks.flatMap { $0.element.split(separator: "\n").map(String.init) }
    #expect(lines == (try Self.inOrder(of: lines)))
  }

  @Test func `has the note on training mode as it is printed`() throws {
    let page = URL(filePath: Fixtures.onnx).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/onnx.md")
    let note = TrainingReadiness.Note.trainingMode(normalizations: 2, dropouts: 1).description
    #expect(try String(contentsOf: page, encoding: .utf8).contains("\n\(note)\n"))
  }

  /// All notes, those on rows where the page has them.
  private static func inOrder(of lines: [String]) throws -> [String] {
    var expected = notes.map(\.description)
    let place = try #require(expected.firstIndex { $0.contains("but accepts other sizes too") })
    expected.insert(contentsOf: try notesOnRows(), at: place + 1)
    return expected
  }
}
