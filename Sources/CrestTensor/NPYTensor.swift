extension Tensor {
  /// The array of a `.npy` file, from the file's bytes.
  ///
  /// - Throws: ``NPYError`` when the bytes aren't such a file, or hold what no tensor can.
  public init(npy bytes: UnsafeRawBufferPointer) throws(NPYError) {
    let header = try NPYHeader(
      parsing: UnsafeRawBufferPointer(rebasing: bytes.prefix(NPYHeader.byteLimit)),
      fileByteCount: bytes.count)
    self.init(zeros: header.shape, elementType: header.elementType)
    try withUnsafeMutableBytes { (output) throws(NPYError) in
      let stored = UnsafeRawBufferPointer(rebasing: bytes[header.dataOffset...])
      guard !header.isStoredAsTensor else {
        output.copyMemory(from: stored)
        return try header.convertToNative(output)
      }
      try header.inPieces { (first, range) throws(NPYError) in
        var piece = Array(stored[range])
        let result = piece.withUnsafeMutableBytes { data in
          Result { () throws(NPYError) in try header.place(data, first: first, in: output) }
        }
        try result.get()
      }
    }
  }

  /// The array of a `.npy` file, from the file's bytes.
  ///
  /// - Throws: ``NPYError`` when the bytes aren't such a file, or hold what no tensor can.
  public init(npy bytes: [UInt8]) throws(NPYError) {
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(NPYError) in try Tensor(npy: buffer) }
    }
    self = try result.get()
  }

  /// The bytes of a `.npy` file of this tensor: format 1.0 in C order, as `numpy.save` writes it.
  ///
  /// - Throws: ``NPYError/unwritableType(_:)`` for `bfloat16`, which NumPy lacks, and
  ///   ``NPYError/tooManyDimensions(limit:)``.
  public func npyBytes() throws(NPYError) -> [UInt8] {
    guard
      let name = NPYStorage.all.first(where: { $0.isElementType && $0.elementType == elementType })?
        .name
    else {
      throw .unwritableType(elementType)
    }
    guard shape.rank <= NPYHeader.rankLimit else {
      throw .tooManyDimensions(limit: NPYHeader.rankLimit)
    }
    #if _endian(little)
      let order = elementType.byteCount == 1 ? "|" : "<"
    #else
      let order = elementType.byteCount == 1 ? "|" : ">"
    #endif
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.rank == 1 ? "," : "")
    var header = "{'descr': '\(order)\(name)', 'fortran_order': False, 'shape': (\(sizes)), }"
    // The data begin at a multiple of 64, so that a file can be mapped and used directly.
    let prefixByteCount = NPYHeader.magic.count + 4
    let unpadded = prefixByteCount + header.utf8.count + 1
    header += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"

    let length = header.utf8.count
    var bytes: [UInt8] = []
    bytes.reserveCapacity(prefixByteCount + length + byteCount)
    bytes += NPYHeader.magic
    bytes += [1, 0, UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8)]
    bytes += header.utf8
    withUnsafeBytes { bytes += $0 }
    return bytes
  }
}

extension NPYHeader {
  /// Calls `body` for pieces of at most one mebibyte that make up the file's elements, with the
  /// number of elements before the piece and its range of bytes.
  package func inPieces<Failure: Error>(
    _ body: (_ first: Int, _ range: Range<Int>) throws(Failure) -> Void
  ) throws(Failure) {
    let limit = (1 << 20) / storage.byteCount
    for first in stride(from: 0, to: shape.elementCount, by: limit) {
      let end = Swift.min(first + limit, shape.elementCount)
      try body(first, first * storage.byteCount..<end * storage.byteCount)
    }
  }
}
