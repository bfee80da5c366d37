import Foundation
import Testing

/// What `--help` prints, whole.
///
/// When it should change, `CREST_UPDATE_SNAPSHOTS=1` writes the files anew.
@Suite struct `Help` {
  @Test(arguments: ["", "train", "find-lr", "evaluate", "data", "data info"])
  func `is as in the snapshot`(command: String) throws {
    let words = command.split(separator: " ").map(String.init)
    let result = try CrestProcess.run(words + ["--help"])
    #expect(result.status == 0)
    #expect(result.error == "")
    let name = (["crest"] + words).joined(separator: "-") + ".txt"
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Snapshots").appending(path: name)
    if ProcessInfo.processInfo.environment["CREST_UPDATE_SNAPSHOTS"] == "1" {
      try result.output.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(result.output == (try String(contentsOf: file, encoding: .utf8)))
  }
}
