import ArgumentParser
import Crest

struct ExportModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract:
      "Export the network of a checkpoint as ONNX, or rewrite an ONNX file for inference.",
    discussion: """
      The file keeps the checkpoint's preprocessing and class names. A \
      network that was trained from an ONNX file becomes that file with new weights.
      """)

  @Argument(
    help: ArgumentHelp("An ONNX file or a checkpoint.", valueName: "file.onnx|file.safetensors"))
  var model: String

  @OptionGroup var weights: ArchitectureOption

  @Option(help: ArgumentHelp("The ONNX file to write.", valueName: "file.onnx"))
  var to: String

  @Option(
    help: ArgumentHelp(
      "The sizes of one example, as in 1,28,28: of a built-in network, or of an input that an ONNX file "
        + "leaves open; its name may be omitted if there is only one. May be repeated.",
      valueName: "[name=]sizes"))
  var shape: [String] = []

  func run() throws {
    guard model.isONNXFile || model.isWeightsFile else { throw CommandError.nothingToExport(model) }
    let outputs = try [NamedOutput("--to", to)].open(
      besides: model.isWeightsFile ? [("the command", model)] : [])
    defer { outputs.close() }
    let engine = try Engine(threadCount: 1)
    let source = try ModelSource(model, architecture: weights.architecture)
    let network: Model
    switch source {
    case .file(let file, let weights):
      let shapes = try exampleShapes(shape, inputs: file.inputNames)
      func template(_ headClasses: Int?) throws -> ONNXTemplate {
        try ONNXTemplate(file, inputShapes: shapes, headClasses: headClasses)
      }
      network =
        try weights?.model(template, seed: 0, engine: engine)
        ?? Model(template: template(nil), engine: engine)
    case .builtIn(let name, let weights):
      guard let weights else { throw CommandError.nothingToExport(model) }
      if let texts = weights.preprocessing?.texts {
        network = try weights.textModel(name, for: texts, seed: 0, engine: engine)
        break
      }
      if let table = weights.preprocessing?.table,
        let found = try weights.tabular(name, table, seed: 0, engine: engine)
      {
        network = found
        break
      }
      guard let input = try exampleShapes(shape, inputs: ["input"])["input"] else {
        throw CommandError.needsShape
      }
      network = try weights.builtInModel(name, inputs: [input], seed: 0, engine: engine).model
    }
    try network.checkONNXExport()
    Interruption.finish("the network is being written to \(to)")
    try network.exportONNX(to: to)
  }
}
