import ArgumentParser
import Crest

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Show what an ONNX file or a checkpoint holds, and what the file needs for training.",
    discussion: """
      Shows inputs, outputs, operations and what computes them forward and backward, arrays and \
      whether and why they are trained, the work per example, and what matters for training, in 60 \
      lines. A file that can't be imported is described as far as possible, with everything that \
      is missing, and the exit code is 65.
      Work counts the floating-point operations of convolutions and matrix products, including \
      those of recurrent layers and attention; a multiplication and an addition count as two.
      For a checkpoint (.safetensors), lists all fields under the names that crest train --partial \
      takes.
      """)

  @Argument(help: ArgumentHelp("An ONNX file, or a checkpoint.", valueName: "file"))
  var file: String?

  @Option(
    help: ArgumentHelp(
      "The sizes of one example, as in 3,224,224, of an input that the file leaves open; its name "
        + "may be omitted if there is only one. May be repeated.",
      valueName: "[name=]sizes"))
  var shape: [String] = []

  @Flag(help: "Also run ONNX's own checker, crest-onnx-check; it knows opsets up to 17.")
  var check = false

  @Flag(help: "List every array and every operation, however many there are.")
  var arrays = false

  @Flag(help: "List the operations that can be imported, with the opsets of each form.")
  var operators = false

  @Flag(help: "Print JSON, one object per line.")
  var json = false

  func run() throws {
    if operators { try writeOperators() }
    guard let path = file else {
      guard operators, !check, !arrays, shape.isEmpty else { throw CommandError.nothingToInspect }
      return
    }
    if path.hasSuffix(".safetensors") {
      guard !check, !arrays, shape.isEmpty else { throw CommandError.onnxOnly(path: path) }
      return try inspectCheckpoint(path, json: json)
    }
    let file = try ONNXFile(path: path)
    let inspection = try ONNXInspection(
      file, inputShapes: exampleShapes(shape, inputs: file.inputNames))
    let verdict = try check ? OfficialCheck(of: inspection, at: path) : nil
    let report = InspectionReport(inspection, verdict)
    try StandardOutput.write(
      json ? report.lines.map(\.text).joined() : arrays ? report.wholeText : report.text)
    if let problem = inspection.problem { throw problem }
    if let verdict, case .refused(let message) = verdict {
      throw CommandError.refusedByChecker(message)
    }
  }

  private func writeOperators() throws {
    guard json else {
      let width = ONNXFile.ImportedOperator.all.map(\.name.count).max() ?? 0
      let rows = ONNXFile.ImportedOperator.all.map { known in
        known.name.padding(width) + "  opset " + known.forms.map(\.text).joined(separator: ", ")
      }
      return try StandardOutput.write(rows.map { $0 + "\n" }.joined())
    }
    let lines = ONNXFile.ImportedOperator.all.map { known in
      JSONLine(
        event: "operator",
        [
          ("name", .text(known.name)),
          ("since_versions", .list(known.versions.map { .integer(Int($0)) })),
        ])
    }
    try StandardOutput.write(lines.map(\.text).joined())
  }
}

/// The shapes of one example by the names of inputs, as `--shape` gives them.
func exampleShapes(_ arguments: [String], inputs names: [String]) throws -> [String: Shape] {
  var shapes: [String: Shape] = [:]
  for argument in arguments {
    let parts = argument.split(separator: "=", omittingEmptySubsequences: false)
    let sizes = (parts.last ?? "").split(separator: ",", omittingEmptySubsequences: false)
      .map { Int($0) ?? -1 }
    guard let shape = Shape(checking: sizes), !sizes.contains(0), parts.count <= 2 else {
      throw CommandError.malformedShape(argument)
    }
    guard parts.count == 2 || names.count == 1 else {
      throw CommandError.unknownName(what: "--shape", name: argument, known: names)
    }
    shapes[parts.count == 2 ? String(parts[0]) : names[0]] = shape
  }
  return shapes
}
