import AllocationCounter
import Crest
import CrestPlugins
import Foundation

/// Measures what an event costs, from the hook of the callback to its return.
enum CostCampaign {
  static func run(_ folder: String) throws {
    let plugin = try Plugin(folder, lock: folder + "/../crest-plugins.lock")
    let action = try batchAction(of: plugin)
    let isLibrary = plugin.manifest.kind == .library
    let count = isLibrary ? 1_000_000 : 20_000
    var isMeasured = false
    let measure = CallbackOf(
      .afterLoss { batch in
        guard !isMeasured else { return }
        isMeasured = true
        if isLibrary {
          try measureMany(plugin.name, count, action, batch)
        } else {
          try measureEach(plugin.name, count) { try action(batch) }
        }
        throw Cancel(.fit, reason: "measured")
      })
    let model = try BuiltInModel.make("mlp", input: [1, 8, 8], classes: 10)
    let learner = try Learner(model, data: DataSource.digits.load(), callbacks: [plugin, measure])
    try learner.fit(epochs: 1, learningRate: 0.01)
  }

  /// What a run without plugins pays for them: whole fits before any is loaded, with one that is loaded and not named,
  /// and, as the control, with it at work.
  static func runWithoutPlugins(_ folder: String) throws {
    let data = try DataSource.digits.load()
    try measureFits("no plugin loaded", data, [])
    let plugin = try Plugin(folder, lock: folder + "/../crest-plugins.lock")
    try measureFits("\(plugin.name) loaded and not named", data, [])
    try measureFits("\(plugin.name) named", data, [plugin])
  }

  private static func measureFits(
    _ name: String, _ data: DataSplit, _ callbacks: [any Callback]
  ) throws {
    let epochs = 3
    var least = Double.infinity
    var allocations = UInt64.max
    for _ in 0..<20 {
      let model = try BuiltInModel.make("mlp", input: [1, 8, 8], classes: 10)
      let learner = try Learner(model, data: data, callbacks: callbacks, prefetch: 0)
      let (start, before) = (processorNanoseconds(), allocation_counter_value())
      try learner.fit(epochs: epochs, learningRate: 0.01)
      let batchCount = epochs * (learner.trainLoader.batchCount + learner.validLoader.batchCount)
      least = min(least, (processorNanoseconds() - start) / Double(batchCount))
      allocations = min(allocations, allocation_counter_value() - before)
    }
    print(
      "\(name): \(String(format: "%.2f", least / 1000)) µs a batch and \(allocations) allocations a fit (least of 20 "
        + "fits of \(epochs) epochs)")
  }

  // Not by way of an optional, which would wrap it in a function of its own.
  private static func batchAction(of plugin: Plugin) throws -> (BatchContext) throws -> Void {
    for hook in plugin.hooks {
      switch hook {
      case .afterLoss(let action), .afterBatch(let action): return action
      default: break
      }
    }
    throw PluginHasNoBatchHook(name: plugin.name)
  }

  /// The mean of many in processor time, in ten rounds; the action is called as the training loop does, without a
  /// function of the campaign's own between.
  private static func measureMany(
    _ name: String, _ count: Int, _ action: (BatchContext) throws -> Void, _ batch: BatchContext
  ) throws {
    var rounds: [Double] = []
    for _ in 0..<10 {
      let start = processorNanoseconds()
      for _ in 0..<count { try action(batch) }
      rounds.append((processorNanoseconds() - start) / Double(count))
    }
    rounds.sort()
    print(
      "\(name): \(String(format: "%.1f", rounds[0])) ns an event (best of 10 × \(count), median "
        + "\(String(format: "%.1f", rounds[5])))")
  }

  /// The processor time of this thread, which what others do on the machine does not count into.
  private static func processorNanoseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
  }

  private static func measureEach(_ name: String, _ count: Int, _ body: () throws -> Void) throws {
    let clock = ContinuousClock()
    var times: [Double] = []
    times.reserveCapacity(count)
    for _ in 0..<count {
      let start = clock.now
      try body()
      times.append((clock.now - start) / .microseconds(1))
    }
    times.sort()
    let percentiles = [0.5, 0.99, 0.999].map { part in
      "p\(part * 100) \(String(format: "%.1f", times[Int(Double(count) * part)])) µs"
    }
    print("\(name): \(percentiles.joined(separator: ", ")) an event (\(count) events)")
  }
}

struct PluginHasNoBatchHook: Error {
  let name: String
}
