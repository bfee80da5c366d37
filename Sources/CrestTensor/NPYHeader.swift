/// The header of a `.npy` file: the type and shape of its array, and where the elements begin.
///
/// Formats 1.0, 2.0 and 3.0 (NumPy enhancement proposal 1 and `numpy.lib.format`), of Python 2 and
/// 3, little and big endian, C and Fortran order, but no Python objects or structured types.
package struct NPYHeader: Sendable, Hashable {
  /// The tensor's element type for the array: `int32` for unsigned integers of 16 bits, `int64` for
  /// those of 32 and 64 bits.
  package let elementType: ElementType
  /// The sizes of the array's dimensions.
  package let shape: Shape
  /// Whether the first index varies fastest, as in Fortran and in arrays that pandas makes from a
  /// table.
  package let isFortranOrder: Bool
  /// Whether the most significant byte of an element comes first.
  package let isBigEndian: Bool
  /// The offset of the first element in the file.
  package let dataOffset: Int

  /// The most bytes that a header may take, and so the most of a file that parsing reads; a header
  /// of 64 dimensions takes less than 2 KiB.
  package static let byteLimit = 1 << 16
  /// The most dimensions of an array (`NPY_MAXDIMS` of NumPy 2).
  package static let rankLimit = 64

  static let magic: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]

  let storage: NPYStorage

  /// Whether elements are unsigned integers of more than 8 bits, which become wider signed ones.
  package var isWidened: Bool { !storage.isElementType }

  /// The size of all elements in the file, in bytes.
  package var dataByteCount: Int { shape.elementCount * storage.byteCount }

  /// The header at the beginning of a file.
  ///
  /// The header's sizes are checked against the size of the file before anything is allocated.
  ///
  /// - Parameters:
  ///   - prefix: The file's first bytes: all of them, or ``byteLimit`` if there are more.
  ///   - fileByteCount: The size of the whole file.
  /// - Throws: ``NPYError`` if the bytes aren't a `.npy` file, hold an array that no tensor can, or
  ///   don't match the file's size.
  package init(parsing prefix: UnsafeRawBufferPointer, fileByteCount: Int) throws(NPYError) {
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
    let limit = Swift.min(NPYHeader.byteLimit, Swift.max(fileByteCount, 0), prefix.count) - start
    guard length <= limit else { throw .headerTooLong(byteCount: length, limit: limit) }

    let header = UnsafeRawBufferPointer(rebasing: prefix[start..<start + length])
    var parser = NPYHeaderParser(bytes: header, fileOffset: start)
    let fields = try parser.parse()
    (storage, isBigEndian) = try NPYHeader.storage(named: fields.typeName)
    elementType = storage.elementType
    isFortranOrder = fields.isFortranOrder
    guard let shape = Shape(checking: fields.dimensions),
      !shape.elementCount.multipliedReportingOverflow(by: elementType.byteCount).overflow
    else { throw .sizeOverflow(dimensions: fields.dimensions) }
    self.shape = shape
    dataOffset = start + length
    let expected = shape.elementCount * storage.byteCount
    guard fileByteCount - dataOffset == expected else {
      throw .wrongDataSize(shape: shape, expected: expected, got: fileByteCount - dataOffset)
    }
  }

  /// The header at the beginning of a file, from the file's first bytes.
  ///
  /// - Throws: ``NPYError``, see ``init(parsing:fileByteCount:)-(UnsafeRawBufferPointer,_)``.
  package init(parsing prefix: [UInt8], fileByteCount: Int) throws(NPYError) {
    let result = prefix.withUnsafeBytes { bytes in
      Result { () throws(NPYError) in
        try NPYHeader(parsing: bytes, fileByteCount: fileByteCount)
      }
    }
    self = try result.get()
  }

  /// The storage of elements and whether they are big-endian, from a type string of NumPy's array
  /// interface.
  private static func storage(named name: String) throws(NPYError) -> (NPYStorage, Bool) {
    guard let order = name.first,
      let storage = NPYStorage.all.first(where: { $0.name == name.dropFirst() }),
      order == "<" || order == ">" || order == "|" && storage.byteCount == 1
    else { throw .unsupportedType(name) }
    return (storage, order == ">")
  }

  /// Whether the file's bytes are a tensor's, except for the byte order within an element.
  package var isStoredAsTensor: Bool {
    storage.isElementType && (!isFortranOrder || shape.count { $0 > 1 } < 2)
  }

  /// Converts elements from the file's byte order to the machine's, in place.
  ///
  /// - Throws: ``NPYError/notBoolean(index:byte:)``.
  /// - Precondition: ``isStoredAsTensor``.
  package func convertToNative(_ data: UnsafeMutableRawBufferPointer) throws(NPYError) {
    try checkBooleans(UnsafeRawBufferPointer(data), first: 0)
    swapBytesIfForeign(data)
  }

  /// Copies elements of the file to their places in a tensor.
  ///
  /// - Parameters:
  ///   - data: The bytes of whole elements, which are modified.
  ///   - first: How many elements of the file come before them.
  ///   - output: The memory of all of the tensor.
  /// - Throws: ``NPYError/notBoolean(index:byte:)``, ``NPYError/integerTooLarge(index:value:)``, with indices
  ///   in the file's order.
  package func place(
    _ data: UnsafeMutableRawBufferPointer, first: Int, in output: UnsafeMutableRawBufferPointer
  ) throws(NPYError) {
    try checkBooleans(UnsafeRawBufferPointer(data), first: first)
    swapBytesIfForeign(data)
    let source = UnsafeRawBufferPointer(data)
    let places = NPYPlaces(shape: shape, isFortranOrder: isFortranOrder, first: first)
    switch storage.widening {
    case .uint16:
      places.each(of: data.count / 2) { index, place in
        let value = source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
        output.storeBytes(of: Int32(value), toByteOffset: 4 * place, as: Int32.self)
      }
    case .uint32:
      places.each(of: data.count / 4) { index, place in
        let value = source.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
        output.storeBytes(of: Int64(value), toByteOffset: 8 * place, as: Int64.self)
      }
    case .uint64:
      var tooLarge: (index: Int, value: UInt64)?
      places.each(of: data.count / 8) { index, place in
        let value = source.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
        if value > UInt64(Int64.max), tooLarge == nil { tooLarge = (first + index, value) }
        output.storeBytes(
          of: Int64(truncatingIfNeeded: value), toByteOffset: 8 * place, as: Int64.self)
      }
      if let tooLarge { throw .integerTooLarge(index: tooLarge.index, value: tooLarge.value) }
    case nil:
      switch storage.byteCount {
      case 1: places.copy(source, to: output, of: UInt8.self)
      case 2: places.copy(source, to: output, of: UInt16.self)
      case 4: places.copy(source, to: output, of: UInt32.self)
      default: places.copy(source, to: output, of: UInt64.self)
      }
    }
  }

  private func checkBooleans(_ data: UnsafeRawBufferPointer, first: Int) throws(NPYError) {
    guard elementType == .bool, let index = data.firstIndex(where: { $0 > 1 }) else { return }
    throw .notBoolean(index: first + index, byte: data[index])
  }

  private func swapBytesIfForeign(_ data: UnsafeMutableRawBufferPointer) {
    #if _endian(little)
      let isForeign = isBigEndian
    #else
      let isForeign = !isBigEndian
    #endif
    guard isForeign else { return }
    switch storage.byteCount {
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
