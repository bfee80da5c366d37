/// Reads the Python dictionary of a `.npy` header, and no other Python.
///
/// It never looks beyond `bytes`, never recurses and keeps at most ``NPYHeader/rankLimit`` numbers, so
/// no header can make it slow or large.
struct NPYHeaderParser {
  /// The values of the dictionary's three keys.
  struct Fields {
    var typeName: String
    var isFortranOrder: Bool
    var dimensions: [Int]
  }

  private let bytes: UnsafeRawBufferPointer
  private let fileOffset: Int
  private var position = 0

  init(bytes: UnsafeRawBufferPointer, fileOffset: Int) {
    self.bytes = bytes
    self.fileOffset = fileOffset
  }

  /// The fields of the dictionary, which must fill the header except for white space after it.
  mutating func parse() throws(NPYError) -> Fields {
    var typeName: String?
    var isFortranOrder: Bool?
    var dimensions: [Int]?
    try expect("{")
    while !accept("}") {
      let start = position
      switch try string() {
      case "descr" where typeName == nil:
        try expect(":")
        typeName = try string(orElse: "a plain type such as '<f4'")
      case "fortran_order" where isFortranOrder == nil:
        try expect(":")
        isFortranOrder = try boolean()
      case "shape" where dimensions == nil:
        try expect(":")
        dimensions = try tuple()
      default:
        position = start
        throw failure("each of 'descr', 'fortran_order' and 'shape' once")
      }
      if !accept(",") {
        try expect("}")
        break
      }
    }
    skipSpace()
    guard position == bytes.count else { throw failure("nothing but spaces after the dictionary") }
    guard let typeName, let isFortranOrder, let dimensions else {
      throw failure("each of 'descr', 'fortran_order' and 'shape' once")
    }
    return Fields(typeName: typeName, isFortranOrder: isFortranOrder, dimensions: dimensions)
  }

  private mutating func tuple() throws(NPYError) -> [Int] {
    var sizes: [Int] = []
    try expect("(")
    while !accept(")") {
      if sizes.count == NPYHeader.rankLimit { throw .tooManyDimensions(limit: NPYHeader.rankLimit) }
      sizes.append(try size())
      if !accept(",") {
        // "(3)" is a number in Python, not a tuple.
        if sizes.count == 1 { throw failure("','") }
        try expect(")")
        break
      }
    }
    return sizes
  }

  private mutating func size() throws(NPYError) -> Int {
    skipSpace()
    let start = position
    var value = 0
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(bytes[position] - 0x30))
      if overflow || carry {
        position = start
        throw failure("a size that fits in 63 bits")
      }
      value = sum
      position += 1
    }
    if position == start { throw failure("a size of the shape, an integer of at least 0") }
    // Python 2 writes a long as "5L".
    if position < bytes.count, bytes[position] == UInt8(ascii: "L") { position += 1 }
    return value
  }

  private mutating func boolean() throws(NPYError) -> Bool {
    skipSpace()
    for (word, value) in [("True", true), ("False", false)]
    where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    throw failure("True or False")
  }

  private mutating func string(
    orElse expected: String = "a string in quotes"
  ) throws(NPYError) -> String {
    skipSpace()
    guard position < bytes.count, bytes[position] == 0x27 || bytes[position] == 0x22 else {
      throw failure(expected)
    }
    let start = position + 1
    let quote = bytes[position]
    // No key and no type read here is longer.
    let window = bytes[start..<Swift.min(start + 32, bytes.count)]
    guard let end = window.firstIndex(of: quote),
      window[..<end].allSatisfy({ (0x20..<0x7F).contains($0) && $0 != 0x5C })
    else { throw failure(expected) }
    position = end + 1
    return String(decoding: window[..<end], as: UTF8.self)
  }

  private mutating func accept(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard position < bytes.count, UInt32(bytes[position]) == character.value else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws(NPYError) {
    if !accept(character) { throw failure("'\(character)'") }
  }

  private mutating func skipSpace() {
    while position < bytes.count, bytes[position] == 0x20 || (0x09...0x0D).contains(bytes[position])
    {
      position += 1
    }
  }

  private func failure(_ expected: String) -> NPYError {
    .malformedHeader(offset: fileOffset + position, expected: expected)
  }
}
