import Foundation
import ProcessSupport
import Testing

@Suite struct `Campaigns, in small` {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  @Test(arguments: [
    "state-campaign kill-during-saves --count 12",
    "state-campaign kill-during-saves --count 12 --control",
    "state-campaign power-cuts --count 12",
    "state-campaign power-cuts --count 12 --control", "state-campaign failing-calls",
    "state-campaign failing-calls --control",
    "state-campaign damaged-files --count 2000",
    "state-campaign damaged-files --count 2000 --control",
    "state-campaign kill-and-resume --count 2",
    "state-campaign kill-and-resume --count 2 --control",
    "state-campaign timeout-signals --count 10",
    "state-campaign timeout-signals --count 5 --control",
    "file-campaign file-changes --repeats 1 --file m.onnx",
    "file-campaign file-changes --repeats 1 --control",
  ])
  func `pass, and their controls fail`(campaign: String) throws {
    let words = campaign.split(separator: " ").map(String.init)
    let result = try Executable(words[0]).run(Array(words.dropFirst()), in: Self.root)
    #expect(result.status == 0, "\(result.output)\(result.error)")
    #expect(result.output.contains("passed \(words[1])"))
  }
}
