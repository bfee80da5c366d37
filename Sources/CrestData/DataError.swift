public import CrestTensor

/// What is wrong with a data set that the user named, and where.
///
/// Paths are as the user gave them, offsets and sizes in bytes.
public enum DataError: Error, Equatable, Sendable {
  /// The name is neither that of a built-in set nor a path that exists.
  case unknownSource(String, builtIn: [String])
  /// The path is a file, and data sets are folders.
  case notAFolder(path: String)
  /// The folder has no file of a known data set format.
  case unrecognisedFolder(path: String)
  /// The folder has files of several data set formats.
  case ambiguousFolder(path: String, found: [String])
  /// A file that belongs to the others of the folder is missing.
  case missingFile(path: String)
  /// The system refused to open or read a file or list a folder.
  case unreadable(path: String, reason: String)
  /// The path is a folder, a pipe or a device where a file is expected.
  case notARegularFile(path: String)
  /// A file that must be small is not.
  case fileTooLarge(path: String, byteCount: Int, limit: Int)
  /// What the file holds takes more memory than the process may take.
  case tooLarge(path: String, byteCount: Int, memory: Int)
  /// The file ends early.
  case truncated(path: String, expected: Int, got: Int)
  /// The file has bytes after its expected end.
  case trailingBytes(path: String, expected: Int)
  /// The file's format differs from what its name says.
  case wrongMagic(path: String, expected: UInt32, got: UInt32)
  /// The sizes in the file's header multiply to more than can be counted, or one is zero.
  case impossibleSizes(path: String, sizes: [Int])
  /// The file doesn't hold a whole number of records.
  case partialRecord(path: String, byteCount: Int, recordByteCount: Int)
  /// The file's gzip data are damaged.
  case corruptGzip(path: String, offset: Int, reason: String)
  /// Two files must hold the same number of examples and don't.
  case countMismatch(path: String, count: Int, otherPath: String, otherCount: Int)
  /// Two files must hold examples of the same shape and type and don't.
  case exampleMismatch(path: String, example: String, otherPath: String, otherExample: String)
  /// A label names no class.
  case labelOutOfRange(path: String, index: Int, label: Int64, classCount: Int)
  /// The list of class names has the wrong length.
  case wrongClassCount(path: String, expected: Int, got: Int)
  /// A line of the file is not as expected.
  case malformedLine(path: String, line: Int, expected: String)
  /// A line of a table, or a cell of it, is not as expected; columns count from 1.
  case malformedTable(path: String, line: Int, column: Int?, reason: String)
  /// A table that can't be learned from, or isn't of the columns that it should be.
  case unsuitableTable(path: String, reason: String)
  /// A fraction for validation was asked for of a set that has its own part.
  case ownValidation(name: String)
  /// There is no example in the file.
  case noExamples(path: String)
  /// A file of text has bytes that are none; bytes of a line count from 1.
  case notText(path: String, line: Int, byte: Int, reason: String)
  /// A part of a text has fewer tokens than one example and the token after it.
  case shortText(path: String, part: String, count: Int, length: Int)
  /// A tokenizer that can't be used.
  case tokenizer(name: String, reason: String)
  /// A table has no column of that name.
  case noColumn(path: String, name: String, known: [String])
  /// An array has no dimension that counts examples.
  case scalarArray(path: String)
  /// A value does not fit in the type used for training.
  case valueOutOfRange(path: String, index: Int, value: Double)
  /// The file isn't a readable `.npy` file.
  case npy(path: String, NPYError)
  /// The folder has both a nameless input and named ones.
  case mixedInputs(path: String, nameless: String, named: [String])
  /// A single example, which can't be split.
  case tooFewExamples(name: String, count: Int)
  /// Examples with an input without elements.
  case emptyExamples(path: String, count: Int, shape: Shape)
  /// A transform can't work on the set's examples.
  case unsuitableTransform(name: String, dataset: String, reason: String)
  /// The system refused a thread for prefetching.
  case noThread(reason: String)
  /// A label below 0.
  case negativeLabel(path: String, index: Int, label: Int64)
  /// A label above the largest possible class.
  case tooManyClasses(path: String, index: Int, label: Int64, limit: Int)
  /// A preprocessing that doesn't fit the set's examples.
  case unsuitablePreprocessing(name: String, reason: String)
  /// A shape that the set's examples can't be given.
  case unsuitableShape(name: String, stored: Shape, wanted: Shape)
  /// A number that the element type of a model's input can't represent.
  case inexactElement(
    name: String, input: String, example: Int, value: String, expected: ElementType)
}

extension DataError {
  /// Rows of a table that became numbers by other figures than a model's.
  package static func otherTable(name: String) -> DataError {
    .unsuitablePreprocessing(
      name: name, reason: "its columns became numbers by other figures than those of the model")
  }
}

extension DataError: CustomStringConvertible {
  /// What is wrong, where, what was expected, what was found, and what to do.
  public var description: String {
    switch self {
    case .unknownSource(let name, let builtIn):
      "there is no data set and no folder \"\(name)\"; give one of \(builtIn.joined(separator: ", ")), "
        + "or the path of a folder of \(DataSource.folderKinds)"
    case .notAFolder(let path):
      "\(path) is not a folder; give the folder that holds the data set's files"
    case .unrecognisedFolder(let path):
      "\(path) holds no known data set; looked for \(DataSource.folderKinds)"
    case .ambiguousFolder(let path, let found):
      "\(path) holds files of several data sets (\(found.joined(separator: ", "))); "
        + "give each its own folder"
    case .missingFile(let path):
      "\(path) is missing; the data set's other files are there, so add it or unpack the set again"
    case .unreadable(let path, let reason):
      "\(path) can't be read: \(reason)"
    case .notARegularFile(let path):
      "\(path) is not a regular file; put the data itself there"
    case .fileTooLarge(let path, let byteCount, let limit):
      "\(path) is \(byteCount) bytes long, expected at most \(limit); "
        + "replace it with the data set's own file"
    case .tooLarge(let path, let byteCount, let memory):
      "\(path): what it holds takes \(byteCount) bytes, expected at most the \(memory) that this process may take; "
        + "give fewer examples, or raise the process's limit"
    case .truncated(let path, let expected, let got):
      "\(path) is truncated: expected \(expected) bytes, got \(got); fetch the file again"
    case .trailingBytes(let path, let expected):
      "\(path) has bytes after the \(expected) that its header declares; fetch the file again"
    case .wrongMagic(let path, let expected, let got):
      "\(path) begins with the number \(got), expected \(expected); the file isn't of the kind that "
        + "its name says"
    case .impossibleSizes(let path, let sizes):
      "the header of \(path) gives the sizes \(sizes.map(String.init).joined(separator: " × ")), "
        + "which no file has; fetch the file again"
    case .partialRecord(let path, let byteCount, let recordByteCount):
      "\(path) is \(byteCount) bytes long, not a multiple of the record size \(recordByteCount); "
        + "fetch the file again"
    case .corruptGzip(let path, let offset, let reason):
      "\(path) is damaged at offset \(offset) of the compressed file: \(reason); fetch the file again"
    case .countMismatch(let path, let count, let otherPath, let otherCount):
      "\(path) holds \(count) examples, but \(otherPath) holds \(otherCount); "
        + "both must come from the same set"
    case .exampleMismatch(let path, let example, let otherPath, let otherExample):
      "an example of \(path) is \(example), but one of \(otherPath) is \(otherExample); "
        + "give both the same shape and type"
    case .labelOutOfRange(let path, let index, let label, let classCount):
      "label \(index) of \(path) is \(label), but the set's classes are 0 to \(classCount - 1); "
        + "number the classes from 0 and use the same ones for training and validation"
    case .wrongClassCount(let path, let expected, let got):
      "\(path) names \(got) classes, expected \(expected), one per line"
    case .malformedTable(let path, let line, let column, let reason):
      "\(path), line \(line)\(column.map { ", column \($0)" } ?? ""): \(reason)"
    case .unsuitableTable(let path, let reason): "\(path): \(reason)"
    case .ownValidation(let name):
      "\(name) has its own validation part; omit the fraction for validation"
    case .malformedLine(let path, let line, let expected):
      "line \(line) of \(path) is malformed: expected \(expected)"
    case .noExamples(let path):
      "\(path) holds no examples; a set needs at least one"
    case .notText(let path, let line, let byte, let reason):
      "\(path), line \(line), byte \(byte): \(reason)"
    case .shortText(let path, let part, let count, let length):
      "\(path): its \(part) part has \(count) tokens, expected at least \(length + 1) for examples of \(length); "
        + "give a longer text, or a smaller sequence length"
    case .tokenizer(let name, let reason): "\(name): \(reason)"
    case .noColumn(let path, let name, let known):
      "\(path) has no column \"\(name)\", expected one of \(known.prefix(20).joined(separator: ", "))"
        + (known.count > 20 ? " and \(known.count - 20) more" : "")
    case .scalarArray(let path):
      "\(path) holds a single number; the first dimension must be the number of examples"
    case .valueOutOfRange(let path, let index, let value):
      "element \(index) of \(path) is \(value), which float32 can't hold; scale the data"
    case .npy(let path, let error):
      "\(path): \(error)"
    case .mixedInputs(let path, let nameless, let named):
      "\(path) holds \(nameless) and \(named.joined(separator: ", ")); keep the first for a single "
        + "input, or only the others for several"
    case .emptyExamples(let path, let count, let shape):
      "\(path): \(count) examples of shape \(shape), which have no elements; store the model's inputs"
    case .tooFewExamples(let name, let count):
      "\(name) has \(count) \(count == 1 ? "example" : "examples") and no validation set, too few to "
        + "hold some out; add a validation set"
    case .unsuitableTransform(let name, let dataset, let reason):
      "the transform \(name) can't be used on \(dataset): \(reason)"
    case .noThread(let reason):
      "no thread could be started for prefetching: \(reason); set prefetch to 0"
    case .negativeLabel(let path, let index, let label):
      "label \(index) of \(path) is \(label); number the classes from 0 up, or store values to "
        + "predict as floats"
    case .tooManyClasses(let path, let index, let label, let limit):
      "label \(index) of \(path) is \(label), but integers are classes, at most \(limit), numbered from 0 "
        + "up; store values to predict as floats"
    case .unsuitablePreprocessing(let name, let reason):
      "\(name) can't be preprocessed as requested: \(reason); give other data, or choose another preprocessing"
    case .unsuitableShape(let name, let stored, let wanted):
      "the examples of \(name) are \(stored) and can't be rearranged to \(wanted); expected the same images with "
        + "channels first or last"
    case .inexactElement(let name, let input, let example, let value, let expected):
      "input \"\(input)\" of \(name): \(value) in example "
        + "\(example) (from 0) can't be represented exactly in \(expected), which the model takes; give numbers that \(expected) can represent"
    }
  }
}
