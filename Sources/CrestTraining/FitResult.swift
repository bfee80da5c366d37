import CrestLayers
import CrestOptimizers
import CrestRuntime

/// What an epoch of a fit gave.
public struct EpochResult: Codable, Sendable, Hashable {
  /// Its place in the fit, from 0.
  public let epoch: Int
  /// What the pass over the training examples gave; nil when it saw none.
  public let train: PassResult?
  /// What the pass over the validation examples gave; nil when it saw none.
  public let validation: PassResult?
  /// What callbacks reported in the epoch, by name.
  public let reports: [String: Double]
  /// The learning rate of its last step.
  public let learningRate: Double

  /// What `epoch` gave so far.
  public init(_ epoch: EpochContext) {
    self.epoch = epoch.index
    train = epoch.train
    validation = epoch.validation
    reports = epoch.reports
    learningRate = epoch.learningRate
  }

  /// The same epoch with other numbers of validation.
  init(_ other: EpochResult, validation: PassResult) {
    epoch = other.epoch
    train = other.train
    self.validation = validation
    reports = other.reports
    learningRate = other.learningRate
  }

  /// Reads what was saved, which must be of an epoch that can be.
  ///
  /// - Throws: `DecodingError`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    epoch = try container.decode(Int.self, forKey: .epoch)
    train = try container.decode(PassResult?.self, forKey: .train)
    validation = try container.decode(PassResult?.self, forKey: .validation)
    reports = try container.decode([String: Double].self, forKey: .reports)
    learningRate = try container.decode(Double.self, forKey: .learningRate)
    guard (0..<Int.max).contains(epoch) else {
      throw DecodingError.dataCorruptedError(
        forKey: .epoch, in: container, debugDescription: "an epoch from 0")
    }
  }
}

/// The network that a model holds after a fit that ended in order, and what was measured of it.
///
/// ```swift
/// try learner.fit(epochs: 20, callbacks: [EarlyStopping(patience: 3, restoresBest: true)])
/// if let result = learner.fitResult, let loss = result.validation?.loss {
///   print("the model is that of epoch \(result.epoch + 1), its validation loss \(loss)")
/// }
/// ```
///
/// ``Learner/evaluate(on:requiringFinite:)`` gives the numbers of ``validation`` again, to the bit, and so does a file
/// that the model is exported to; unless a callback cancelled validation half-way, of which only a part was measured.
public struct FitResult: Sendable, Hashable {
  /// How the model came by its weights, and its numbers with them.
  public enum Origin: String, Sendable, Hashable, Codable {
    /// The weights are those that the last epoch's validation measured.
    case lastEpoch = "last epoch"
    /// A callback gave the weights of an earlier epoch back, whose numbers these are.
    case restored
    /// Callbacks left other weights than any validation had measured, as an average that takes no part in
    /// validation; the fit measured them when it had ended.
    case measuredAfterwards = "measured afterwards"
    /// The last epoch was cut short before its validation: the weights are as training left them, and nothing was
    /// measured of them.
    case notMeasured = "not measured"
  }

  /// How the model came by its weights.
  public let origin: Origin
  /// The results, and the epoch that they and the model's weights are of.
  public let results: EpochResult

  /// The epoch whose weights the model holds, from 0; the last one when they were measured afterwards.
  public var epoch: Int { results.epoch }
  /// What training gave in that epoch, while the parameters moved.
  public var train: PassResult? { results.train }
  /// What validation gave of the weights that the model holds; nil when nothing was measured of them.
  public var validation: PassResult? { results.validation }
  /// What callbacks reported in that epoch, by name.
  public var reports: [String: Double] { results.reports }
}

/// The weights that an epoch's validation measured, with what it measured: what a callback keeps of the best
/// epoch, to give it back with ``FitContext/restore(_:)`` when the fit ends.
///
/// Of an epoch without validation, the weights are those at its end.
public struct MeasuredWeights: Codable, Sendable, Hashable {
  /// What the epoch gave.
  public let results: EpochResult
  /// The weights.
  public let weights: Weights

  /// What the model holds in an `afterEpoch` hook, which must be what the epoch's validation measured.
  ///
  /// - Throws: ``LearnerError/measuredWeightsExchanged(epoch:)``.
  public init(of epoch: EpochContext) throws(LearnerError) {
    try epoch.checkHoldsMeasured()
    results = EpochResult(epoch)
    weights = Weights(of: epoch.learner.model.store)
  }
}

extension EpochContext {
  /// Checks that the model still holds the weights that the epoch's validation measured; passes when there was
  /// none.
  ///
  /// What saves or keeps weights by their results asks this in its `afterEpoch` hook.
  ///
  /// - Throws: ``LearnerError/measuredWeightsExchanged(epoch:)`` when a callback has exchanged them since.
  public func checkHoldsMeasured() throws(LearnerError) {
    guard let measuredFingerprint else { return }
    guard learner.model.store.fingerprint == measuredFingerprint else {
      throw .measuredWeightsExchanged(epoch: index)
    }
  }
}
