import ProcessSupport
import Testing

extension Trait where Self == ConditionTrait {
  /// Skips where the checker is not built.
  static var needsChecker: Self {
    .enabled(if: Executable.hasONNXCheck, "\(Executable.whyNoONNXCheck)")
  }
}

/// `crest-onnx-check`, run as a process of its own.
enum CheckerProcess {
  static let program = Executable.onnxCheck

  static func run(_ arguments: [String], in folder: TemporaryFolder) throws -> ProcessResult {
    try program.run(arguments, in: folder.url)
  }

  /// Writes `model` to m.onnx, and runs `arguments` on it.
  static func run(_ arguments: String, on model: [UInt8]) throws -> ProcessResult {
    let folder = try TemporaryFolder()
    try folder.write(model, to: "m.onnx")
    return try run(arguments.split(separator: " ").map(String.init), in: folder)
  }
}
