/// Why the process ends, as `sysexits.h` numbers it; 0 is the only other code.
enum FailureCode: Int32 {
  /// Wrong options, or options that this machine can't grant (`EX_USAGE`).
  case usage = 64
  /// The model is refused (`EX_DATAERR`).
  case model = 65
  /// A fault of this program (`EX_SOFTWARE`).
  case software = 70
  /// A file that can't be read or written (`EX_IOERR`).
  case io = 74
}

/// Why there is no result.
enum JudgeError: Error, Equatable {
  /// The system grants less than a limit asked for.
  case limit(option: String, value: Int, reason: String)
  /// The result would replace the model it is made from.
  case outputIsSource(String)
  /// A file or folder that a system call refuses.
  case unreadable(String, reason: String)
  /// What can't be written.
  case unwritable(String, reason: String)
  /// A folder, a pipe or a device.
  case notAFile(String)
  /// The file changed its length.
  case changed(String)
  /// No bytes at all.
  case empty(String)
  /// More bytes than can be held twice.
  case tooLarge(String, byteCount: Int, memoryLimit: Int)
  /// Newer, or older, than what libonnx knows. `what` is "IR version" or the name of an operator set.
  case version(String, what: String, version: Int64, newest: Int64)
  /// What is wrong, mostly in libonnx's own words.
  case refused(String, by: Step, message: String)
  /// The memory limit, in MiB, was reached.
  case memory(String, limit: Int)
  /// The time limit, in seconds, was reached.
  case time(String, limit: Int)
  /// libonnx failed in a way it has no words for.
  case fault(String, message: String)

  /// What libonnx was asked to do.
  enum Step: String {
    case parse = "can't be read"
    case check = "is not valid"
    case infer = "fails shape inference"
    case convert = "can't be converted"
    case checkOfConverted = "is not valid after conversion"

    /// What to do about it.
    fileprivate var advice: String {
      switch self {
      case .parse, .check, .infer: "correct the model or export it again"
      case .convert, .checkOfConverted:
        "choose another version, or export the model again at this one"
      }
    }
  }

  var code: FailureCode {
    switch self {
    case .limit, .outputIsSource: .usage
    case .unreadable, .unwritable, .notAFile, .changed: .io
    case .empty, .tooLarge, .version, .refused, .memory, .time: .model
    case .fault: .software
    }
  }

  /// What kind of refusal it is, for programs; nil when nothing was said about the model.
  var refusal: String? {
    switch self {
    case .empty, .tooLarge: "size"
    case .version: "version"
    case .refused(_, by: .parse, _): "unparsable"
    case .refused: "invalid"
    case .memory: "memory-limit"
    case .time: "time-limit"
    case .limit, .outputIsSource, .unreadable, .unwritable, .notAFile, .changed, .fault: nil
    }
  }
}

extension JudgeError: CustomStringConvertible {
  /// What, where, expected, got, what to do.
  var description: String {
    switch self {
    case .limit(let option, let value, let reason):
      "\(option) \(value): the system refuses this limit: \(reason); give a smaller one"
    case .outputIsSource(let path):
      "\(path): --output names the model itself, expected another file; choose another name"
    case .unreadable(let path, let reason):
      "\(path): it can't be read: \(reason); check the path and its permissions"
    case .unwritable(let path, let reason):
      "\(path): it can't be written: \(reason)"
    case .notAFile(let path):
      "\(path): expected a regular file, got a folder, a pipe or a device; give the model's file"
    case .changed(let path):
      "\(path): its length changed while it was read; try again when nobody writes it"
    case .empty(let path):
      "\(path): expected an ONNX model, got an empty file; export the model again"
    case .tooLarge(let path, let byteCount, let memoryLimit):
      "\(path): expected at most half the memory limit of \(memoryLimit) MiB, since the model is held "
        + "twice, got \(byteCount) bytes; raise --memory-limit"
    case .version(let path, let what, let version, let newest):
      "\(path): libonnx \(Official.release) supports \(what) 1 to \(newest), got \(version); "
        + "use a checker of a newer ONNX, or export the model for \(newest) or older"
    case .refused(let path, let step, let message):
      "\(path): the model \(step.rawValue): \(message); "
        + step.advice
    case .memory(let path, let limit):
      "\(path): expected a model that needs at most \(limit) MiB of memory, but it needs more; "
        + "raise --memory-limit if you trust the file"
    case .time(let path, let limit):
      "\(path): expected a model that needs at most \(limit) s of processor time, but it needs more; "
        + "raise --time-limit if you trust the file"
    case .fault(let path, let message):
      "\(path): libonnx failed: \(message); this is a fault of crest-onnx-check, please report it"
    }
  }
}
