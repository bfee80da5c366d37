import CrestCallbacks
import CrestTraining
import ProcessSupport
import Testing
import TrainingTestSupport

/// A short run of `script/campaign injections`.
@Suite("Numbers that stop being finite") struct InjectionTests {
  /// Each place with each value and each optimiser, at steps and elements of two seeds.
  private static let injections = [UInt64(11), 12].flatMap { Injection.all(0..<160, seed: $0) }
    .filter { !$0.endsProgram }

  @Test(arguments: injections)
  func `are noticed within one step, and named`(_ injection: Injection) throws {
    let end = try injection.run([TerminateOnNaN()])
    #expect(end.isRight, "\(injection): \(end)")
    if !injection.value.isFinite {
      #expect(end.brokenStep == injection.step, "\(injection): \(end)")
    }
    let words = injection.value.isFinite ? nil : Self.words[injection.place]
    if let words {
      #expect(words.contains { end.error.contains($0) }, "\(injection): \(end.error)")
    }
  }

  /// What an error says of where the number was put; what spreads at once may be found where it got to.
  private static let words: [Injection.Place: [String]] = [
    .parameters: ["the parameter "], .gradients: ["the parameter ", "the moment "],
    .moments: ["the parameter ", "the moment "], .statistics: ["the running statistic "],
    .inputs: ["the input"], .targets: ["the target"], .loss: ["in the loss stage gives "],
  ]

  @Test func `go unnoticed without the check`() throws {
    let unnoticed = try Injection.all(0..<160, seed: 12).filter {
      try !$0.endsProgram && $0.run([]).noticedStep == nil
    }
    #expect(unnoticed.count > 80)
  }

  /// What no callback may set a hyperparameter to, as only a mistake in code can bring it about.
  @Test(arguments: Hyperparameter.allCases, ["nan", "inf", "-inf", "-1.0"])
  func `a hyperparameter that isn't finite ends the program with a message`(
    _ hyperparameter: Hyperparameter, _ value: String
  ) throws {
    let name = hyperparameter.rawValue
    for (part, message) in [
      ("base", "the \(name) was set to \(value), not to a finite number of at least 0"),
      (
        "factor",
        "the factor of the \(name) was set to \(value), not to a finite number of at least 0"
      ),
      ("schedule", "the schedule \"own\" is \(value) at step 1, not a finite number of at least 0"),
    ] {
      let result = try Executable("misuse-program").run(["set", name, part, value])
      guard case .signal = result.end else {
        Issue.record("\(name), \(part): \(result.end), \(result.error)")
        continue
      }
      #expect(result.error.contains("Fatal error: \(message)\n"), "\(part): \(result.error)")
    }
  }
}
