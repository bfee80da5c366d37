/// Reads the JSON of a safetensors header, and no other.
///
/// The grammar is fixed: metadata strings and tensors are one level deep, so nothing nests deeper.
/// Memory is proportional to the header's bytes.
struct SafetensorsHeaderParser {
  private(set) var entries: [Safetensors.Header.Entry] = []
  private(set) var metadata: [String: String] = [:]
  private(set) var metadataRanges: [String: Range<Int>] = [:]
  private var scanner: JSONScanner
  private let fileOffset: Int

  init(_ bytes: UnsafeRawBufferPointer, fileOffset: Int) {
    scanner = JSONScanner(bytes)
    self.fileOffset = fileOffset
  }

  /// Reads the header, which must fill the bytes except for white space after it.
  mutating func parse() throws(SafetensorsError) {
    // As the format requires, so that a file can't be mistaken for another kind.
    guard scanner.position == 0, scanner.accept("{"), scanner.position == 1 else {
      throw .malformedHeader(offset: fileOffset, expected: "'{'")
    }
    var names = Set<String>()
    try members { (parser, name) throws(SafetensorsError) in
      guard names.insert(name).inserted else { throw .duplicateName(name) }
      if name == Safetensors.Header.metadataName {
        try parser.texts()
      } else {
        parser.entries.append(try parser.entry(name))
      }
    }
    try located { (scanner) throws(JSONScanner.Fault) in try scanner.expectEnd() }
  }

  /// Reads the rest of an object whose `{` has been read.
  private mutating func members(
    _ member: (inout SafetensorsHeaderParser, String) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    if scanner.accept("}") { return }
    repeat {
      let name = try located { (scanner) throws(JSONScanner.Fault) in
        let name = try scanner.string()
        try scanner.expect(":")
        return name
      }
      try member(&self, name)
    } while scanner.accept(",")
    try located { (scanner) throws(JSONScanner.Fault) in try scanner.expect("}") }
  }

  private mutating func texts() throws(SafetensorsError) {
    try located { (scanner) throws(JSONScanner.Fault) in try scanner.expect("{") }
    try members { (parser, key) throws(SafetensorsError) in
      _ = parser.scanner.peek()
      let start = parser.scanner.position + 1
      let text = try parser.located { (scanner) throws(JSONScanner.Fault) in
        try scanner.string()
      }
      guard parser.metadata.updateValue(text, forKey: key) == nil else {
        throw .duplicateName(key)
      }
      let range = start..<parser.scanner.position - 1
      parser.metadataRanges[key] =
        range.lowerBound + parser.fileOffset..<range.upperBound + parser.fileOffset
    }
  }

  private mutating func entry(_ name: String) throws(SafetensorsError) -> Safetensors.Header.Entry {
    var typeName: String?
    var dimensions: [Int]?
    var offsets: [Int]?
    let start = scanner.position
    try located { (scanner) throws(JSONScanner.Fault) in try scanner.expect("{") }
    try members { (parser, key) throws(SafetensorsError) in
      switch key {
      case "dtype" where typeName == nil:
        typeName = try parser.located { (scanner) throws(JSONScanner.Fault) in
          try scanner.string()
        }
      case "shape" where dimensions == nil:
        dimensions = try parser.numbers(limit: Safetensors.Header.rankLimit)
        if dimensions == nil {
          throw .tooManyDimensions(tensor: name, limit: Safetensors.Header.rankLimit)
        }
      case "data_offsets" where offsets == nil: offsets = try parser.numbers(limit: 2) ?? []
      case "dtype", "shape", "data_offsets": throw .duplicateName("\(name).\(key)")
      default: throw parser.failure("one of dtype, shape and data_offsets")
      }
    }
    guard let typeName, let dimensions, let offsets, offsets.count == 2, offsets[0] <= offsets[1]
    else {
      throw .malformedHeader(
        offset: fileOffset + start,
        expected: "dtype, shape and two ascending data_offsets of \"\(name)\"")
    }
    guard let type = Safetensors.Header.typeNames.first(where: { $0.0 == typeName })?.1 else {
      throw .unsupportedType(tensor: name, type: typeName)
    }
    guard let shape = Shape(checking: dimensions) else {
      throw .sizeOverflow(tensor: name, dimensions: dimensions)
    }
    let (size, overflow) = shape.elementCount.multipliedReportingOverflow(by: type.byteCount)
    if overflow { throw .sizeOverflow(tensor: name, dimensions: dimensions) }
    let range = offsets[0]..<offsets[1]
    guard range.count == size else {
      throw .wrongSize(tensor: name, expected: size, got: range.count)
    }
    return Safetensors.Header.Entry(name: name, elementType: type, shape: shape, range: range)
  }

  /// An array of integers; nil if there are more than `limit`.
  private mutating func numbers(limit: Int) throws(SafetensorsError) -> [Int]? {
    try located { (scanner) throws(JSONScanner.Fault) in
      try scanner.expect("[")
      var numbers: [Int] = []
      if scanner.accept("]") { return numbers }
      repeat {
        if numbers.count == limit { return nil }
        numbers.append(try scanner.wholeNumber())
      } while scanner.accept(",")
      try scanner.expect("]")
      return numbers
    }
  }

  /// Runs `body` and reports the offset of its failure from the beginning of the file.
  private mutating func located<Result>(
    _ body: (inout JSONScanner) throws(JSONScanner.Fault) -> Result
  ) throws(SafetensorsError) -> Result {
    do throws(JSONScanner.Fault) {
      return try body(&scanner)
    } catch {
      throw .malformedHeader(offset: fileOffset + error.offset, expected: error.expected)
    }
  }

  private func failure(_ expected: String) -> SafetensorsError {
    .malformedHeader(offset: fileOffset + scanner.position, expected: expected)
  }
}
