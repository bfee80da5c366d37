import Foundation

extension Executable {
  private static let checkerVariable = "CREST_ONNX_CHECK"

  /// `crest-onnx-check`, from a package of its own: the one that the environment names, or a release build.
  package static let onnxCheck = Executable(
    path: ProcessInfo.processInfo.environment[checkerVariable]
      ?? URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "ONNXCheck/.build/release/crest-onnx-check").path
  )

  /// What a skipped test says.
  package static let whyNoONNXCheck =
    "crest-onnx-check is not built: script/bootstrap, then swift build -c release --package-path ONNXCheck"

  /// Whether the checker is built; one that the environment names has to be.
  package static var hasONNXCheck: Bool {
    ProcessInfo.processInfo.environment[checkerVariable] != nil
      || FileManager.default.isExecutableFile(atPath: onnxCheck.path)
  }
}
