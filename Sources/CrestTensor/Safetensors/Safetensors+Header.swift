#if !_endian(little)
  #error("safetensors keeps numbers in little-endian order, and they are read here as they lie")
#endif

extension Safetensors {
  /// The header of a safetensors file: its tensors, where they are, and metadata strings.
  ///
  /// A file is the length of the header in eight bytes, the least significant first; the header, a JSON object
  /// that may end in spaces; and the tensors, side by side and without gaps. Source: the README and
  /// `tensor.rs` of <https://github.com/huggingface/safetensors>.
  public struct Header: Sendable, Hashable {
    /// A tensor and where it is.
    public struct Entry: Sendable, Hashable {
      /// The name.
      public let name: String
      /// The type of the elements.
      public let elementType: ElementType
      /// The sizes of the dimensions.
      public let shape: Shape
      /// Its byte range in the data, which begin at ``dataOffset``.
      public let range: Range<Int>
    }

    /// The tensors, in the order in which they are stored.
    public let entries: [Entry]
    /// The metadata strings (`__metadata__`).
    public let metadata: [String: String]
    /// The offset of the first tensor in the file.
    public let dataOffset: Int
    /// The byte ranges of the metadata strings in the file as written, without their quotes.
    package let metadataRanges: [String: Range<Int>]

    /// The most bytes a header may take: the limit of the reference reader.
    public static let byteLimit = 100_000_000
    /// The most dimensions of a tensor.
    public static let rankLimit = 64

    /// The size of all tensors, in bytes.
    public var dataByteCount: Int { entries.last?.range.upperBound ?? 0 }

    /// The tensor called `name`; nil when there is none.
    ///
    /// - Complexity: O(*n*) in the number of tensors.
    public subscript(name: String) -> Entry? { entries.first { $0.name == name } }

    /// The format's name of each element type.
    static let typeNames: [(String, ElementType)] = [
      ("F64", .float64), ("F32", .float32), ("F16", .float16), ("BF16", .bfloat16), ("I64", .int64),
      ("I32", .int32), ("I16", .int16), ("I8", .int8), ("U8", .uint8), ("BOOL", .bool),
    ]
    static let metadataName = "__metadata__"
  }
}

// MARK: Reading

extension Safetensors.Header {
  /// The length of the header that follows the first eight bytes of a file.
  ///
  /// - Parameters:
  ///   - prefix: The file's first bytes, at least eight if it has them.
  ///   - fileByteCount: The size of the whole file.
  /// - Returns: The length, at most ``byteLimit`` and within the file.
  /// - Throws: ``SafetensorsError/tooShort(byteCount:)`` or
  ///   ``SafetensorsError/headerTooLong(byteCount:limit:)``.
  public static func byteCount(
    prefix: UnsafeRawBufferPointer, fileByteCount: Int
  ) throws(SafetensorsError) -> Int {
    guard prefix.count >= 8, fileByteCount >= 10 else {
      throw .tooShort(byteCount: fileByteCount)
    }
    let length = UInt64(littleEndian: prefix.loadUnaligned(as: UInt64.self))
    let limit = min(byteLimit, fileByteCount - 8)
    guard length <= UInt64(limit) else { throw .headerTooLong(byteCount: length, limit: limit) }
    return Int(length)
  }

  /// The header at the beginning of a file.
  ///
  /// Refuses names that occur twice, unknown fields, tensors that overlap or leave gaps, bytes
  /// after the last one, and sizes that don't agree. Sizes are checked before anything is
  /// allocated.
  ///
  /// - Parameters:
  ///   - prefix: The file's first bytes, the header included.
  ///   - fileByteCount: The size of the whole file.
  /// - Throws: ``SafetensorsError``.
  public init(
    parsing prefix: UnsafeRawBufferPointer, fileByteCount: Int
  ) throws(SafetensorsError) {
    let length = try Self.byteCount(prefix: prefix, fileByteCount: fileByteCount)
    guard prefix.count >= 8 + length else { throw .tooShort(byteCount: prefix.count) }
    var parser = SafetensorsHeaderParser(
      UnsafeRawBufferPointer(rebasing: prefix[8..<8 + length]), fileOffset: 8)
    try parser.parse()
    dataOffset = 8 + length
    metadata = parser.metadata
    metadataRanges = parser.metadataRanges
    entries = parser.entries.sorted {
      ($0.range.lowerBound, $0.range.upperBound, $0.name)
        < ($1.range.lowerBound, $1.range.upperBound, $1.name)
    }
    var end = 0
    for entry in entries {
      let begin = entry.range.lowerBound
      if begin < end { throw .overlap(tensor: entry.name, begin: begin, expected: end) }
      if begin > end { throw .gap(tensor: entry.name, begin: begin, expected: end) }
      end = entry.range.upperBound
    }
    let got = fileByteCount - dataOffset
    guard end == got else { throw .wrongDataSize(expected: end, got: got) }
  }

  /// The tensor of an entry.
  ///
  /// - Parameters:
  ///   - entry: One of ``entries``.
  ///   - data: The bytes of the entry's range.
  /// - Returns: A copy.
  /// - Throws: ``SafetensorsError/notBoolean(tensor:index:byte:)``.
  /// - Precondition: there are as many bytes as in the range.
  public static func tensor(
    of entry: Entry, data: UnsafeRawBufferPointer
  ) throws(SafetensorsError) -> Tensor {
    if entry.elementType == .bool, let index = data.firstIndex(where: { $0 > 1 }) {
      throw .notBoolean(tensor: entry.name, index: index, byte: data[index])
    }
    return Tensor(bytes: data, shape: entry.shape, elementType: entry.elementType)
  }
}

// MARK: Writing

extension Safetensors.Header {
  /// The header of a file that holds tensors of these names and types.
  ///
  /// Tensors are sorted by the size of their elements, largest first, then by name, so that each is
  /// aligned; the data begin at a multiple of 64. The same tensors and metadata give the same
  /// bytes.
  ///
  /// - Throws: ``SafetensorsError/duplicateName(_:)``, ``SafetensorsError/reservedName(_:)``,
  ///   ``SafetensorsError/sizeOverflow(tensor:dimensions:)``,
  ///   ``SafetensorsError/tooManyDimensions(tensor:limit:)``,
  ///   ``SafetensorsError/headerTooLong(byteCount:limit:)``.
  public init(
    arranging tensors: [(name: String, elementType: ElementType, shape: Shape)],
    metadata: [String: String] = [:]
  ) throws(SafetensorsError) {
    var names = Set<String>()
    var end = 0
    var entries: [Entry] = []
    for tensor in tensors.sorted(by: {
      ($1.elementType.byteCount, $0.name) < ($0.elementType.byteCount, $1.name)
    }) {
      if tensor.name == Self.metadataName { throw .reservedName(tensor.name) }
      guard names.insert(tensor.name).inserted else { throw .duplicateName(tensor.name) }
      guard tensor.shape.rank <= Self.rankLimit else {
        throw .tooManyDimensions(tensor: tensor.name, limit: Self.rankLimit)
      }
      let (size, overflow) = tensor.shape.elementCount.multipliedReportingOverflow(
        by: tensor.elementType.byteCount)
      let (next, carry) = end.addingReportingOverflow(size)
      if overflow || carry {
        throw .sizeOverflow(tensor: tensor.name, dimensions: tensor.shape.dimensions)
      }
      entries.append(
        Entry(
          name: tensor.name, elementType: tensor.elementType, shape: tensor.shape,
          range: end..<next))
      end = next
    }
    self.entries = entries
    self.metadata = metadata
    let text = Self.text(entries, metadata)
    metadataRanges = text.ranges
    dataOffset = text.bytes.count
    guard dataOffset - 8 <= Self.byteLimit else {
      throw .headerTooLong(byteCount: UInt64(dataOffset - 8), limit: Self.byteLimit)
    }
  }

  /// The bytes of the file up to the first tensor.
  public var bytes: [UInt8] { Self.text(entries, metadata).bytes }

  private static func text(
    _ entries: [Entry], _ metadata: [String: String]
  ) -> (bytes: [UInt8], ranges: [String: Range<Int>]) {
    var text: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0]
    var ranges: [String: Range<Int>] = [:]
    text += "{".utf8
    if !metadata.isEmpty {
      text += (metadataName.jsonQuoted + ":{").utf8
      for (place, (key, value)) in metadata.sorted(by: { $0.key < $1.key }).enumerated() {
        if place > 0 { text += ",".utf8 }
        text += (key.jsonQuoted + ":").utf8
        let quoted = value.jsonQuoted.utf8
        ranges[key] = text.count + 1..<text.count + quoted.count - 1
        text += quoted
      }
      text += "}".utf8
    }
    for (place, entry) in entries.enumerated() {
      if place > 0 || !metadata.isEmpty { text += ",".utf8 }
      guard let type = typeNames.first(where: { $0.1 == entry.elementType })?.0 else {
        programmerError("safetensors has no name for \(entry.elementType)")
      }
      text += entry.name.jsonQuoted.utf8
      text += ":{\"dtype\":\"\(type)\",\"shape\":[".utf8
      text += entry.shape.map(String.init).joined(separator: ",").utf8
      text += "],\"data_offsets\":[\(entry.range.lowerBound),\(entry.range.upperBound)]}".utf8
    }
    text += "}".utf8
    text += [UInt8](repeating: 0x20, count: (64 - text.count % 64) % 64)
    withUnsafeBytes(of: UInt64(text.count - 8).littleEndian) { length in
      text.replaceSubrange(..<8, with: length)
    }
    return (text, ranges)
  }
}
