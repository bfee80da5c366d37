import CCrestPlugin
import CrestOptimizers
import CrestTraining

/// What happens at a hook, in the form both kinds of plugins get: one struct that is filled in again and again.
final class PluginEvent {
  /// What a library is called with; stays where it is.
  let pointer: UnsafeMutablePointer<crest_event>
  /// Results of validation by name.
  private(set) var metrics: [(name: String, value: Double)] = []
  /// Why the phase was cancelled or failed.
  private(set) var reason: String?

  /// The pass that was filled in last, by its number; 0, which none has, when the next event is to look at all again.
  @exclusivity(unchecked) private var pass = 0
  private var metricMemory: UnsafeMutableBufferPointer<crest_metric>?
  private var texts: [UnsafeMutablePointer<CChar>] = []

  init() {
    // What changes for every batch is 64 bytes at offset 64: one cache line, since a write across two takes twice as
    // long.
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: MemoryLayout<crest_event>.size, alignment: 64)
    pointer = memory.bindMemory(to: crest_event.self, capacity: 1)
    pointer.initialize(to: crest_event())
    pointer.pointee.size = UInt32(MemoryLayout<crest_event>.size)
  }

  deinit {
    clearResults()
    UnsafeMutableRawPointer(pointer).deallocate()
  }

  /// A hook of a batch.
  func fill(_ hook: PluginHook, _ context: BatchContext) {
    if isOfAnotherPass(than: context) { fillPass(of: context) }
    fillBatch(hook, context)
  }

  /// Whether ``fillPass(of:)`` comes before ``fillBatch(_:_:)``.
  @inline(__always)
  func isOfAnotherPass(than context: BatchContext) -> Bool {
    context.pass.number != pass
  }

  /// Lets the next event look at all again, and not only at what changes between hooks of a pass.
  func forgetPass() { pass = 0 }

  /// What changes between hooks of a pass, and no more, since it runs for every batch.
  @inline(__always)
  func fillBatch(_ hook: PluginHook, _ context: BatchContext) {
    pointer.pointee.hook = Int32(truncatingIfNeeded: hook.rawValue)
    let numbers = context.numbers
    pointer.pointee.batch = Int64(numbers.index)
    pointer.pointee.step = Int64(numbers.step)
    pointer.pointee.example_count = Int64(numbers.count)
    pointer.pointee.loss = Double(numbers.loss)
    pointer.pointee.smoothed_loss = numbers.smoothedLoss
    fill(numbers.hyperparameters)
    switch context.outcome {
    case .running: pointer.pointee.outcome = Int32(CREST_RUNNING.rawValue)
    case .finished: pointer.pointee.outcome = Int32(CREST_FINISHED.rawValue)
    case .cancelled, .interrupted, .failed: fillOutcome(of: context)
    }
  }

  // Keeping the pass itself would keep the learner, which keeps the plugin.
  func fillPass(of context: BatchContext) {
    pass = context.pass.number
    fillPass(context.pass)
  }

  @inline(never)
  private func fillOutcome(of context: BatchContext) {
    fill(context.outcome)
    // The next event has another outcome, and this reason goes with the rest of what is filled in anew.
    forgetPass()
  }

  /// A hook of a pass.
  func fill(_ hook: PluginHook, _ context: PassContext) {
    fillPass(context)
    let result = hook == .afterTrain || hook == .afterValidate ? context.result : nil
    pointer.pointee.example_count = Int64(result?.exampleCount ?? 0)
    pointer.pointee.loss = result?.loss ?? .nan
    finish(hook, context)
  }

  /// A hook of an epoch.
  func fill(_ hook: PluginHook, _ context: EpochContext) {
    fillEpoch(context)
    pointer.pointee.purpose = Int32(CREST_NO_PASS.rawValue)
    pointer.pointee.batch_count = Int64(context.fit.batchesPerEpoch)
    pointer.pointee.example_count = 0
    pointer.pointee.loss = .nan
    finish(hook, context)
  }

  /// A hook of a fit.
  func fill(_ hook: PluginHook, _ context: FitContext) {
    clearResults()
    fillFit(context)
    // Another learner's passes have the same numbers.
    forgetPass()
    pointer.pointee.purpose = Int32(CREST_NO_PASS.rawValue)
    pointer.pointee.epoch = -1
    pointer.pointee.batch_count = Int64(context.batchesPerEpoch)
    pointer.pointee.example_count = 0
    pointer.pointee.loss = .nan
    pointer.pointee.train_loss = .nan
    pointer.pointee.validation_loss = .nan
    finish(hook, context)
  }

  private func finish(_ hook: PluginHook, _ context: PhaseContext) {
    pointer.pointee.hook = Int32(hook.rawValue)
    pointer.pointee.batch = -1
    fill(context.learner.hyperparameters)
    fill(context.outcome)
  }

  private func fillPass(_ context: PassContext) {
    fillEpoch(context.epoch)
    pointer.pointee.purpose = Int32(
      context.purpose == .training ? CREST_TRAINING.rawValue : CREST_VALIDATION.rawValue)
    pointer.pointee.batch_count = Int64(context.batchCount)
  }

  private func fillEpoch(_ context: EpochContext) {
    fillFit(context.fit)
    pointer.pointee.epoch = Int64(context.index)
    pointer.pointee.train_loss = context.train?.loss ?? .nan
    pointer.pointee.validation_loss = context.validation?.loss ?? .nan
    clearResults()
    metrics = (context.validation?.metrics ?? []).map { ($0.name, $0.value) }
    guard !metrics.isEmpty else { return }
    let memory = UnsafeMutableBufferPointer<crest_metric>.allocate(capacity: metrics.count)
    for (place, metric) in metrics.enumerated() {
      memory.initializeElement(
        at: place,
        to: crest_metric(
          size: UInt32(MemoryLayout<crest_metric>.size), reserved: 0, name: text(metric.name),
          value: metric.value))
    }
    metricMemory = memory
    pointer.pointee.metrics = UnsafePointer(memory.baseAddress)
    pointer.pointee.metric_count = UInt64(metrics.count)
  }

  private func fillFit(_ context: FitContext) {
    pointer.pointee.epoch_count = Int64(context.epochCount)
    pointer.pointee.step = Int64(context.stepsTaken)
    pointer.pointee.step_count = Int64(context.stepCount)
    pointer.pointee.smoothed_loss = context.smoothedLoss
  }

  @inline(__always)
  private func fill(_ values: Hyperparameters) {
    pointer.pointee.learning_rate = values.learningRate
    pointer.pointee.momentum = values.momentum
    pointer.pointee.weight_decay = values.weightDecay
  }

  private func fill(_ outcome: PhaseContext.Outcome) {
    let (number, reason): (crest_outcome, String?) =
      switch outcome {
      case .running: (CREST_RUNNING, nil)
      case .finished: (CREST_FINISHED, nil)
      case .cancelled(let cancellation): (CREST_CANCELLED, "\(cancellation)")
      case .interrupted: (CREST_INTERRUPTED, nil)
      case .failed(let error): (CREST_FAILURE, "\(error)")
      }
    pointer.pointee.outcome = Int32(number.rawValue)
    if reason == nil && self.reason == nil { return }
    self.reason = reason
    pointer.pointee.reason = reason.map { UnsafePointer(text($0)) }
  }

  /// Text that stays until the next epoch or hook of a fit.
  private func text(_ text: String) -> UnsafeMutablePointer<CChar> {
    let characters = Array(text.utf8CString)
    let memory = UnsafeMutablePointer<CChar>.allocate(capacity: characters.count)
    memory.initialize(from: characters, count: characters.count)
    texts.append(memory)
    return memory
  }

  private func clearResults() {
    pointer.pointee.metrics = nil
    pointer.pointee.metric_count = 0
    pointer.pointee.reason = nil
    reason = nil
    metricMemory?.deallocate()
    metricMemory = nil
    metrics = []
    for text in texts { text.deallocate() }
    texts = []
  }
}
