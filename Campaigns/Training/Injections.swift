import ArgumentParser
import CrestCallbacks
import CrestTraining
import ProcessSupport
import TrainingTestSupport

/// Puts numbers that aren't finite, or soon won't be, everywhere into small fits.
struct Injections: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Numbers put everywhere into fits, each noticed within a step.")

  @Option(help: "How many injections.") var count = 1000
  @Option(help: "What steps and elements follow from.") var seed: UInt64 = 1
  @Flag(help: "Train without TerminateOnNaN, which must miss most.") var control = false

  /// The injections into one place.
  private struct Tally {
    var (count, atOnce, next, harmless, wrong) = (0, 0, 0, 0, 0)
  }

  func run() throws {
    guard count > 0 else { throw ValidationError("--count: expected 1 or more") }
    var tallies: [Injection.Place: Tally] = [:]
    for (number, injection) in Injection.all(0..<count, seed: seed).enumerated() {
      let end = try end(of: injection, number)
      var tally = tallies[injection.place] ?? Tally()
      tally.count += 1
      if !end.isRight {
        tally.wrong += 1
        if !control { report("injection \(number), \(injection): \(end)") }
      } else if let noticed = end.noticedStep {
        if noticed == end.brokenStep { tally.atOnce += 1 } else { tally.next += 1 }
      } else {
        tally.harmless += 1
      }
      tallies[injection.place] = tally
    }
    for place in Injection.Place.allCases {
      let tally = tallies[place] ?? Tally()
      report(
        "\(place.rawValue): \(tally.count) injections, noticed in the same step \(tally.atOnce), in the next "
          + "\(tally.next), nothing ever not finite \(tally.harmless), missed \(tally.wrong)")
    }
    let missed = tallies.values.reduce(0) { $0 + $1.wrong }
    let isGood = control ? 2 * missed > count : missed == 0
    report(
      "\(isGood ? "passed" : "FAILED") injections\(control ? ", control without TerminateOnNaN (must miss most)" : ""): "
        + "seed \(seed), \(count) injections, missed \(missed)")
    if !isGood { throw ExitCode.failure }
  }

  private func end(of injection: Injection, _ number: Int) throws -> Injection.End {
    guard injection.endsProgram else {
      return try injection.run(control ? [] : [TerminateOnNaN()])
    }
    // The library ends the program that sets such a value, so another program has to.
    let result = try Executable.own.start(
      ["inject", "--number", "\(number)", "--seed", "\(seed)"],
      environment: ["SWIFT_BACKTRACE": "enable=no"]
    ).finish()
    var end = Injection.End(brokenStep: injection.step)
    let words =
      "the \(injection.place.rawValue) was set to \(injection.value), not to a finite number of at least 0"
    if case .signal = result.end, result.error.contains(words) {
      end.noticedStep = injection.step
    } else {
      end.error = "\(result.end): \(result.error)"
    }
    return end
  }
}

/// One injection, which may end the program.
struct Inject: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The part of injections that one process does.", shouldDisplay: false)

  @Option var number: Int
  @Option var seed: UInt64

  func run() throws {
    for injection in Injection.all(number..<number + 1, seed: seed) {
      report("\(try injection.run([TerminateOnNaN()]))")
    }
  }
}
