import Foundation
import ProcessSupport
import Testing

/// Short runs of the campaigns with libraries that misbehave and that are damaged, with their controls.
@Suite(.serialized) struct `Libraries that mean no good` {
  private func run(_ words: String...) throws -> (status: Int32?, last: String) {
    let result = try Executable("plugin-campaign").run(words)
    return (result.status, result.output + result.error)
  }

  @Test func `change nothing that stays, and never end a run unnoticed`() throws {
    let (status, output) = try run("misbehaviours", "0", "1")
    #expect(status == 0, "\(output)")
    let control = try run("misbehaviours", "0", "1", "--control")
    #expect(control.status == 0, "\(control.last)")
  }

  @Test func `end no trainer that tries them out first`() throws {
    let (status, output) = try run("mutations", "100", "1")
    #expect(status == 0, "\(output)")
    #expect(
      output.contains(
        "100 damaged libraries, seed 1: 0 deaths of the trainer while loading, 0 later"))
    // Without trying them out, some end it.
    let control = try run("mutations", "30", "1", "--control")
    #expect(control.status == 0, "\(control.last)")
  }
}
