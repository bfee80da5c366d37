import Foundation
import ProcessSupport
import Testing

/// What `--help` prints, whole.
///
/// When it should change, `CREST_APPROVE=1` writes the files, and the test fails so that somebody looks.
@Suite struct `Help` {
  @Test(arguments: [
    "", "train", "fine-tune", "find-lr", "find-batch-size", "range-test", "evaluate", "predict",
    "generate", "export",
    "inspect", "data",
    "data info", "plugins", "plugins list", "plugins verify", "plugins lock", "plugins new",
  ])
  func `is as in the snapshot`(command: String) throws {
    let words = command.split(separator: " ").map(String.init)
    let result = try CrestProcess.run(words + ["--help"])
    #expect(result.status == 0)
    #expect(result.error == "")
    let name = (["crest"] + words).joined(separator: "-") + ".txt"
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Snapshots").appending(path: name)
    guard ProcessInfo.processInfo.environment["CREST_APPROVE"] == nil else {
      try Data(result.output.utf8).write(to: file)
      Issue.record("\(name) was written; look at it, and run again without CREST_APPROVE")
      return
    }
    #expect(result.output == (try String(contentsOf: file, encoding: .utf8)))
  }
}
