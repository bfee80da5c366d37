import Crest
import CrestPlugins
import Foundation

/// Trains with a process that goes wrong, again and again, and measures how soon that is noticed.
struct FaultCampaign {
  let folder: String

  /// How a kind of fault must show.
  private enum Expected {
    /// As an end of its process, within this time of the event.
    case end
    /// As a missing answer, within the deadline and this much.
    case deadline
    /// As an error of any kind: it has to be read first.
    case error
    /// Not at all.
    case nothing
  }

  private static let kinds: [(name: String, expected: Expected)] = [
    ("trap", .end), ("abort", .end), ("null", .end), ("kill", .end), ("exit", .end),
    ("hang", .deadline), ("ignore-signals", .deadline), ("half-line", .deadline),
    ("slow-start", .deadline), ("garbage", .error), ("list", .error), ("deep", .error),
    ("twice", .error), ("other-event", .error), ("unknown-action", .error), ("not-owned", .error),
    ("error", .error), ("long-line", .error), ("messages", .error), ("long-messages", .deadline),
    ("close", .error),
    ("child", .error), ("early-exit", .error), ("early-trap", .error), ("early-garbage", .error),
    ("exit-late", .error), ("errors", .error), ("none", .nothing),
  ]

  private static let (endLimit, deadline, deadlineSlack) = (0.005, 0.2, 0.05)

  func run(count: Int, seed: UInt64) throws {
    let random = Philox(seed: seed, stream: Philox.Stream.split)
    let data = try DataSource.digits.load()
    // What the program opens once is open by now.
    _ = try train("none", at: 1, data)
    let descriptorsBefore = try Self.descriptorCount()
    var times: [String: [Double]] = [:]
    var failures: [String] = []
    for number in 0..<count {
      // Every kind as often, at events that differ.
      let kind = Self.kinds[number % Self.kinds.count]
      let event = 1 + Int(random.uniform(UInt64(number)) * 20)
      do {
        let (seconds, error) = try train(kind.name, at: event, data)
        times[kind.name, default: []].append(seconds)
        if let failure = Self.failure(kind.expected, seconds, error) {
          failures.append("\(kind.name) at event \(event): \(failure)")
        }
      }
    }
    for kind in Self.kinds {
      guard let all = times[kind.name]?.sorted(), let last = all.last else { continue }
      print(
        "\(kind.name): \(all.count) times, noticed after \(milliseconds(all[all.count / 2])) ms, at most "
          + "\(milliseconds(last)) ms")
    }
    // Whoever starts a thousand processes shows whether it cleans up after them.
    if waitpid(-1, nil, WNOHANG) != -1 { failures.append("there are processes left") }
    let descriptorCount = try Self.descriptorCount()
    if descriptorCount != descriptorsBefore {
      failures.append("\(descriptorCount - descriptorsBefore) descriptors more than before")
    }
    print(
      "\(count) faults, seed \(seed), 0 deaths of the host, \(failures.count) noticed late or wrongly"
    )
    for failure in failures { print("  \(failure)") }
    if !failures.isEmpty { exit(1) }
  }

  private static func descriptorCount() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
  }

  private func milliseconds(_ seconds: Double) -> String { String(format: "%.2f", seconds * 1000) }

  private static func failure(_ expected: Expected, _ seconds: Double, _ error: String?) -> String?
  {
    switch expected {
    case .nothing: return error.map { "an error where there is none: \($0)" }
    case .end, .deadline, .error: if error == nil { return "no error" }
    }
    switch expected {
    case .end where seconds > endLimit: return "after \(seconds) s"
    case .deadline where seconds > deadline + deadlineSlack: return "after \(seconds) s"
    default: return nil
    }
  }

  /// Trains an epoch; the time of the event that failed, and with which error.
  private func train(
    _ fault: String, at event: Int, _ data: DataSplit
  ) throws -> (seconds: Double, error: String?) {
    let clock = ContinuousClock()
    var start = clock.now
    let model = try BuiltInModel.make("mlp", input: [1, 8, 8], classes: 10)
    do {
      start = clock.now
      let plugin = try Plugin(
        folder, ["fault": .text(fault), "at": .number(Double(event))],
        lock: folder + "/../crest-plugins.lock", log: { _, _ in })
      let watch = CallbackOf(.afterBatch { _ in start = clock.now }, order: -1)
      let learner = try Learner(model, data: data, callbacks: [watch, plugin])
      try learner.fit(epochs: 1, learningRate: 0.01)
      return (0, nil)
    } catch let error as PluginError {
      return ((clock.now - start) / .seconds(1), "\(error)")
    }
  }
}
