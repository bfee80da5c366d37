/// A point in the training loop, with what a plugin does there.
///
/// The names and their order are those of Crest's own `Hook`, which are fastai's:
///
/// ```
/// beforeFit
///   beforeEpoch
///     beforeTrain
///       beforeBatch · afterPrediction · afterLoss · beforeBackward · afterBackward · beforeStep ·
///       afterStep · afterBatch
///     afterTrain
///     beforeValidate
///       beforeBatch · afterPrediction · afterLoss · afterBatch
///     afterValidate
///   afterEpoch
/// afterFit
/// ```
public enum Hook {
  /// Before anything else of a fit.
  case beforeFit((FitContext) throws -> Void)
  /// Before an epoch.
  case beforeEpoch((EpochContext) throws -> Void)
  /// Before the pass over the training examples.
  case beforeTrain((PassContext) throws -> Void)
  /// Before a batch of training or validation is given to the model.
  case beforeBatch((BatchContext) throws -> Void)
  /// When the model has predicted.
  case afterPrediction((BatchContext) throws -> Void)
  /// When the loss is known.
  case afterLoss((BatchContext) throws -> Void)
  /// Before gradients are computed.
  case beforeBackward((BatchContext) throws -> Void)
  /// When the gradients are computed.
  case afterBackward((BatchContext) throws -> Void)
  /// Before the optimiser's step.
  case beforeStep((BatchContext) throws -> Void)
  /// When the parameters are updated.
  case afterStep((BatchContext) throws -> Void)
  /// After a batch of training or validation.
  case afterBatch((BatchContext) throws -> Void)
  /// After the pass over the training examples, whose mean loss is known.
  case afterTrain((PassContext) throws -> Void)
  /// Before the pass over the validation examples.
  case beforeValidate((PassContext) throws -> Void)
  /// After the pass over the validation examples, whose metrics are known.
  case afterValidate((PassContext) throws -> Void)
  /// After an epoch.
  case afterEpoch((EpochContext) throws -> Void)
  /// After everything else of a fit.
  case afterFit((FitContext) throws -> Void)
}

/// A part of training that hooks surround and a ``Cancel`` can end, outermost first.
public enum Phase: Int, Sendable, Hashable, CaseIterable {
  /// The whole of it.
  case fit
  /// One pass over the training examples and one over the validation examples.
  case epoch
  /// The pass over the training examples.
  case train
  /// The pass over the validation examples.
  case validate
  /// One batch of either pass.
  case batch
  /// From the loss to the gradients; in training only.
  case backward
  /// The optimiser's step; in training only.
  case step
}

/// What a plugin reads during events.
public enum Capture: Sendable, Hashable {
  /// The parameters, at every hook.
  case parameters
  /// The running statistics, as of batch norm, at every hook.
  case statistics
  /// The gradients of a training batch, from `afterBackward` to `afterBatch`.
  case gradients
  /// The model's first output, from `afterPrediction` to `afterBatch`.
  case predictions
  /// The loss of each prediction, from `afterLoss` to `afterBatch`.
  case losses
  /// The output of the layer at a path, from `afterPrediction` to `afterBatch`.
  case activation(String)
}

/// A number that controls the optimiser.
public enum Hyperparameter: Int, Sendable, Hashable, CaseIterable {
  /// The step size.
  case learningRate
  /// The momentum, or β₁ in Adam and its variants.
  case momentum
  /// The weight decay.
  case weightDecay
}

/// A part of a hyperparameter that only one callback may set: the effective value is base × factor.
public enum HyperparameterPart: Sendable, Hashable {
  /// The base of a hyperparameter: a scheduler's.
  case base(Hyperparameter)
  /// The factor of its base: set by callbacks that react to results.
  case factor(Hyperparameter)
}
