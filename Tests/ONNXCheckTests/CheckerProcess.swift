import ProcessTestSupport

/// `crest-onnx-check`, run as a process of its own.
enum CheckerProcess {
  static let program = BuiltProgram("crest-onnx-check")

  static func run(_ arguments: [String], in folder: TemporaryFolder) throws -> ProcessResult {
    try program.run(arguments, in: folder)
  }

  /// Writes `model` to m.onnx, and runs `arguments` on it.
  static func run(_ arguments: String, on model: [UInt8]) throws -> ProcessResult {
    let folder = try TemporaryFolder()
    try folder.write(model, to: "m.onnx")
    return try run(arguments.split(separator: " ").map(String.init), in: folder)
  }
}
