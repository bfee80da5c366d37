public import CrestTensor

/// Images of one byte a channel and pixel, each of one class.
///
/// The bytes stay bytes in memory, a quarter of `float32`; they are normalised while a batch is made.
public struct ByteImages: Dataset {
  /// What the set is called.
  public let name: String
  /// The one input, `image`: `float32`, channels first.
  public let inputs: [Field]
  /// One class an example.
  public let target: Target
  /// How bytes become numbers.
  public let preprocessing: Preprocessing
  /// The number of images.
  public let count: Int
  private let bytes: [UInt8]
  private let offset: Int
  private let stride: Int
  private let classes: [Int64]
  private let table: [Float]

  /// Images that lie one after the other in `bytes`.
  ///
  /// - Parameters:
  ///   - name: What the set is called.
  ///   - bytes: The images, and possibly other bytes before, between and after them.
  ///   - offset: Where in `bytes` the first image begins.
  ///   - stride: Bytes from the beginning of an image to that of the next; nil for those of one image.
  ///   - shape: Channels, rows and columns of an image.
  ///   - labels: The class of every image, an index into `classNames`.
  ///   - classNames: The names of the classes.
  ///   - preprocessing: How bytes become numbers.
  /// - Precondition: the labels are in range, `bytes` has room for all images, and the preprocessing
  ///   has as many channels as an image.
  public init(
    name: String, bytes: [UInt8], offset: Int = 0, stride: Int? = nil, shape: Shape,
    labels: [Int64], classNames: [String], preprocessing: Preprocessing
  ) {
    precondition(shape.rank == 3, "an image has channels, rows and columns, got \(shape)")
    let stride = stride ?? shape.elementCount
    let end = labels.isEmpty ? 0 : offset + (labels.count - 1) * stride + shape.elementCount
    precondition(
      offset >= 0 && stride >= shape.elementCount && end <= bytes.count,
      "\(labels.count) images of \(shape) by \(stride) from \(offset) on in \(bytes.count) bytes")
    precondition(
      labels.allSatisfy { classNames.indices.contains(Int($0)) },
      "a label is not in 0 ..< \(classNames.count)")
    precondition(
      preprocessing.mean.isEmpty || preprocessing.mean.count == shape[0],
      "\(preprocessing.mean.count) means for \(shape[0]) channels")
    self.name = name
    self.bytes = bytes
    self.offset = offset
    self.stride = stride
    self.preprocessing = preprocessing
    inputs = [Field(name: "image", elementType: .float32, shape: shape)]
    target = .classes(names: classNames, shape: [])
    count = labels.count
    classes = labels
    table = preprocessing.byteTable(channelCount: shape[0])
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
    let shape = inputs[0].shape
    let size = shape.elementCount
    let planeSize = shape[1] * shape[2]
    batch.inputs[0].withMutableElements(as: Float.self) { output in
      bytes.withUnsafeBufferPointer { bytes in
        table.withUnsafeBufferPointer { table in
          for (row, example) in examples.enumerated() {
            precondition(example >= 0 && example < count, "example \(example) of \(count)")
            for channel in 0..<shape[0] {
              let plane = channel * planeSize
              let source = bytes[(offset + example * stride + plane)...].prefix(planeSize)
              let values = UnsafeBufferPointer(rebasing: table[channel * 256..<channel * 256 + 256])
              let start = row * size + plane
              ByteImages.convert(
                UnsafeBufferPointer(rebasing: source), by: values,
                to: UnsafeMutableBufferPointer(rebasing: output[start..<start + planeSize]))
            }
          }
        }
      }
    }
    batch.targets.withMutableElements(as: Int64.self) { output in
      for (row, example) in examples.enumerated() { output[row] = classes[example] }
    }
  }

  private static func convert(
    _ bytes: UnsafeBufferPointer<UInt8>, by values: UnsafeBufferPointer<Float>,
    to output: UnsafeMutableBufferPointer<Float>
  ) {
    for index in 0..<bytes.count { output[index] = values[Int(bytes[index])] }
  }
}
