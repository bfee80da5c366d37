import CrestTensor

/// Reads a whole file of text.
enum TextReader {
  /// The text of a file in UTF-8, with or without a byte order mark, which is left out.
  ///
  /// - Throws: ``DataError/notText(path:line:byte:reason:)`` with the first line and byte that aren't text.
  static func text(of path: String) throws(DataError) -> String {
    let bytes = try bytes(of: path)
    func wrong(_ offset: Int, _ reason: String) -> DataError {
      let before = bytes[..<offset]
      let lineStart = before.lastIndex(of: 10).map { $0 + 1 } ?? 0
      return .notText(
        path: path, line: before.count(where: { $0 == 10 }) + 1, byte: offset - lineStart + 1,
        reason: reason)
    }
    if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
      throw wrong(0, "the text is UTF-16, expected UTF-8; save it as that")
    }
    if let offset = bytes.firstIndex(of: 0) { throw wrong(offset, "a NUL byte, expected text") }
    let start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    guard let text = String(validating: bytes[start...], as: UTF8.self) else {
      throw wrong(
        invalidOffset(in: bytes[start...]), "bytes that aren't UTF-8; save the file as that")
    }
    return text
  }

  /// The bytes of a file that a user named.
  static func bytes(of path: String, limit: Int = .max) throws(DataError) -> [UInt8] {
    do {
      return try FileReader(path).allBytes(limit: limit)
    } catch .missingFile {
      // It doesn't belong to others of a set.
      throw .unreadable(path: path, reason: "No such file or directory")
    }
  }

  /// Where bytes stop being UTF-8.
  private static func invalidOffset(in bytes: ArraySlice<UInt8>) -> Int {
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = bytes.makeIterator()
    var offset = bytes.startIndex
    while true {
      switch parser.parseScalar(from: &iterator) {
      case .valid(let units): offset += units.count
      case .error, .emptyInput: return min(offset, bytes.endIndex)
      }
    }
  }
}
