import CrestLayers
import CrestRuntime
public import CrestTraining

/// Ends a fit with the mean of the weights that its last part passed through, which often predicts better than any of
/// them.
///
///     a ← a + (w - a) / (n + 1)   for the (n + 1)-th weights w; of the parameters alone
///
/// At the end, the running statistics of batch norms are estimated anew for the mean
/// (`Learner.recomputeBatchNormStatistics(batches:augmented:)`), and the fit measures it
/// (`FitResult.Origin.measuredAfterwards`); validation until then is of the trained weights. The mean comes after best
/// weights that another callback restores. A fit that fails, is interrupted or ends before anything was averaged keeps
/// the trained weights. After training went back (``DivergenceGuard``), averaging begins anew.
///
/// The weights must keep moving: let the learning rate stay constant or cycle in the last part, at a fraction of its
/// highest value, as in
///
/// ```swift
/// let rates = try Schedule.sequence([
///   .init(.fraction(0.75), .cosine(from: 0.1, to: 0.02)), .init(.rest, .constant(0.02)),
/// ])
/// try learner.fit(epochs: 20, callbacks: [ParameterScheduler(rates), SWA(from: .fraction(0.75))])
/// ```
///
/// Izmailov et al., "Averaging weights leads to wider optima" (arXiv:1803.05407); PyTorch's `AveragedModel` and
/// `update_bn`, Lightning's `StochasticWeightAveraging`.
public final class SWA: StatefulCallback {
  /// When averaging begins.
  public enum Start: Sendable, Hashable, CustomStringConvertible {
    /// After a fraction of the fit's steps, from 0 to below 1.
    case fraction(Double)
    /// In an epoch, counted from 0.
    case epoch(Int)

    /// As in `0.75` or `epoch 3`.
    public var description: String {
      switch self {
      case .fraction(let fraction): "\(fraction)"
      case .epoch(let epoch): "epoch \(epoch)"
      }
    }

    /// Parses a ``description``, with or without the space; nil for any other text.
    public init?(_ text: String) {
      guard text.hasPrefix("epoch") else {
        guard let fraction = Double(text) else { return nil }
        self = .fraction(fraction)
        return
      }
      guard let epoch = Int(text.dropFirst("epoch".count).drop { $0 == " " }) else { return nil }
      self = .epoch(epoch)
    }
  }

  /// How often weights are taken into the mean.
  public enum Frequency: String, Sendable, Hashable, CaseIterable {
    /// After the training of each epoch.
    case epoch
    /// After each optimiser step.
    case step
  }

  /// All it remembers.
  public struct State: Codable, Sendable, Hashable {
    /// The mean of the parameters, for which statistics are estimated at the end; nil before the first.
    fileprivate var mean: [Float]?
    /// The weights that it is of.
    public fileprivate(set) var count = 0
  }

  /// When averaging begins.
  public let start: Start
  /// How often weights are taken in.
  public let every: Frequency
  /// The most batches of which batch-norm statistics are estimated.
  public let batches: Int
  /// All it remembers.
  public var state = State()

  /// A mean.
  ///
  /// - Parameters:
  ///   - start: When averaging begins.
  ///   - every: How often weights are taken in.
  ///   - batches: The most batches of which batch-norm statistics are estimated at the end.
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)``.
  public init(
    from start: Start = .fraction(0.75), every: Frequency = .epoch, batches: Int = 100
  ) throws(CallbackError) {
    switch start {
    case .fraction(let fraction):
      try CallbackError.require(
        fraction >= 0 && fraction < 1, "from", fraction, "a fraction from 0 to below 1", of: "SWA")
    case .epoch(let epoch):
      try CallbackError.require(epoch >= 0, "from", epoch, "an epoch from 0 on", of: "SWA")
    }
    try CallbackError.require(batches >= 1, "batches", batches, "at least 1", of: "SWA")
    self.start = start
    self.every = every
    self.batches = batches
  }

  /// Takes weights in, and gives the model their mean at the end.
  public var hooks: [Hook] {
    let take: Hook =
      switch every {
      case .step: .afterStep { self.add($0, of: $0.fit, epoch: $0.epoch) }
      case .epoch: .afterTrain { self.add($0, of: $0.epoch.fit, epoch: $0.epoch.index) }
      }
    return [.beforeFit(begin), take, .afterBatch(startAnew), .afterFit(finish)]
  }
  /// After what restores other weights.
  public var order: Int { CallbackOrder.batchNorm }
  /// How it averages.
  public var settings: [String: String] {
    ["start": "\(start)", "every": every.rawValue, "batches": "\(batches)"]
  }

  /// A mean of another model.
  public func objection(to state: State, in learner: Learner) -> String? {
    guard let mean = state.mean else { return state.count == 0 ? nil : "a mean" }
    let count = learner.model.store.withBuffer(.parameters, \.count)
    return mean.count == count && state.count >= 1 ? nil : "a mean of this model"
  }

  private func begin(_ fit: FitContext) throws {
    try fit.lendWeights(by: self)
    state = State()
  }

  private func add(_ phase: PhaseContext, of fit: FitContext, epoch: Int) {
    let isDue =
      switch start {
      case .fraction(let fraction): Double(fit.stepsTaken) > fraction * Double(fit.stepCount)
      case .epoch(let first): epoch >= first
      }
    // A step that was cancelled has changed nothing; a training that was ended early has.
    let isDone = every == .step ? phase.outcome.isFinished : phase.outcome.isInOrder
    guard isDue, isDone else { return }
    let store = phase.learner.model.store
    var mean = state.mean ?? store.withBuffer(.parameters) { Array($0) }
    state.mean = nil
    let count = Float(state.count)
    ParameterStore.Weights.approach(&mean, .parameters, of: store, decay: count / (count + 1))
    state.mean = mean
    state.count += 1
  }

  private func startAnew(_ batch: BatchContext) { if batch.hasGoneBack { state = State() } }

  private func finish(_ fit: FitContext) throws {
    defer { state = State() }
    guard fit.outcome.isInOrder, let mean = state.mean else { return }
    fit.learner.model.store.withBuffer(.parameters) { parameters in
      for place in mean.indices { parameters[place] = mean[place] }
    }
    try fit.learner.recomputeBatchNormStatistics(batches: batches)
  }
}
