public import CrestTensor

/// Images with one byte per channel and pixel, each with one class.
///
/// The bytes stay bytes in memory, a quarter of the size of `float32`; they are normalised while a
/// batch is made.
public struct ByteImages: Dataset {
  /// The name of the set.
  public let name: String
  /// The one input, `image`: `float32`, channels first.
  public let inputs: [Field]
  /// One class per example.
  public let target: Target
  /// The preprocessing of bytes.
  public let preprocessing: Preprocessing
  /// The number of images.
  public let count: Int
  private let bytes: [UInt8]
  private let offset: Int
  private let stride: Int
  private let classes: [Int64]
  private let preparation: ExamplePreparation

  /// Images stored one after the other in `bytes`.
  ///
  /// - Parameters:
  ///   - name: The name of the set.
  ///   - bytes: The images, and possibly other bytes before, between and after them.
  ///   - offset: Where in `bytes` the first image begins.
  ///   - stride: Bytes from the beginning of an image to that of the next; nil for the size of one
  ///     image.
  ///   - shape: Channels, rows and columns of an image.
  ///   - labels: The class of every image, an index into `classNames`.
  ///   - classNames: The names of the classes.
  ///   - preprocessing: The preprocessing of bytes.
  /// - Precondition: the labels are in range, `bytes` has room for all images, and the
  ///   preprocessing fits the number of channels.
  public init(
    name: String, bytes: [UInt8], offset: Int = 0, stride: Int? = nil, shape: Shape,
    labels: [Int64], classNames: [String], preprocessing: Preprocessing
  ) {
    programmerError(
      unless: shape.rank == 3, "an image has channels, rows and columns, got \(shape)")
    let stride = stride ?? shape.elementCount
    let (before, overflow) = max(labels.count - 1, 0).multipliedReportingOverflow(by: stride)
    let isWithin =
      labels.isEmpty
      || !overflow && offset <= bytes.count - shape.elementCount
        && before <= bytes.count - shape.elementCount - offset
    programmerError(
      unless: offset >= 0 && stride >= shape.elementCount && isWithin,
      "\(labels.count) images of \(shape) by \(stride) from \(offset) on in \(bytes.count) bytes")
    if let place = labels.firstIndex(where: { !classNames.indices.contains(Int($0)) }) {
      programmerError(
        "label \(place) is \(labels[place]), not in 0 ..< \(classNames.count)")
    }
    do throws(PreprocessingError) {
      preparation = try ExamplePreparation(preprocessing, shape)
    } catch {
      programmerError("\(name): \(error)")
    }
    self.name = name
    self.bytes = bytes
    self.offset = offset
    self.stride = stride
    self.preprocessing = preprocessing
    inputs = [Field(name: "image", elementType: .float32, shape: shape, storedType: .uint8)]
    target = .classes(names: classNames, shape: [])
    count = labels.count
    classes = labels
  }

  private init(_ other: ByteImages, preparedBy preprocessing: Preprocessing) throws(DataError) {
    do throws(PreprocessingError) {
      preparation = try ExamplePreparation(preprocessing, other.inputs[0].shape)
    } catch {
      throw .unsuitablePreprocessing(name: other.name, reason: "\(error)")
    }
    (name, inputs, target, count) = (other.name, other.inputs, other.target, other.count)
    (bytes, offset, stride, classes) = (other.bytes, other.offset, other.stride, other.classes)
    self.preprocessing = preprocessing
  }

  /// The same images with other preprocessing.
  ///
  /// - Throws: ``DataError/unsuitablePreprocessing(name:reason:)`` if it doesn't fit the channels.
  public func prepared(by preprocessing: Preprocessing) throws(DataError) -> any Dataset {
    try ByteImages(self, preparedBy: preprocessing)
  }

  /// The same images rearranged to channels last, or back to channels first.
  ///
  /// - Throws: ``DataError/unsuitableShape(name:stored:wanted:)`` for any other shape.
  public func rearranged(to shape: Shape) throws(DataError) -> any Dataset {
    let stored = inputs[0].shape
    guard stored != shape else { return self }
    var images = Tensor(zeros: Shape([count] + stored.dimensions), elementType: .uint8)
    images.withMutableElements(as: UInt8.self) { output in
      for example in 0..<count {
        let start = offset + example * stride
        for index in 0..<stored.elementCount {
          output[example * stored.elementCount + index] = bytes[start + index]
        }
      }
    }
    return try TensorExamples(
      name: name, inputs: [(inputs[0].name, images)], targets: Tensor(classes),
      classNames: target.classNames, preprocessing: preprocessing
    ).rearranged(to: shape)
  }

  /// The class of every image.
  public var labels: [Int64]? { classes }

  /// A hash of shape, images and labels.
  public var fingerprint: String {
    var hash = Fingerprint()
    hash.add("ByteImages \(inputs[0].shape) \(count)")
    let size = inputs[0].shape.elementCount
    bytes.withUnsafeBytes { bytes in
      for index in 0..<count {
        let start = offset + index * stride
        hash.add(UnsafeRawBufferPointer(rebasing: bytes[start..<start + size]))
      }
    }
    for label in classes { hash.add(UInt64(bitPattern: label)) }
    return hash.text
  }

  /// Writes normalised images and their classes into the first rows of `batch`.
  public func write(_ examples: ArraySlice<Int>, into batch: inout Batch) {
    batch.require(examples.count, of: self)
    let size = inputs[0].shape.elementCount
    batch.inputs[0].withMutableElements(as: Float.self) { output in
      bytes.withUnsafeBufferPointer { bytes in
        for (row, example) in examples.enumerated() {
          programmerError(unless: example >= 0 && example < count, "example \(example) of \(count)")
          let start = offset + example * stride
          preparation.convert(
            UnsafeBufferPointer(rebasing: bytes[start..<start + size]),
            to: UnsafeMutableBufferPointer(rebasing: output[row * size..<(row + 1) * size]))
        }
      }
    }
    batch.targets.withMutableElements(as: Int64.self) { output in
      for (row, example) in examples.enumerated() { output[row] = classes[example] }
    }
  }
}
