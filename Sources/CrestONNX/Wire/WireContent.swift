package import CrestTensor

/// Bytes that are made only while they are written, in parts, so that a large model takes little memory.
package struct ByteStream {
  /// Takes a part.
  package typealias Sink = (UnsafeRawBufferPointer) throws(ONNXError) -> Void

  /// How many bytes there will be.
  package let byteCount: Int
  /// Gives all bytes to a sink, in order; may be called more than once.
  package let send: (Sink) throws(ONNXError) -> Void

  package init(byteCount: Int, send: @escaping (Sink) throws(ONNXError) -> Void) {
    self.byteCount = byteCount
    self.send = send
  }

  /// The elements of a tensor as they lie in memory, which is also ONNX's form.
  package init(_ tensor: Tensor) {
    byteCount = tensor.byteCount
    send = { (sink) throws(ONNXError) in
      try tensor.withUnsafeBytes { (bytes) throws(ONNXError) in try sink(bytes) }
    }
  }
}

/// Protobuf fields to be written: new ones, and ranges of a source as they are.
package struct WireContent {
  enum Chunk {
    case bytes([UInt8])
    case source(ByteSource, Range<Int>)
    case stream(ByteStream)
  }

  private(set) var chunks: [Chunk] = []
  /// How many bytes all chunks have.
  package private(set) var byteCount = 0

  package init() {}

  // MARK: Parts

  /// Adds bytes that are there already.
  package mutating func append(_ bytes: [UInt8]) {
    guard !bytes.isEmpty else { return }
    byteCount += bytes.count
    if case .bytes(var last)? = chunks.last {
      // Taken out, so that the array grows in place.
      chunks.removeLast()
      last += bytes
      chunks.append(.bytes(last))
    } else {
      chunks.append(.bytes(bytes))
    }
  }

  /// Adds a range of a source, as it is.
  package mutating func append(_ source: ByteSource, _ range: Range<Int>) {
    guard !range.isEmpty else { return }
    byteCount += range.count
    if case .source(let other, let last)? = chunks.last, other === source,
      last.upperBound == range.lowerBound
    {
      chunks[chunks.count - 1] = .source(source, last.lowerBound..<range.upperBound)
    } else {
      chunks.append(.source(source, range))
    }
  }

  /// Adds bytes made while they are written.
  package mutating func append(_ stream: ByteStream) {
    guard stream.byteCount > 0 else { return }
    byteCount += stream.byteCount
    chunks.append(.stream(stream))
  }

  /// Adds the fields of `other`.
  package mutating func append(_ other: WireContent) {
    for chunk in other.chunks {
      switch chunk {
      case .bytes(let bytes): append(bytes)
      case .source(let source, let range): append(source, range)
      case .stream(let stream): append(stream)
      }
    }
  }

  // MARK: Fields

  /// Adds a number without a tag.
  mutating func append(varint value: UInt64) {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
    append(bytes)
  }

  private mutating func append(tag number: Int, _ type: WireType) {
    append(varint: UInt64(number) << 3 | UInt64(type.rawValue))
  }

  /// Adds an integer or an enumeration's number.
  package mutating func append(_ number: Int, integer: Int64) {
    append(tag: number, .varint)
    append(varint: UInt64(bitPattern: integer))
  }

  /// Adds a `float`.
  package mutating func append(_ number: Int, float: Float) {
    append(tag: number, .fixed32)
    append(withUnsafeBytes(of: float) { Array($0) })
  }

  /// Adds text.
  package mutating func append(_ number: Int, text: String) {
    append(number, bytes: Array(text.utf8))
  }

  /// Adds bytes.
  package mutating func append(_ number: Int, bytes: [UInt8]) {
    append(tag: number, .bytes)
    append(varint: UInt64(bytes.count))
    append(bytes)
  }

  /// Adds bytes made while they are written.
  package mutating func append(_ number: Int, stream: ByteStream) {
    append(tag: number, .bytes)
    append(varint: UInt64(stream.byteCount))
    append(stream)
  }

  /// Adds a message.
  package mutating func append(_ number: Int, message: WireContent) {
    append(tag: number, .bytes)
    append(varint: UInt64(message.byteCount))
    append(message)
  }

  /// Adds a message that `fill` fills.
  package mutating func append(_ number: Int, message fill: (inout WireContent) -> Void) {
    var message = WireContent()
    fill(&message)
    append(number, message: message)
  }

  // MARK: Output

  /// Gives all bytes to a sink, small parts gathered.
  package func send(to sink: ByteStream.Sink) throws(ONNXError) {
    for chunk in chunks {
      switch chunk {
      case .bytes(let bytes):
        let sent = bytes.withUnsafeBytes { buffer in
          Result { () throws(ONNXError) in try sink(buffer) }
        }
        try sent.get()
      case .source(let source, let range):
        try source.withBytes(in: range) { (bytes) throws(ONNXError) in try sink(bytes) }
      case .stream(let stream):
        var sent = 0
        try stream.send { (bytes) throws(ONNXError) in
          sent += bytes.count
          try sink(bytes)
        }
        programmerError(
          unless: sent == stream.byteCount, "a stream of \(stream.byteCount) bytes gave \(sent)")
      }
    }
  }

  /// All bytes at once, for models known to be small.
  package func bytes() throws(ONNXError) -> [UInt8] {
    var all: [UInt8] = []
    all.reserveCapacity(byteCount)
    try send { (bytes) throws(ONNXError) in all += bytes }
    return all
  }

  /// Writes a model's file: all of it or nothing.
  ///
  /// - Throws: ``ONNXError/tooLargeToWrite(file:byteCount:limit:)`` before anything is written, or
  ///   ``ONNXError/unwritable(file:reason:)``.
  package func write(toModel path: String) throws(ONNXError) {
    let limit = WireLimits.standard.modelByteCount
    guard byteCount <= limit else {
      throw .tooLargeToWrite(file: path, byteCount: byteCount, limit: limit)
    }
    var file = try ModelOutputFile(replacing: path)
    try send { (bytes) throws(ONNXError) in try file.write(bytes) }
    try file.commit()
  }
}
