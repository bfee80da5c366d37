import CrestLayers
import CrestONNX
import CrestTestSupport
import Foundation
import ONNXTestSupport
import ProcessSupport
import Testing

@Suite struct `Broken models` {
  /// What the importer says to each, in the table's order: a list to be reviewed when it changes.
  ///
  /// Paths of the folder they lie in are left out, and what is longer than a few lines.
  @Test func `are refused with their reasons, a committed list`() throws {
    let said = try BrokenModel.all.map { model in
      let folder = try TemporaryFolder()
      let path = try model.write(to: folder.path)
      let message = Self.refusal(of: path).replacing(folder.path + "/", with: "")
      return "\(model.name): \(message.count > 600 ? message.prefix(600) + "…" : message[...])"
    }
    try Snapshot(
      "Tests/Fixtures/onnx/broken.txt",
      heading: "What is said to the models of Tests/ONNXTestSupport/BrokenModel*.swift"
    ).expect(said)
    for line in said { #expect(!line.hasSuffix("not refused")) }
  }

  @Test func `have different names`() {
    #expect(BrokenModel.all.count >= 200)
    #expect(Set(BrokenModel.all.map(\.name)).count == BrokenModel.all.count)
  }

  private static func refusal(of path: String) -> String {
    do {
      _ = try Model(onnx: path)
      return "not refused"
    } catch {
      return "\(error)"
    }
  }
}
