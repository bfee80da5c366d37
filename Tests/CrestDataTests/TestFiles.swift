import CZlib
import CrestData
import CrestTensor
import Testing

/// An IDX file.
func idx(magic: UInt32, sizes: [UInt32], _ bytes: [UInt8]) -> [UInt8] {
  ([magic] + sizes).flatMap { word in
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) }
  } + bytes
}

/// The gzip form of `bytes`.
func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
  var stream = z_stream()
  let begun = deflateInit2_(
    &stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
    CInt(MemoryLayout<z_stream>.size))
  try #require(begun == Z_OK)
  defer { deflateEnd(&stream) }
  var input = bytes
  var output = [UInt8](repeating: 0, count: bytes.count + bytes.count / 100 + 100)
  let count = input.withUnsafeMutableBufferPointer { input in
    output.withUnsafeMutableBufferPointer { output in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(input.count)
      stream.next_out = output.baseAddress
      stream.avail_out = UInt32(output.count)
      let status = deflate(&stream, Z_FINISH)
      return status == Z_STREAM_END ? output.count - Int(stream.avail_out) : nil
    }
  }
  return Array(output.prefix(try #require(count)))
}

extension Dataset {
  /// The examples at `indices` as one batch.
  func batch(_ indices: [Int]) throws -> Batch {
    var batch = Batch(zerosFor: self, count: indices.count)
    try write(indices[...], into: &batch)
    return batch
  }
}

/// Numbered examples: example `i` is an image of `shape` full of `i`, of class `i % 3`.
func numberedImages(_ count: Int, shape: Shape = [1, 2, 2]) -> ByteImages {
  ByteImages(
    name: "numbers",
    bytes: (0..<count).flatMap { [UInt8](repeating: UInt8($0), count: shape.elementCount) },
    shape: shape, labels: (0..<count).map { Int64($0 % 3) }, classNames: ["a", "b", "c"],
    preprocessing: Preprocessing(
      layout: .channelsFirst, divisor: 1, mean: [], standardDeviation: []))
}
