/// A preprocessing for examples of one shape, which has been checked.
package struct ExamplePreparation: Sendable {
  private let preprocessing: Preprocessing
  /// The number of channels with their own mean and deviation.
  package let channelCount: Int
  /// How many values of one channel are contiguous.
  private let runLength: Int
  /// The results for the bytes 0 to 255, channel after channel.
  private let byteValues: [Float]

  /// - Throws: ``PreprocessingError`` when the examples' channels aren't those of `preprocessing`.
  package init(_ preprocessing: Preprocessing, _ example: Shape) throws(PreprocessingError) {
    self.preprocessing = preprocessing
    let count = preprocessing.mean.count
    let isSuitable =
      switch preprocessing.layout {
      case _ where count == 0: true
      case .asStored: count == 1
      case .channelsFirst: example.first == count
      case .channelsLast: example.last == count
      }
    guard isSuitable else {
      throw PreprocessingError(preprocessing: preprocessing, example: example)
    }
    let channelCount = max(count, 1)
    self.channelCount = channelCount
    runLength =
      preprocessing.layout == .channelsLast && channelCount > 1
      ? 1 : max(example.elementCount / channelCount, 1)
    byteValues = (0..<channelCount).flatMap { channel in
      (0..<256).map { preprocessing.value(Double($0), channel: channel) }
    }
  }

  /// Writes the preprocessed values for the bytes of whole examples.
  package func convert(
    _ bytes: UnsafeBufferPointer<UInt8>, to output: UnsafeMutableBufferPointer<Float>
  ) {
    byteValues.withUnsafeBufferPointer { values in
      eachRun(of: bytes.count) { channel, run in
        let table = UnsafeBufferPointer(rebasing: values[channel * 256..<channel * 256 + 256])
        for index in run { output[index] = table[Int(bytes[index])] }
      }
    }
  }

  /// Writes the preprocessed values for the floats of whole examples.
  package func convert(
    _ floats: UnsafeBufferPointer<Float>, to output: UnsafeMutableBufferPointer<Float>
  ) {
    eachRun(of: floats.count) { channel, run in
      for index in run {
        output[index] = preprocessing.value(Double(floats[index]), channel: channel)
      }
    }
  }

  /// Writes the preprocessed values for the integers of whole examples.
  package func convert<Integer: BinaryInteger>(
    _ integers: UnsafeBufferPointer<Integer>, to output: UnsafeMutableBufferPointer<Float>
  ) {
    eachRun(of: integers.count) { channel, run in
      for index in run {
        output[index] = preprocessing.value(Double(integers[index]), channel: channel)
      }
    }
  }

  /// Whole examples in a tensor of any type, preprocessed, as `float32`.
  package func applied(to examples: Tensor) -> Tensor {
    var result = Tensor(zeros: examples.shape)
    result.withMutableElements(as: Float.self) { output in
      switch examples.elementType {
      case .uint8: examples.withElements(as: UInt8.self) { convert($0, to: output) }
      case .float32: examples.withElements(as: Float.self) { convert($0, to: output) }
      case .float64, .float16, .bfloat16, .int8, .int16, .int32, .int64, .bool:
        let stored = examples.doubles
        eachRun(of: stored.count) { channel, run in
          for index in run { output[index] = preprocessing.value(stored[index], channel: channel) }
        }
      }
    }
    return result
  }

  /// Calls `body` with the range of each run of one channel among `count` values.
  @inline(__always)
  private func eachRun(of count: Int, _ body: (_ channel: Int, _ run: Range<Int>) -> Void) {
    var channel = 0
    for start in stride(from: 0, to: count, by: runLength) {
      body(channel, start..<start + runLength)
      channel = channel + 1 == channelCount ? 0 : channel + 1
    }
  }
}

/// An element of stored examples that preprocessing can turn into `float32`.
package protocol PreparableElement: TensorElement {
  /// Writes the preprocessed values of whole examples.
  static func prepare(
    _ stored: UnsafeBufferPointer<Self>, by preparation: ExamplePreparation,
    to output: UnsafeMutableBufferPointer<Float>)
}

extension UInt8: PreparableElement {
  package static func prepare(
    _ stored: UnsafeBufferPointer<UInt8>, by preparation: ExamplePreparation,
    to output: UnsafeMutableBufferPointer<Float>
  ) { preparation.convert(stored, to: output) }
}

extension Float: PreparableElement {
  package static func prepare(
    _ stored: UnsafeBufferPointer<Float>, by preparation: ExamplePreparation,
    to output: UnsafeMutableBufferPointer<Float>
  ) { preparation.convert(stored, to: output) }
}

extension PreparableElement where Self: BinaryInteger {
  package static func prepare(
    _ stored: UnsafeBufferPointer<Self>, by preparation: ExamplePreparation,
    to output: UnsafeMutableBufferPointer<Float>
  ) { preparation.convert(stored, to: output) }
}

extension Int8: PreparableElement {}
extension Int16: PreparableElement {}
extension Int32: PreparableElement {}
extension Int64: PreparableElement {}

extension ElementType {
  /// The element type of examples that become `float32` while a batch is made; nil if they don't.
  package var preparableElement: (any PreparableElement.Type)? {
    switch self {
    case .float32: Float.self
    case .uint8: UInt8.self
    case .int8: Int8.self
    case .int16: Int16.self
    case .int32: Int32.self
    case .int64: Int64.self
    case .float64, .float16, .bfloat16, .bool: nil
    }
  }
}
