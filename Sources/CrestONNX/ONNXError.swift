/// What is wrong with an ONNX model, its external data, or the path to write one to.
public enum ONNXError: Error, Equatable, Sendable {
  /// Where in a model a fault is.
  public struct Place: Equatable, Sendable, CustomStringConvertible {
    /// The model's file, or a placeholder.
    public var file: String
    /// The offset of the fault from the start of the file, in bytes.
    public var offset: Int
    /// The field by its names in ONNX's definition, as in `graph.node[3].attribute[0].ints`.
    public var field: String

    /// A place in a file.
    public init(file: String, offset: Int, field: String) {
      self.file = file
      self.offset = offset
      self.field = field
    }

    /// As in `model.onnx: graph.node[3] (byte 1042)`.
    public var description: String { "\(file): \(field) (byte \(offset))" }
  }

  /// The model can't be opened or read.
  case unreadable(file: String, reason: String)
  /// The path leads to a folder, a pipe or a device.
  case notARegularFile(file: String)
  /// The bytes aren't a well-formed ONNX model.
  case malformed(Place, expected: String, got: String)
  /// A count or a size is beyond what any real model has.
  case overLimit(Place, limit: String)
  /// A tensor's elements are of a type that `Tensor` lacks.
  case unsupportedElementType(Place, type: String)
  /// A tensor is in an external data file that must not or can't be read.
  case externalData(Place, location: String, problem: ExternalDataProblem)
  /// The model breaks a rule of ONNX, or its values don't fit an operation.
  case invalid(file: String, ModelProblem)
  /// The model has operations that Crest doesn't support, all of which are listed.
  case unsupported(file: String, [UnsupportedOperation])
  /// The file can't be written.
  case unwritable(file: String, reason: String)
  /// A node without an equivalent in the operator set that is written.
  case notExportable(
    operation: String, path: String, opset: Int64, expected: String, got: String)
  /// A running statistic that is infinite or not a number.
  case nonFiniteStatistic(name: String, value: Float)
  /// The model would be larger than any protobuf reader accepts.
  case tooLargeToWrite(file: String, byteCount: Int, limit: Int)
}

extension ONNXError {
  /// Why an external data file isn't read.
  public enum ExternalDataProblem: Equatable, Sendable {
    /// The model came from bytes, so that there is no folder to look in.
    case noFolder
    /// The location isn't a plain relative path below the model's folder.
    case forbiddenLocation
    /// A part of the path is a symbolic link, or leads out of the model's folder.
    case leavesFolder
    /// There is no such file.
    case missing
    /// It is a folder, a pipe or a device.
    case notARegularFile
    /// The file has other names, which may lie outside the model's folder.
    case hardLinked(count: Int)
    /// The tensor's bytes would lie beyond the end of the file.
    case beyondEnd(offset: Int, byteCount: Int, fileByteCount: Int)
    /// The length isn't that of the tensor's type and shape.
    case wrongLength(expected: Int, got: Int)
    /// Tensors take more bytes from it than it could have for them.
    case overused(byteCount: Int, fileByteCount: Int)
    /// Most of the file is missing: it has holes, which read as zeros.
    case holes(storedByteCount: Int, fileByteCount: Int)
    /// The system refused to open or read it.
    case unreadable(reason: String)
  }
}

extension ONNXError: CustomStringConvertible {
  /// What, where, expected, got and what to do; control characters of a file's strings are escaped,
  /// and long texts are cut.
  public var description: String {
    let text = fullDescription
    let limit = 1 << 14
    let start =
      text.utf8.count > limit ? text.unicodeScalars.prefix(limit) : text.unicodeScalars[...]
    guard start.count < text.unicodeScalars.count || start.contains(where: \.isControl) else {
      return text
    }
    let escaped = start.map { $0.isControl ? $0.escaped(asASCII: true) : String($0) }.joined()
    return escaped + (start.endIndex == text.unicodeScalars.endIndex ? "" : "…")
  }

  private var fullDescription: String {
    switch self {
    case .unreadable(let file, let reason):
      "\(file) can't be read: \(reason)"
    case .notARegularFile(let file):
      "\(file) is not a regular file; name the .onnx file itself"
    case .malformed(let place, let expected, let got):
      "\(place): expected \(expected), got \(got); the file is damaged or not an ONNX model, export or "
        + "download it again"
    case .overLimit(let place, let limit):
      "\(place): expected at most \(limit), got more; no model is that large, the file is damaged "
        + "or made to exhaust memory"
    case .unsupportedElementType(let place, let type):
      "\(place): expected elements of one of the types \(ElementTypeNames.all), got \(type); "
        + "export the model with one of these"
    case .externalData(let place, let location, let problem):
      "\(place): the external data file \"\(location)\" is not read: \(problem)"
    case .invalid(let file, let problem):
      "\(file): \(problem)"
    case .unsupported(let file, let operations):
      "\(file): \(operations.count) of its nodes can't be run: "
        + UnsupportedOperation.grouped(operations).joined(separator: "; ")
        + "; export the model without these operations"
    case .unwritable(let file, let reason):
      "\(file) can't be written: \(reason)"
    case .notExportable(let operation, let path, let opset, let expected, let got):
      "\(path.isEmpty ? operation : "layer \"\(path)\" (\(operation))"): expected \(expected), got "
        + "\(got); opset \(opset) can't express it; build the layer from other operations"
    case .nonFiniteStatistic(let name, let value):
      "the running statistic \(name) is \(value.isNaN ? "nan" : "\(value)"), so the model is not exported; train again "
        + "at a lower learning rate, or find out what produced it"
    case .tooLargeToWrite(let file, let byteCount, let limit):
      "\(file) would take \(byteCount) bytes, expected at most \(limit), the most that readers of "
        + "protobuf accept; keep the weights in external data files"
    }
  }
}

extension ONNXError.ExternalDataProblem: CustomStringConvertible {
  /// The reason and what to do.
  public var description: String {
    switch self {
    case .noFolder:
      "the model was given as bytes, so there is no folder to find it in; open the model by its path"
    case .forbiddenLocation:
      "expected a relative path below the model's folder, without \"..\", backslashes or zero "
        + "bytes; save the model again with its data beside it"
    case .leavesFolder:
      "the path has a symbolic link or leads out of the model's folder; put the file itself beside "
        + "the model"
    case .missing:
      "there is no such file in the model's folder; keep the model and its data together"
    case .notARegularFile:
      "it is not a regular file; put the data themselves beside the model"
    case .hardLinked(let count):
      "the file has \(count) names (hard links), and others may be outside the model's "
        + "folder; replace it with a copy"
    case .beyondEnd(let offset, let byteCount, let fileByteCount):
      "\(byteCount) bytes from offset \(offset) on are needed, but the file has only "
        + "\(fileByteCount) bytes; the file is truncated or belongs to another model"
    case .wrongLength(let expected, let got):
      "expected \(expected) bytes according to the tensor's type and shape, got a length of \(got); the file "
        + "is damaged, export the model again"
    case .overused(let byteCount, let fileByteCount):
      "its tensors take \(byteCount) bytes in all, expected at most twice the file's \(fileByteCount); "
        + "the model is damaged or made to exhaust memory"
    case .holes(let storedByteCount, let fileByteCount):
      "only \(storedByteCount) of its \(fileByteCount) bytes are stored, expected at least one in "
        + "\(TensorReader.holeFactor); the file is incomplete or made to exhaust memory"
    case .unreadable(let reason):
      "\(reason); check that you may read it"
    }
  }
}

extension Unicode.Scalar {
  /// Whether a terminal may take it for a command.
  var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}
