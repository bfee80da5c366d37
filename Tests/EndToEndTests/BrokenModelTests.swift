import Foundation
import ONNXTestSupport
import ProcessSupport
import Testing

/// Files that must not harm whoever opens them, given to the command.
@Suite struct `A file that is no good model` {
  @Test(arguments: MalformedModel.all.map(\.name))
  func `ends the command with code 65 and in little memory`(name: String) throws {
    let folder = try TemporaryFolder()
    let model = try #require(MalformedModel.all.first { $0.name == name })
    try folder.write(model.bytes, to: "model.onnx")
    try expectRefusal(of: folder["model.onnx"].path)
  }

  @Test(arguments: BrokenModel.all.map(\.name))
  func `whose bytes are well-formed ends it in the same way`(name: String) throws {
    let folder = try TemporaryFolder()
    let model = try #require(BrokenModel.all.first { $0.name == name })
    try expectRefusal(of: model.write(to: folder.path))
  }

  /// How long it takes is measured by `script/campaign malformed-onnx`, on a quiet machine.
  private func expectRefusal(of path: String) throws {
    let run = try MeasuredProcess(
      measurer: Executable("onnx-campaign"), CrestProcess.path,
      RefusalLimits.arguments(model: path))
    #expect(run.exitCode == RefusalLimits.exitCode)
    #expect(run.peakKibibytes < RefusalLimits.kibibytes)
  }
}
