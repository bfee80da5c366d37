/// The header of a `.npy` file: what its array is and where the elements begin.
///
/// Formats 1.0, 2.0 and 3.0 (NumPy enhancement proposal 1 and `numpy.lib.format`), little and big
/// endian, C order, without Python objects and structured types.
public struct NPYHeader: Sendable, Hashable {
  /// The type of the elements.
  public let elementType: ElementType
  /// The sizes of the array's dimensions.
  public let shape: Shape
  /// Whether the most significant byte of an element comes first.
  public let isBigEndian: Bool
  /// The offset of the first element in the file.
  public let dataOffset: Int

  /// The most bytes a header may take, and so the most of a file that parsing one
  /// looks at; one of 64 dimensions takes less than 2 KiB.
  public static let byteLimit = 1 << 16
  /// The most dimensions of an array (`NPY_MAXDIMS` of NumPy 2).
  public static let rankLimit = 64

  static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

  /// The size of all elements, in bytes.
  public var dataByteCount: Int { shape.elementCount * elementType.byteCount }

  /// The header at the beginning of a file.
  ///
  /// Nothing is allocated by the header's word: what it claims is checked against the size of the file
  /// first.
  ///
  /// - Parameters:
  ///   - prefix: The file's first bytes, the lesser of all and ``byteLimit``.
  ///   - fileByteCount: The size of the whole file.
  /// - Throws: ``NPYError`` when the bytes are no `.npy` file, hold an array that no tensor can, or
  ///   don't match the file's size.
  public init(parsing prefix: UnsafeRawBufferPointer, fileByteCount: Int) throws(NPYError) {
    guard prefix.count >= 8, prefix.prefix(6).elementsEqual(NPYHeader.magic) else {
      throw .notNPY
    }
    let (major, minor) = (prefix[6], prefix[7])
    guard (1...3).contains(major), minor == 0 else {
      throw .unsupportedVersion(major: major, minor: minor)
    }
    let lengthByteCount = major == 1 ? 2 : 4
    let start = 8 + lengthByteCount
    guard prefix.count >= start else {
      throw .malformedHeader(offset: prefix.count, expected: "the header's length")
    }
    let length = prefix[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    let limit = Swift.min(NPYHeader.byteLimit, fileByteCount, prefix.count) - start
    guard length <= limit else { throw .headerTooLong(byteCount: length, limit: limit) }

    let header = UnsafeRawBufferPointer(rebasing: prefix[start..<start + length])
    var parser = NPYHeaderParser(bytes: header, fileOffset: start)
    let fields = try parser.parse()
    (elementType, isBigEndian) = try NPYHeader.elementType(named: fields.typeName)
    if fields.isFortranOrder { throw .fortranOrder }
    guard let shape = Shape(checking: fields.dimensions),
      !shape.elementCount.multipliedReportingOverflow(by: elementType.byteCount).overflow
    else { throw .sizeOverflow(dimensions: fields.dimensions) }
    self.shape = shape
    dataOffset = start + length
    let expected = shape.elementCount * elementType.byteCount
    guard fileByteCount - dataOffset == expected else {
      throw .wrongDataSize(shape: shape, expected: expected, got: fileByteCount - dataOffset)
    }
  }

  /// The header at the beginning of a file, from the file's first bytes.
  ///
  /// - Throws: ``NPYError``, see ``init(parsing:fileByteCount:)-(UnsafeRawBufferPointer,_)``.
  public init(parsing prefix: [UInt8], fileByteCount: Int) throws(NPYError) {
    let result = prefix.withUnsafeBytes { bytes in
      Result { () throws(NPYError) in
        try NPYHeader(parsing: bytes, fileByteCount: fileByteCount)
      }
    }
    self = try result.get()
  }

  /// The element type and whether it is big-endian, from a type string of NumPy's array interface.
  private static func elementType(named name: String) throws(NPYError) -> (ElementType, Bool) {
    guard let order = name.first,
      let type = typeNames.first(where: { $0.0 == name.dropFirst() })?.1,
      order == "<" || order == ">" || order == "|" && type.byteCount == 1
    else { throw .unsupportedType(name) }
    return (type, order == ">")
  }

  /// NumPy's kind and size of each element type that it has.
  static let typeNames: [(String, ElementType)] = [
    ("f2", .float16), ("f4", .float32), ("f8", .float64), ("i1", .int8), ("i2", .int16),
    ("i4", .int32), ("i8", .int64), ("u1", .uint8), ("b1", .bool),
  ]

  /// Turns elements as they lie in the file into elements as they lie in memory, in place.
  ///
  /// - Throws: ``NPYError/notBoolean(index:byte:)``.
  package func convertToNative(_ data: UnsafeMutableRawBufferPointer) throws(NPYError) {
    if elementType == .bool, let index = data.firstIndex(where: { $0 > 1 }) {
      throw .notBoolean(index: index, byte: data[index])
    }
    #if _endian(little)
      let isForeign = isBigEndian
    #else
      let isForeign = !isBigEndian
    #endif
    guard isForeign else { return }
    switch elementType.byteCount {
    case 2: swapBytes(data, UInt16.self)
    case 4: swapBytes(data, UInt32.self)
    case 8: swapBytes(data, UInt64.self)
    default: break
    }
  }

  private func swapBytes<Word: FixedWidthInteger>(
    _ data: UnsafeMutableRawBufferPointer, _ type: Word.Type
  ) {
    let words = data.bindMemory(to: type)
    for index in words.indices { words[index] = words[index].byteSwapped }
  }
}
