import ArgumentParser
import Foundation
import ONNXTestSupport

/// The part of a search that one process does; it ends with the first model that fails.
struct FuzzRange: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The part of fuzz that one process does.", shouldDisplay: false)

  @OptionGroup var models: FuzzModels

  @Option(help: "The number of the first model.")
  var first: Int

  @Option(help: "The number after the last.")
  var end: Int

  @Option(help: "The folder to write models and the state to.")
  var work: String

  /// In seconds of the processor; a model of 20 KB takes milliseconds.
  private static let timeLimit = 20
  /// In seconds of the clock, far more, since other programs may keep the processors.
  private static let waitLimit: UInt32 = 900
  /// How much more memory than before a model may take, in KiB.
  private static let growthLimit = 256 << 10

  func run() throws {
    let mutator = try models.mutator()
    let journey = try ModelJourney()
    let model = work + "/model.onnx"
    var state = FuzzState(next: first)
    var peak = PeakMemory.kibibytes
    for number in first..<end {
      state.next = number
      try state.write(to: work)
      try Data(mutator.model(number)).write(to: URL(filePath: model))
      startTimers()
      do {
        state.tally[try journey.run(model, copy: work + "/copy.onnx")] += 1
      } catch {
        try fail(&state, "\(type(of: error)): \(error)")
      }
      stopTimers()
      let grown = PeakMemory.kibibytes
      if grown - peak > Self.growthLimit { try fail(&state, "it took \(grown - peak) KiB more") }
      peak = max(peak, grown)
    }
    state.next = end
    try state.write(to: work)
  }

  /// Ends the process with a signal when a model takes too long.
  private func startTimers() {
    alarm(Self.waitLimit)
    setProcessorTimer(seconds: Self.timeLimit)
  }

  private func stopTimers() {
    alarm(0)
    setProcessorTimer(seconds: 0)
  }

  private func setProcessorTimer(seconds: Int) {
    var timer = itimerval()
    timer.it_value.tv_sec = seconds
    #if canImport(Darwin)
      let which = ITIMER_PROF
    #else
      let which = CInt(ITIMER_PROF.rawValue)
    #endif
    let result = setitimer(which, &timer, nil)
    precondition(result == 0, "setitimer failed with \(errno)")
  }

  private func fail(_ state: inout FuzzState, _ reason: String) throws {
    try state.write(to: work)
    throw CampaignError("model \(state.next): \(reason)")
  }
}
