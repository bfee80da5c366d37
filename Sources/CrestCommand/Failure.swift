import Crest
import CrestImages
import CrestPlugins

/// The exit codes other than 0, numbered as in `sysexits.h`.
enum FailureCode: Int32 {
  /// Wrong options, names or numbers (`EX_USAGE`).
  case usage = 64
  /// A model or data that can't be used (`EX_DATAERR`).
  case data = 65
  /// Training that diverged: a loss or gradient that is not finite.
  case diverged = 66
  /// A fault in Crest (`EX_SOFTWARE`).
  case software = 70
  /// A file that can't be read or written (`EX_IOERR`).
  case io = 74
  /// Ended by SIGINT, SIGTERM or SIGHUP.
  case interrupted = 130
}

/// An error as the user sees it: an exit code and one message.
struct Failure {
  let code: FailureCode
  let message: String
  /// What ended the run, for JSON: `interrupted`, `diverged` or `failed`.
  let ended: String

  /// The failure for `error`; nil for errors of the argument parser, which has its own messages.
  init?(_ error: any Error) {
    guard let code = Self.code(of: error) else {
      if Self.isOfParser(error) { return nil }
      self.code = .software
      message = "\(error); this is a bug in crest; please report it"
      ended = "failed"
      return
    }
    self.code = code
    message = Self.message(of: error)
    ended =
      switch (code, error) {
      case (.interrupted, _), (_, CommandError.notSaved): "interrupted"
      case (.diverged, _): "diverged"
      default: "failed"
      }
  }

  private static func isOfParser(_ error: any Error) -> Bool {
    String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
  }

  private static func code(of error: any Error) -> FailureCode? {
    switch error {
    case let error as CommandError: error.code
    case let error as LossError: error.code
    case is OptimizerError, is ParameterError, is ScheduleError, is EngineError:
      .usage
    case let error as CallbackError: error.code
    case let error as DataError: error.code
    case let error as ImageError: error.code
    case let error as ModelError: error.code
    case let error as TextWriterError: error.code
    case let error as ONNXError: error.code
    case let error as LearnerError: error.code
    case let error as PluginError: error.code
    case let error as RangeTest.Refusal: error.code
    case let error as CheckpointError: error.code
    case is StateError, is SafetensorsError: .data
    case let error as PatchWhiteningError: error.code
    case let error as NonFiniteLoss: error.isDivergence ? .diverged : .data
    case is GraphError, is ProgramError: .data
    case is OutputError: .io
    default: nil
    }
  }
}

extension ImageError {
  fileprivate var code: FailureCode {
    switch self {
    case .unreadable: .io
    case .unknownFormat, .undecodable, .impossibleSize, .badFiles, .noClasses, .oneClass,
      .emptyClass, .classNotTrained, .noImages, .circle, .table, .pattern, .noTestPart,
      .unreadableName, .partWithoutTraining:
      .data
    }
  }
}

extension ONNXError {
  fileprivate var code: FailureCode {
    switch self {
    case .unreadable, .unwritable: .io
    case .notARegularFile, .malformed, .overLimit, .unsupportedElementType, .externalData,
      .invalid, .unsupported, .notExportable, .tooLargeToWrite:
      .data
    case .nonFiniteStatistic: .diverged
    }
  }
}

extension CheckpointError {
  fileprivate var code: FailureCode? {
    switch self {
    case .unreadable, .unwritable, .locked, .tooManyFailures: .io
    case .malformed, .notACheckpoint, .newerFormat, .checksum, .malformedState, .unsuitable,
      .weights, .noFit, .noneReadable:
      .data
    case .otherEpochs, .occupied: .usage
    case .nonFiniteStatistic: .diverged
    case .notAtSavePoint: nil
    }
  }
}

extension CallbackError {
  fileprivate var code: FailureCode {
    switch self {
    case .outOfRange, .unknownMetric, .noBatchNorm, .severalBatches, .noExampleLosses: .usage
    case .nonFiniteGradient: .diverged
    case .unwritable, .logTooShort, .otherLog, .logChanged: .io
    }
  }
}

extension RangeTest.Refusal {
  fileprivate var code: FailureCode {
    switch self {
    case .outOfRange: .usage
    case .oneClass, .untrainedLoss, .neverLearns, .noVerdict: .data
    case .allDiverged: .diverged
    }
  }
}

extension PluginError {
  fileprivate var code: FailureCode {
    switch self {
    case .notFound, .ambiguous, .configuration, .policy: .usage
    case .unreadable: .io
    case .refused, .unlocked, .rehearsal, .manifestLies, .failed, .state: .data
    }
  }
}

extension DataError {
  fileprivate var code: FailureCode {
    switch self {
    case .unknownSource, .unsuitableTransform: .usage
    case .unreadable: .io
    default: .data
    }
  }
}

extension ModelError {
  fileprivate var code: FailureCode {
    switch self {
    case .unknownName, .unknownTextModel, .otherTextModel: .usage
    default: .data
    }
  }
}

extension TextWriterError {
  fileprivate var code: FailureCode {
    switch self {
    case .noTokens, .input, .output, .looksAhead, .notFinite: .data
    case .emptyPrompt, .unknownTokens: .usage
    }
  }
}

extension PatchWhiteningError {
  fileprivate var code: FailureCode {
    switch self {
    case .images: .data
    case .parameter: .usage
    }
  }
}

extension LossError {
  fileprivate var code: FailureCode {
    switch self {
    case .unknownName, .unknownSetting, .setting, .noClasses, .classAxis, .weights: .usage
    case .targets: .data
    }
  }
}

extension LearnerError {
  fileprivate var code: FailureCode? {
    switch self {
    case .loss(let error, _): error.code
    case .binaryLabels, .targetOutOfRange, .unsuitableTarget, .unusualNumbers: .data
    case .epochs, .learningRate, .batchSize, .prefetch, .transformCount, .unsuitableMetric,
      .twoOwners,
      .twoReporters, .twoAccumulators, .twoLenders, .tooManyEpochs, .mixing:
      .usage
    case .emptyData, .inputCount, .missingInput, .inputType, .classCount, .examples, .noParameters,
      .rowsTogether, .leftover, .momentsTooLarge, .augmentation:
      .data
    case .interrupted: .interrupted
    case .oneValuePerChannel: .usage
    case .metricNamedTwice, .callbackAddedTwice, .callbackInUse, .cancelOutOfPlace,
      .measuredWeightsExchanged:
      nil
    }
  }
}
