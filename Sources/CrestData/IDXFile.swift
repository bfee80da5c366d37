/// The sizes and the bytes of an IDX file of unsigned bytes.
package struct IDXFile {
  package let sizes: [Int]
  package let bytes: [UInt8]
}

/// The contents of an IDX file with `rank` sizes, inflated when its name ends in `.gz`.
///
/// - Throws: ``DataError``, before anything is allocated that the file can't fill.
package func readIDX(_ path: String, magic: UInt32, rank: Int) throws(DataError) -> IDXFile {
  let file = try FileReader(path)
  let headerByteCount = 4 + 4 * rank
  if path.hasSuffix(".gz") {
    var reader = try GzipReader(try file.allBytes(), path: path)
    let (sizes, count) = try parseHeader(
      try reader.bytes(count: headerByteCount), path: path, magic: magic)
    let bytes = try reader.bytes(count: count)
    try reader.finish()
    return IDXFile(sizes: sizes, bytes: bytes)
  }
  guard file.byteCount >= headerByteCount else {
    throw .truncated(path: path, expected: headerByteCount, got: file.byteCount)
  }
  let (sizes, count) = try parseHeader(
    try file.bytes(count: headerByteCount), path: path, magic: magic)
  guard file.byteCount - headerByteCount >= count else {
    throw .truncated(path: path, expected: headerByteCount + count, got: file.byteCount)
  }
  guard file.byteCount - headerByteCount == count else {
    throw .trailingBytes(path: path, expected: headerByteCount + count)
  }
  return IDXFile(sizes: sizes, bytes: try file.bytes(count: count, at: headerByteCount))
}

/// The sizes in a header and their product.
private func parseHeader(
  _ header: [UInt8], path: String, magic: UInt32
) throws(DataError) -> (sizes: [Int], count: Int) {
  let words = stride(from: 0, to: header.count, by: 4).map { start in
    header[start..<start + 4].reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
  }
  guard words[0] == magic else { throw .wrongMagic(path: path, expected: magic, got: words[0]) }
  let sizes = words.dropFirst().map(Int.init)
  if sizes[0] == 0 { throw .noExamples(path: path) }
  var product = 1
  for size in sizes {
    let (next, overflow) = product.multipliedReportingOverflow(by: size)
    // This leaves room for the header, so that adding its size can't overflow either.
    guard size > 0, !overflow, next <= Int.max - header.count else {
      throw .impossibleSizes(path: path, sizes: sizes)
    }
    product = next
  }
  return (sizes, product)
}
