/// A point in the training loop, with what a callback does there.
///
/// The loop, with the hooks in the order they are called:
///
/// ```
/// beforeFit
///   beforeEpoch
///     beforeTrain
///       beforeBatch · forward · afterPrediction · loss · afterLoss
///         beforeBackward · backward · afterBackward
///         beforeStep · optimiser · afterStep
///       afterBatch
///     afterTrain
///     beforeValidate
///       beforeBatch · forward · afterPrediction · loss · afterLoss · afterBatch
///     afterValidate
///   afterEpoch
/// afterFit
/// ```
///
/// Within a hook, callbacks run by their ``Callback/order``. An after hook also runs when its phase
/// was cancelled, failed or was interrupted, and sees that as ``PhaseContext/outcome``: exactly
/// once for each callback whose before hook was reached, including the one that threw in it.
///
/// `beforeInterruption` is called before a batch when the fit is asked to end there, and after the
/// last one when a callback ends the fit with an error (``FitContext/end(with:)``).
///
/// The names are fastai's (`after_pred` is `afterPrediction`). Of others:
///
/// | here | Keras | Lightning |
/// |---|---|---|
/// | `beforeFit`, `afterFit` | `on_train_begin`, `on_train_end` | `on_fit_start`, `on_fit_end` |
/// | `beforeEpoch`, `afterEpoch` | `on_epoch_begin`, `on_epoch_end` | |
/// | `beforeTrain`, `afterTrain` | | `on_train_epoch_start`, `on_train_epoch_end` |
/// | `beforeValidate`, `afterValidate` | `on_test_begin`, `on_test_end` | `on_validation_start`, `…_end` |
/// | `beforeBatch`, `afterBatch` | `on_train_batch_begin`, `…_end` | `on_train_batch_start`, `…_end` |
/// | `beforeBackward`, `afterBackward` | | `on_before_backward`, `on_after_backward` |
/// | `beforeStep` | | `on_before_optimizer_step` |
public enum Hook {
  /// Before anything else of a fit.
  case beforeFit((FitContext) throws -> Void)
  /// Before an epoch.
  case beforeEpoch((EpochContext) throws -> Void)
  /// Before the pass over the training examples.
  case beforeTrain((PassContext) throws -> Void)
  /// Before a batch of training or validation is given to the model, and may still be changed.
  case beforeBatch((BatchContext) throws -> Void)
  /// When the model has predicted.
  case afterPrediction((BatchContext) throws -> Void)
  /// When the loss is known.
  case afterLoss((BatchContext) throws -> Void)
  /// Before gradients are computed.
  case beforeBackward((BatchContext) throws -> Void)
  /// When the gradients are in the store.
  case afterBackward((BatchContext) throws -> Void)
  /// Before the optimiser's step: the last chance to change gradients.
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
  /// Between two batches, when the learner's ``Learner/InterruptionFlag`` or an error of
  /// ``FitContext/end(with:)`` was seen and before anything is unwound for it: the last moment at
  /// which the run can be saved and later resumed bit for bit.
  case beforeInterruption((FitContext) throws -> Void)
  /// After everything else of a fit.
  case afterFit((FitContext) throws -> Void)
}
