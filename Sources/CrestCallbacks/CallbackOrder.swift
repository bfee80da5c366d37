/// The orders of the shipped callbacks, for a callback that runs before or after one of them.
///
/// ```swift
/// var order: Int { CallbackOrder.scheduler + 1 }
/// ```
///
/// Lower orders run first in each hook, equal ones as they were added; a callback that says nothing
/// has 0. The numbers are fastai's where it has the callback. A check of the loss runs before
/// reports of it, a report of an epoch before callbacks that may end the fit because of it, and
/// what saves the run after everything else, so that all states are of the same moment.
public enum CallbackOrder {
  /// ``LRFinder``.
  public static let finder = Int.min
  /// ``LimitBatches`` and ``ValidateEvery``.
  public static let limit = -20
  /// ``DivergenceGuard``.
  public static let divergence = -10
  /// ``TerminateOnNaN``.
  public static let check = -9
  /// ``EMA`` and ``Lookahead``.
  public static let average = -8
  /// ``SAM``.
  public static let sharpness = 5
  /// ``GradientAccumulation``.
  public static let accumulation = 6
  /// ``LearningRateEstimate``.
  public static let estimate = 7
  /// ``GradientStatistics`` and ``GradientNoiseScale``.
  public static let gradients = 8
  /// ``GradientCentralization``.
  public static let centralization = 10
  /// ``GradientClip`` and ``AdaptiveGradientClip``.
  public static let clip = 11
  /// ``Recorder``, ``GatherPredictions`` and ``ActivationStats``.
  public static let recorder = 50
  /// ``CSVLogger`` and ``StepLogger``.
  public static let logger = 51
  /// ``OneCycleScheduler``, ``ParameterScheduler`` and ``LearningRateScheduler``.
  public static let scheduler = 60
  /// ``ProgressBar``.
  public static let progress = 61
  /// ``ReduceLROnPlateau``.
  public static let reducer = 62
  /// ``EarlyStopping`` and ``TimeLimit``.
  public static let stopper = 63
  /// ``RecomputeBatchNormStatistics`` and ``SWA``.
  public static let batchNorm = 64
  /// ``ModelCheckpoint`` and ``BackupAndRestore``.
  public static let checkpoint = Int.max
}
