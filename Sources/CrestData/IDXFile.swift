/// An IDX file of unsigned bytes whose header was read, inflated when its name ends in `.gz`.
///
/// What a compressed file announces can be compared with other files before its contents take memory.
package struct IDXFile {
  package let path: String
  /// The sizes that the header announces.
  package let sizes: [Int]
  private let count: Int
  private let contents: Contents

  private enum Contents {
    case plain([UInt8])
    case compressed([UInt8])
  }

  /// Reads the header of a file with `rank` sizes, and of a plain file the rest.
  ///
  /// - Throws: ``DataError``, before anything is allocated that the file can't fill.
  package init(_ path: String, magic: UInt32, rank: Int) throws(DataError) {
    self.path = path
    let file = try FileReader(path)
    let headerByteCount = Self.headerByteCount(rank: rank)
    guard !path.hasSuffix(".gz") else {
      let compressed = try file.allBytes()
      var reader = try GzipReader(compressed, path: path)
      (sizes, count) = try parseHeader(
        try reader.bytes(count: headerByteCount), path: path, magic: magic)
      contents = .compressed(compressed)
      return
    }
    guard file.byteCount >= headerByteCount else {
      throw .truncated(path: path, expected: headerByteCount, got: file.byteCount)
    }
    (sizes, count) = try parseHeader(
      try file.bytes(count: headerByteCount), path: path, magic: magic)
    guard file.byteCount - headerByteCount >= count else {
      throw .truncated(path: path, expected: headerByteCount + count, got: file.byteCount)
    }
    guard file.byteCount - headerByteCount == count else {
      throw .trailingBytes(path: path, expected: headerByteCount + count)
    }
    contents = .plain(try file.bytes(count: count, at: headerByteCount))
  }

  private static func headerByteCount(rank: Int) -> Int { 4 + 4 * rank }

  /// The contents, which are as long as the header says.
  ///
  /// - Throws: ``DataError``, before anything is allocated that the file can't fill.
  package func bytes() throws(DataError) -> [UInt8] {
    switch contents {
    case .plain(let bytes): return bytes
    case .compressed(let compressed):
      var reader = try GzipReader(compressed, path: path)
      _ = try reader.bytes(count: Self.headerByteCount(rank: sizes.count))
      let bytes = try reader.bytes(count: count)
      try reader.finish()
      return bytes
    }
  }
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
