import Foundation
import ProcessSupport
import Testing

@Suite struct `The live estimate and the guard in the command` {
  @Test func `are in events, in the log of steps and among the notes`() throws {
    let folder = try TemporaryFolder()
    let result = try CrestProcess.run(
      [
        "train", "--model", "mlp", "--data", "digits", "--epochs", "4", "--max-lr", "1", "--seed",
        "1", "--callback", "divergence-guard", "--estimate-lr", "same-batch:every=20", "--json",
        "--log-steps", "steps.csv",
      ], in: folder)
    #expect(result.status == 0, "\(result.error)")
    let events = result.output.split(separator: "\n")
    let note = "training goes on from the weights after"
    #expect(events.contains { $0.contains("\"event\":\"note\"") && $0.contains(note) })
    #expect(result.error.contains(note))
    #expect(
      events.contains { $0.contains("\"event\":\"epoch\"") && $0.contains("\"lr_estimate\":") })
    let rows = try String(contentsOf: folder["steps.csv"], encoding: .utf8).split(separator: "\n")
    #expect(rows[0].hasSuffix(",momentum,lr_estimate,lr_estimate_l2,lr_estimate_mean"))
    #expect(rows.dropFirst().first { $0.hasPrefix("20,") }?.hasSuffix(",,,") == false)
  }

  @Test func `are refused in words`() throws {
    for (value, message) in [
      (
        "smith:every=3",
        "--estimate-lr: expected smith, rate-corrected, gradient or same-batch[:every=n], got \"smith:every=3\""
      ),
      ("same-batch:every=0", "LearningRateEstimate: every is 0, expected at least 1 step"),
    ] {
      let result = try CrestProcess.run([
        "train", "--model", "mlp", "--data", "digits", "--epochs", "1", "--max-lr", "0.01",
        "--estimate-lr", value,
      ])
      #expect(result.status == 64)
      #expect(result.error.contains(message), "\(result.error)")
    }
  }
}
