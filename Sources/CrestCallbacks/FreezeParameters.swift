import CrestLayers
public import CrestOptimizers
import CrestRuntime
public import CrestTraining

/// Freezes parameters in some epochs of a fit: from one on, until one, or both.
///
/// ```swift
/// // A head for two epochs, then the whole network.
/// try FreezeParameters(.matching("backbone.*"), until: 2)
/// // A bias that settles in three epochs.
/// try FreezeParameters(.matching("whiten.bias"), from: 3)
/// ```
///
/// Frozen parameters keep their bits, and take no time in the backward pass. Unlike `Learner.freeze(_:)`, which
/// resets the optimiser, this keeps all moments: those of frozen parameters wait. Normalisations follow the learner's
/// `Learner.FrozenNormalization`. After the fit, what the learner itself froze is frozen, and nothing else.
/// Lightning's `BaseFinetuning`, fastai's `freeze_to` and `unfreeze` between fits.
public final class FreezeParameters: Callback {
  /// Which parameters.
  public let parameters: ParameterChoice
  /// The first epoch in which they are frozen, from 0.
  public let from: Int
  /// The first epoch after that in which they train again; nil for none.
  public let until: Int?

  /// A time of being frozen.
  ///
  /// - Parameters:
  ///   - parameters: Which parameters.
  ///   - from: The first epoch in which they are frozen, counted from 0 in the fit.
  ///   - until: The first epoch in which they train again; nil for none.
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` unless 0 ≤ `from` < `until`, and one of
  ///   them says something.
  public init(_ parameters: ParameterChoice, from: Int = 0, until: Int? = nil) throws(CallbackError)
  {
    try CallbackError.require(from >= 0, "from", from, "an epoch from 0 on", of: "FreezeParameters")
    if let until {
      try CallbackError.require(
        until > from, "until", until, "an epoch after \(from)", of: "FreezeParameters")
    }
    self.parameters = parameters
    self.from = from
    self.until = until
  }

  /// Finds at once whether the patterns match anything.
  public var hooks: [Hook] {
    [.beforeFit { [parameters] fit in _ = try parameters.names(in: fit.learner.model.store) }]
  }
  /// When it freezes what.
  public var settings: [String: String] {
    [
      "parameters": "\(parameters)", "from": "\(from)",
      "until": until.map { "\($0)" } ?? "the end",
    ]
  }

  /// The parameters, in the epochs from the first on.
  public func frozenParameters(inEpoch epoch: Int) -> ParameterChoice? {
    epoch >= from && epoch < until ?? .max ? parameters : nil
  }
}
