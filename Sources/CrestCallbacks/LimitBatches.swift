public import CrestTraining

/// Ends each pass over the training or validation examples after some batches.
///
/// An epoch is then so many batches long: schedules, callbacks that count epochs, and resuming go by that. Each epoch has
/// an order of its own, so that a limited one sees other examples than the one before; validation always measures the
/// first of its set. With a limit of training batches, what happens once in an epoch (validation, checkpoints, early
/// stopping) happens every so many batches of a large set.
///
/// fastai's `ShortEpochCallback`, Keras's `steps_per_epoch` and `validation_steps`, Lightning's `limit_train_batches` and
/// `limit_val_batches`.
public final class LimitBatches: Callback {
  /// The training batches of an epoch at most; nil for all.
  public let training: Int?
  /// The validation batches at most; nil for all.
  public let validation: Int?

  /// A limit.
  ///
  /// - Throws: ``CallbackError/outOfRange(callback:parameter:value:expected:)`` unless a limit is given, and each is at
  ///   least 1.
  public init(training: Int? = nil, validation: Int? = nil) throws(CallbackError) {
    let name = "LimitBatches"
    for (limit, parameter) in [(training, "training"), (validation, "validation")] {
      guard let limit else { continue }
      try CallbackError.require(limit >= 1, parameter, limit, "at least 1 batch", of: name)
    }
    try CallbackError.require(
      training != nil || validation != nil, "training", "not given",
      "a limit of training or validation batches", of: name)
    self.training = training
    self.validation = validation
  }

  /// Says so before the fit.
  public var hooks: [Hook] {
    [.beforeFit { [self] in $0.limitBatches(training: training, validation: validation) }]
  }
  /// Before what asks for the number of steps.
  public var order: Int { CallbackOrder.limit }
  /// The limits.
  public var settings: [String: String] {
    ["training": Self.text(training), "validation": Self.text(validation)]
  }

  private static func text(_ limit: Int?) -> String { limit.map { "\($0)" } ?? "none" }
}
