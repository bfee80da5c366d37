/// What a callback is called elsewhere: a row of the reference.
package struct CallbackNames: Sendable {
  /// The type.
  package let type: String
  /// The name in Lightning, PyTorch or timm.
  package let pytorch: String?
  /// The name in Keras.
  package let keras: String?
  /// The name in fastai.
  package let fastai: String?

  private init(
    _ type: String, pytorch: String? = nil, keras: String? = nil, fastai: String? = nil
  ) {
    self.type = type
    self.pytorch = pytorch
    self.keras = keras
    self.fastai = fastai
  }

  /// All callbacks that are shipped.
  package static let all = [
    CallbackNames("ActivationStats", fastai: "ActivationStats"),
    CallbackNames("AdaptiveGradientClip", pytorch: "timm: adaptive_clip_grad"),
    CallbackNames("BackupAndRestore", pytorch: "fit(ckpt_path=…)", keras: "BackupAndRestore"),
    CallbackNames("CSVLogger", pytorch: "CSVLogger", keras: "CSVLogger", fastai: "CSVLogger"),
    CallbackNames("DivergenceGuard", pytorch: "SpikeDetection"),
    CallbackNames(
      "EMA", pytorch: "EMAWeightAveraging, ModelEmaV3", keras: "SwapEMAWeights"),
    CallbackNames(
      "EarlyStopping", pytorch: "EarlyStopping", keras: "EarlyStopping",
      fastai: "EarlyStoppingCallback"),
    CallbackNames("FineTuneScheduler", pytorch: "BackboneFinetuning", fastai: "fine_tune"),
    CallbackNames("FreezeParameters", pytorch: "BaseFinetuning", fastai: "freeze_to"),
    CallbackNames(
      "GatherPredictions", pytorch: "BasePredictionWriter", fastai: "GatherPredsCallback"),
    CallbackNames(
      "GradientAccumulation", pytorch: "accumulate_grad_batches",
      keras: "gradient_accumulation_steps", fastai: "GradientAccumulation"),
    CallbackNames("GradientCentralization"),
    CallbackNames(
      "GradientClip", pytorch: "clip_grad_norm_, clip_grad_value_",
      keras: "global_clipnorm, clipvalue", fastai: "GradientClip"),
    CallbackNames("GradientNoiseScale"),
    CallbackNames("GradientStatistics", pytorch: "grad_norm"),
    CallbackNames("LRFinder", pytorch: "LearningRateFinder", fastai: "LRFinder"),
    CallbackNames("LearningRateEstimate"),
    CallbackNames(
      "LearningRateScheduler", pytorch: "LambdaLR", keras: "LearningRateScheduler"),
    CallbackNames(
      "LimitBatches", pytorch: "limit_train_batches, limit_val_batches",
      keras: "steps_per_epoch, validation_steps", fastai: "ShortEpochCallback"),
    CallbackNames("Lookahead", pytorch: "Lookahead", fastai: "Lookahead"),
    CallbackNames(
      "ModelCheckpoint", pytorch: "ModelCheckpoint", keras: "ModelCheckpoint",
      fastai: "SaveModelCallback"),
    CallbackNames("OneCycleScheduler", pytorch: "OneCycleLR", fastai: "fit_one_cycle"),
    CallbackNames("ParameterScheduler", fastai: "ParamScheduler"),
    CallbackNames("PassTimer", pytorch: "Timer"),
    CallbackNames(
      "ProgressBar", pytorch: "TQDMProgressBar", keras: "ProgbarLogger",
      fastai: "ProgressCallback"),
    CallbackNames("RecomputeBatchNormStatistics", pytorch: "update_bn"),
    CallbackNames("Recorder", keras: "History", fastai: "Recorder"),
    CallbackNames(
      "ReduceLROnPlateau", pytorch: "ReduceLROnPlateau", keras: "ReduceLROnPlateau",
      fastai: "ReduceLROnPlateau"),
    CallbackNames("SWA", pytorch: "StochasticWeightAveraging"),
    CallbackNames("SAM"),
    CallbackNames("StepLogger", pytorch: "log_every_n_steps"),
    CallbackNames(
      "TensorBoardLogger", pytorch: "TensorBoardLogger", keras: "TensorBoard",
      fastai: "TensorBoardCallback"),
    CallbackNames(
      "TerminateOnNaN", pytorch: "detect_anomaly", keras: "TerminateOnNaN",
      fastai: "TerminateOnNaNCallback"),
    CallbackNames("TimeLimit", pytorch: "Timer"),
    CallbackNames(
      "ValidateEvery", pytorch: "check_val_every_n_epoch, val_check_interval",
      keras: "validation_freq"),
  ]
}
