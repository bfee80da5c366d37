import CrestData
import CrestTensor
import Testing

@Suite struct DataErrorTests {
  static let messages: [(DataError, String)] = [
    (.notAFolder(path: "a"), "a is not a folder; give the folder that holds the data set's files"),
    (
      .ambiguousFolder(path: "a", found: ["b", "c"]),
      "a holds files of several data sets (b, c); give each its own folder"
    ),
    (
      .missingFile(path: "a"),
      "a is missing; the data set's other files are there, so add it or unpack the set again"
    ),
    (.unsuitableTable(path: "a", reason: "it holds no row"), "a: it holds no row"),
    (.unreadable(path: "a", reason: "Permission denied"), "a can't be read: Permission denied"),
    (.notText(path: "a", line: 2, byte: 7, reason: "no"), "a, line 2, byte 7: no"),
    (
      .shortText(path: "a", part: "validation", count: 3, length: 4),
      "a: its validation part has 3 tokens, expected at least 5 for examples of 4; give a longer text, or a smaller "
        + "sequence length"
    ),
    (.tokenizer(name: "a", reason: "no"), "a: no"),
    (
      .noColumn(path: "a", name: "b", known: ["c", "d"]),
      "a has no column \"b\", expected one of c, d"
    ),
    (.notARegularFile(path: "a"), "a is not a regular file; put the data itself there"),
    (
      .fileTooLarge(path: "a", byteCount: 9, limit: 8),
      "a is 9 bytes long, expected at most 8; replace it with the data set's own file"
    ),
    (
      .truncated(path: "a", expected: 22, got: 21),
      "a is truncated: expected 22 bytes, got 21; fetch the file again"
    ),
    (
      .trailingBytes(path: "a", expected: 22),
      "a has bytes after the 22 that its header declares; fetch the file again"
    ),
    (
      .wrongMagic(path: "a", expected: 2051, got: 2049),
      "a begins with the number 2049, expected 2051; the file isn't of the kind that its name "
        + "says"
    ),
    (
      .impossibleSizes(path: "a", sizes: [3, 0, 2]),
      "the header of a gives the sizes 3 × 0 × 2, which no file has; fetch the file again"
    ),
    (
      .partialRecord(path: "a", byteCount: 3074, recordByteCount: 3073),
      "a is 3074 bytes long, not a multiple of the record size 3073; fetch the file again"
    ),
    (
      .corruptGzip(path: "a", offset: 7, reason: "incorrect data check"),
      "a is damaged at offset 7 of the compressed file: incorrect data check; fetch the file again"
    ),
    (
      .countMismatch(path: "a", count: 3, otherPath: "b", otherCount: 2),
      "a holds 3 examples, but b holds 2; both must come from the same set"
    ),
    (
      .exampleMismatch(path: "a", example: "[1]", otherPath: "b", otherExample: "[2]"),
      "an example of a is [1], but one of b is [2]; give both the same shape and type"
    ),
    (
      .labelOutOfRange(path: "a", index: 5, label: 12, classCount: 10),
      "label 5 of a is 12, but the set's classes are 0 to 9; number the classes from 0 and use the same ones for training and validation"
    ),
    (
      .wrongClassCount(path: "a", expected: 10, got: 2),
      "a names 2 classes, expected 10, one per line"
    ),
    (
      .malformedLine(path: "a", line: 3, expected: "65 integers"),
      "line 3 of a is malformed: expected 65 integers"
    ),
    (
      .malformedTable(path: "a", line: 3, column: 2, reason: "a quote that nothing closes"),
      "a, line 3, column 2: a quote that nothing closes"
    ),
    (
      .malformedTable(path: "a", line: 3, column: nil, reason: "1 cell"), "a, line 3: 1 cell"
    ),
    (
      .ownValidation(name: "a"),
      "a has its own validation part; omit the fraction for validation"
    ),
    (.noExamples(path: "a"), "a holds no examples; a set needs at least one"),
    (
      .scalarArray(path: "a"),
      "a holds a single number; the first dimension must be the number of examples"
    ),
    (
      .valueOutOfRange(path: "a", index: 2, value: 1e300),
      "element 2 of a is 1e+300, which float32 can't hold; scale the data"
    ),
    (
      .npy(path: "a", .tooManyDimensions(limit: 64)),
      "a: the array has more than 64 dimensions, which is the most NumPy allows"
    ),
    (
      .mixedInputs(path: "a", nameless: "train-x.npy", named: ["train-x.b.npy"]),
      "a holds train-x.npy and train-x.b.npy; keep the first for a single input, or only the others for several"
    ),
    (
      .emptyExamples(path: "a", count: 3, shape: [0, 2]),
      "a: 3 examples of shape [0, 2], which have no elements; store the model's inputs"
    ),
    (
      .tooFewExamples(name: "a", count: 2),
      "a has 2 examples and no validation set, too few to hold some out; add a validation set"
    ),
    (
      .unsuitableTransform(name: "flip", dataset: "a", reason: "because"),
      "the transform flip can't be used on a: because"
    ),
    (
      .tooLarge(path: "a.gz", byteCount: 2_147_483_648, memory: 1_000_000),
      "a.gz: what it holds takes 2147483648 bytes, expected at most the 1000000 that this process may take; give "
        + "fewer examples, or raise the process's limit"
    ),
    (
      .noThread(reason: "Resource temporarily unavailable"),
      "no thread could be started for prefetching: Resource temporarily unavailable; set "
        + "prefetch to 0"
    ),
    (
      .negativeLabel(path: "a", index: 3, label: -1),
      "label 3 of a is -1; number the classes from 0 up, or store values to predict as floats"
    ),
    (
      .tooManyClasses(path: "a", index: 3, label: 2_000_000, limit: 1_048_576),
      "label 3 of a is 2000000, but integers are classes, at most 1048576, numbered from 0 up; "
        + "store values to predict as floats"
    ),
    (
      .unsuitablePreprocessing(name: "a", reason: "because"),
      "a can't be preprocessed as requested: because; give other data, or choose another "
        + "preprocessing"
    ),
    (
      .unsuitableShape(name: "a", stored: [2, 3], wanted: [3, 2]),
      "the examples of a are [2, 3] and can't be rearranged to [3, 2]; expected the same images "
        + "with channels first or last"
    ),
  ]

  @Test(arguments: messages)
  func `says what, where, expected, got and what to do`(error: DataError, message: String) {
    #expect("\(error)" == message)
  }
}
