import CZlib
import CrestFiles

/// Inflates gzip data (RFC 1952) piece by piece into buffers of known size.
///
/// The caller asks for as many bytes as the content's own header announces and never more, so a small
/// file that would inflate without end does no harm.
struct GzipReader: ~Copyable {
  /// Deflate can't compress further than this, so a larger claim can be refused without reading the
  /// data.
  static let largestRatio = 1032

  private let path: String
  private let compressed: [UInt8]
  private let stream: UnsafeMutablePointer<z_stream>
  private var consumed = 0
  private var hasEnded = false
  private(set) var producedByteCount = 0

  /// A reader of the gzip file `compressed`, which came from `path`.
  ///
  /// - Throws: ``DataError/corruptGzip(path:offset:reason:)`` when zlib can't begin.
  init(_ compressed: [UInt8], path: String) throws(DataError) {
    self.path = path
    self.compressed = compressed
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 15 bits of window, and 16 more to ask for gzip's frame instead of zlib's.
    let status = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
    guard status == Z_OK else {
      stream.deallocate()
      throw .corruptGzip(path: path, offset: 0, reason: "zlib can't begin (status \(status))")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Whether the data are too short to hold `byteCount` bytes, however well compressed.
  private func cannotHold(_ byteCount: Int) -> Bool {
    byteCount / GzipReader.largestRatio > compressed.count
  }

  /// The next `count` bytes.
  ///
  /// - Throws: ``DataError/corruptGzip(path:offset:reason:)``,
  ///   ``DataError/truncated(path:expected:got:)`` if the content ends earlier, or
  ///   ``DataError/tooLarge(path:byteCount:memory:)`` before anything is unpacked.
  mutating func bytes(count: Int) throws(DataError) -> [UInt8] {
    let before = producedByteCount
    guard !cannotHold(before + count) else {
      throw .corruptGzip(
        path: path, offset: compressed.count,
        reason: "\(compressed.count) compressed bytes can't hold the \(before + count) announced")
    }
    try DataError.checkMemory(count, path)
    var got = 0
    let bytes = try [UInt8](count: count) { (buffer) throws(DataError) in
      got = try inflate(into: buffer)
      if got < count {
        throw .truncated(path: path, expected: before + count, got: before + got)
      }
    }
    producedByteCount += got
    return bytes
  }

  /// Makes sure that the content ends here and that its checksum is right.
  ///
  /// - Throws: ``DataError/trailingBytes(path:expected:)`` or
  ///   ``DataError/corruptGzip(path:offset:reason:)``.
  mutating func finish() throws(DataError) {
    let byte = UnsafeMutableRawBufferPointer.allocate(byteCount: 1, alignment: 1)
    defer { byte.deallocate() }
    guard try inflate(into: byte) == 0 else {
      throw .trailingBytes(path: path, expected: producedByteCount)
    }
  }

  /// Inflates until `buffer` is full or the content ends; returns how many bytes were written.
  private mutating func inflate(into buffer: UnsafeMutableRawBufferPointer) throws(DataError) -> Int
  {
    var written = 0
    while written < buffer.count, !hasEnded {
      // zlib counts in 32 bits.
      let input = Swift.min(compressed.count - consumed, 1 << 30)
      let output = Swift.min(buffer.count - written, 1 << 30)
      let status = compressed.withUnsafeBufferPointer { bytes in
        stream.pointee.next_in = UnsafeMutablePointer(
          mutating: bytes.baseAddress.map { $0 + consumed })
        stream.pointee.avail_in = UInt32(input)
        stream.pointee.next_out = buffer.baseAddress.map {
          ($0 + written).assumingMemoryBound(to: UInt8.self)
        }
        stream.pointee.avail_out = UInt32(output)
        return CZlib.inflate(stream, Z_NO_FLUSH)
      }
      consumed += input - Int(stream.pointee.avail_in)
      written += output - Int(stream.pointee.avail_out)
      switch status {
      case Z_OK: break
      case Z_STREAM_END: try beginNextMember()
      case Z_BUF_ERROR:
        throw .corruptGzip(path: path, offset: consumed, reason: "the compressed data ends early")
      default:
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib's status is \(status)"
        throw .corruptGzip(path: path, offset: consumed, reason: reason)
      }
    }
    return written
  }

  /// A gzip file may consist of several members one after the other.
  private mutating func beginNextMember() throws(DataError) {
    if consumed == compressed.count {
      hasEnded = true
    } else if inflateReset(stream) != Z_OK {
      throw .corruptGzip(path: path, offset: consumed, reason: "zlib can't begin the next member")
    }
  }
}
