import AllocationCounter
import CrestCallbacks
import CrestOptimizers
import CrestTensor
import CrestTraining
import Testing
import TrainingTestSupport

struct LoopAllocationTests {
  #if DEBUG
    private static let isOptimized = false
  #else
    private static let isOptimized = true
  #endif

  @Test(
    .enabled(
      if: isOptimized && allocation_counter_is_available() != 0,
      "an optimised build is held to it, and allocations are counted on glibc only"))
  func `a training batch, hooks and schedule included, allocates nothing after the first epoch`()
    throws
  {
    for optimizer in [SGD(), AdamW()] as [any Optimizer] {
      var counts: [UInt64] = []
      counts.reserveCapacity(100)
      var before: UInt64 = 0
      let first = CallbackOf(
        .beforeBatch { _ in before = allocation_counter_value() }, order: .min)
      let last = CallbackOf(
        .afterBatch { batch in
          if batch.isTraining { counts.append(allocation_counter_value() - before) }
        }, order: .max)
      let learner = try Learner(
        TinyModel.full(), data: TinyData.split(), optimizer: optimizer,
        callbacks: [first, Recorder(), TerminateOnNaN(), last], batchSize: 5, prefetch: 0)
      try learner.fitOneCycle(epochs: 3, maxLR: 0.05)
      #expect(counts.count == 15)
      #expect(counts.suffix(10).allSatisfy { $0 == 0 }, "\(optimizer.name): \(counts)")
      #expect(counts[0] > 0, "the first batch compiles; a counter that sees nothing proves nothing")
    }
  }
}
