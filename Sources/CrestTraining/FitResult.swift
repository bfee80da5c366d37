import CrestLayers
import CrestOptimizers
public import CrestRuntime

extension FitResult {
  /// The results of an epoch.
  public struct Epoch: Codable, Sendable, Hashable {
    /// Its index in the fit, from 0.
    public let epoch: Int
    /// The results of training; nil if there were no examples.
    public let train: Pass?
    /// The results of validation; nil if there were no examples.
    public let validation: Pass?
    /// What callbacks reported in the epoch, by name.
    public let reports: [String: Double]
    /// The learning rate of its last step.
    public let learningRate: Double

    /// The results of `epoch` so far.
    public init(_ epoch: EpochContext) {
      self.epoch = epoch.index
      train = epoch.train
      validation = epoch.validation
      reports = epoch.reports
      learningRate = epoch.learningRate
    }

    /// The same epoch with other validation results.
    init(_ other: Epoch, validation: Pass) {
      epoch = other.epoch
      train = other.train
      self.validation = validation
      reports = other.reports
      learningRate = other.learningRate
    }

    /// Decodes results, which must be of a valid epoch.
    ///
    /// - Throws: `DecodingError`.
    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      epoch = try container.decode(Int.self, forKey: .epoch)
      train = try container.decode(Pass?.self, forKey: .train)
      validation = try container.decode(Pass?.self, forKey: .validation)
      reports = try container.decode([String: Double].self, forKey: .reports)
      learningRate = try container.decode(Double.self, forKey: .learningRate)
      guard (0..<Int.max).contains(epoch) else {
        throw DecodingError.dataCorruptedError(
          forKey: .epoch, in: container, debugDescription: "an epoch from 0")
      }
    }
  }
}

/// The network that a model holds after a fit that ended normally, with its results.
///
/// ```swift
/// try learner.fit(epochs: 20, callbacks: [EarlyStopping(patience: 3, restoresBest: true)])
/// if let result = learner.fitResult, let loss = result.validation?.loss {
///   print("the model is that of epoch \(result.epoch + 1), its validation loss \(loss)")
/// }
/// ```
///
/// ``Learner/evaluate(on:augmentations:requiringFinite:)`` reproduces the numbers of ``validation`` bit for bit,
/// and so does an exported file, unless a callback cancelled validation half-way.
public struct FitResult: Sendable, Hashable {
  /// Where the model's weights and results come from.
  public enum Origin: String, Sendable, Hashable, Codable {
    /// The weights are those that the last epoch's validation measured.
    case lastEpoch = "last epoch"
    /// A callback restored the weights of an earlier epoch, with its results.
    case restored
    /// Callbacks left weights that no validation had measured, such as an average that takes no
    /// part in validation; the fit measured them at the end.
    case measuredAfterwards = "measured afterwards"
    /// The last epoch ended before its validation: the weights are those that training left,
    /// without results.
    case notMeasured = "not measured"
  }

  /// Where the model's weights come from.
  public let origin: Origin
  /// The results, and the epoch that they and the model's weights are of.
  public let results: Epoch

  /// The epoch whose weights the model holds, from 0; the last one when they were measured afterwards.
  public var epoch: Int { results.epoch }
  /// The training results of that epoch, while the parameters changed.
  public var train: Pass? { results.train }
  /// The validation results of the model's weights; nil if they were not measured.
  public var validation: Pass? { results.validation }
  /// What callbacks reported in that epoch, by name.
  public var reports: [String: Double] { results.reports }
}

extension FitResult {
  /// The weights that an epoch's validation measured, with its results: what a callback keeps of the
  /// best epoch, to restore it with ``FitContext/restore(_:)`` when the fit ends.
  ///
  /// Of an epoch without validation, the weights are those at its end.
  public struct MeasuredWeights: Codable, Sendable, Hashable {
    /// The epoch's results.
    public let results: Epoch
    /// The weights.
    public let weights: ParameterStore.Weights

    /// The model's weights in an `afterEpoch` hook, which must be those that the epoch's validation
    /// measured.
    ///
    /// - Throws: ``LearnerError/measuredWeightsExchanged(epoch:)``.
    public init(of epoch: EpochContext) throws(LearnerError) {
      try epoch.checkHoldsMeasured()
      results = Epoch(epoch)
      weights = ParameterStore.Weights(of: epoch.learner.model.store)
    }
  }
}

extension EpochContext {
  /// Checks that the model still holds the weights that the epoch's validation measured; passes when there was
  /// none.
  ///
  /// Callbacks that save or keep weights by their results call this in their `afterEpoch` hook.
  ///
  /// - Throws: ``LearnerError/measuredWeightsExchanged(epoch:)`` when a callback has exchanged them since.
  public func checkHoldsMeasured() throws(LearnerError) {
    guard let measuredFingerprint else { return }
    guard learner.model.store.fingerprint == measuredFingerprint else {
      throw .measuredWeightsExchanged(epoch: index)
    }
  }
}
