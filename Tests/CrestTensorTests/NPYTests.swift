import CrestTensor
import Testing

@Suite struct NPYTests {
  /// A file with `header` as it stands and `data` after it.
  static func file(
    _ header: String, _ data: [UInt8] = [], version: (UInt8, UInt8) = (1, 0), length: Int? = nil
  ) -> [UInt8] {
    let length = length ?? header.utf8.count
    let lengthBytes = (0..<(version.0 == 1 ? 2 : 4)).map {
      UInt8(truncatingIfNeeded: length >> (8 * $0))
    }
    return [0x93] + "NUMPY".utf8 + [version.0, version.1] + lengthBytes + header.utf8 + data
  }

  static func header(_ type: String, _ shape: String, order: String = "False") -> String {
    "{'descr': '\(type)', 'fortran_order': \(order), 'shape': \(shape), }"
  }

  @Test func `writes the bytes that NumPy writes`() throws {
    // numpy 2.4.6: numpy.save(file, numpy.zeros((2, 3), "f4")) and so on; spaces are its padding.
    let cases: [(Tensor, String, Int)] = [
      (Tensor(scalar: 0 as Float), "{'descr': '<f4', 'fortran_order': False, 'shape': (), }", 62),
      (
        Tensor([0, 1, 2] as [Int64]), "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }",
        60
      ),
      (
        Tensor(zeros: [1, 2, 3], elementType: .bool),
        "{'descr': '|b1', 'fortran_order': False, 'shape': (1, 2, 3), }", 55
      ),
    ]
    for (tensor, header, padding) in cases {
      let bytes = try tensor.npyBytes()
      let expected =
        [0x93] + Array("NUMPY".utf8) + [1, 0, 0x76, 0] + Array(header.utf8)
        + [UInt8](repeating: 0x20, count: padding) + [0x0A]
      #expect(expected.count == 128)
      #expect(Array(bytes.prefix(128)) == expected)
      #expect(bytes.count == 128 + tensor.byteCount)
    }
  }

  @Test(arguments: ElementType.allCases.filter { $0 != .bfloat16 })
  func `what is written is read again`(type: ElementType) throws {
    for shape in [[], [1], [2, 3], [4, 0, 2], [1, 1, 2, 1, 3]] as [Shape] {
      let numbers = (0..<shape.elementCount).map { $0 - 2 }
      let tensor =
        type.isFloat
        ? Tensor(rounding: numbers.map { Double($0) / 4 }, to: type, shape: shape)
        : Tensor(wrapping: numbers.map(Int64.init), to: type, shape: shape)
      #expect(try Tensor(npy: tensor.npyBytes()) == tensor)
    }
  }

  static let readable: [(String, [UInt8], Tensor)] = [
    (header("<i2", "(2,)"), [1, 2, 0xFF, 0xFF], Tensor([0x0201, -1] as [Int16])),
    (header(">i2", "(2,)"), [1, 2, 0xFF, 0xFE], Tensor([0x0102, -2] as [Int16])),
    (header(">f4", "()"), [0x3F, 0xC0, 0, 0], Tensor(scalar: 1.5 as Float)),
    (header(">f8", "(1,)"), [0xC0, 0, 0, 0, 0, 0, 0, 0], Tensor([-2] as [Double])),
    (
      header("<i8", "(1, 1)"), [5, 0, 0, 0, 0, 0, 0, 0x80],
      Tensor([.min + 5] as [Int64], shape: [1, 1])
    ),
    (header(">i4", "(1,)"), [0, 0, 1, 0], Tensor([256] as [Int32])),
    (header("|b1", "(2,)"), [1, 0], Tensor([true, false])),
    (header("<u1", "(0, 7)"), [], Tensor(zeros: [0, 7], elementType: .uint8)),
    (
      "{\"shape\":(3,),\"fortran_order\":False,\"descr\":\"|i1\"}  \n", [1, 2, 255],
      Tensor([1, 2, -1] as [Int8])
    ),
    // numpy.save of Python 2, whose sizes are longs.
    (
      "{'descr': '<i2', 'fortran_order': False, 'shape': (2L, 1L), }", [1, 0, 2, 0],
      Tensor([1, 2] as [Int16], shape: [2, 1])
    ),
    (header("<i1", "(2, 0)", order: "True"), [], Tensor(zeros: [2, 0], elementType: .int8)),
    (header("<i1", "(3,)", order: "True"), [1, 2, 3], Tensor([1, 2, 3] as [Int8])),
    (
      header("<i1", "(2, 3)", order: "True"), [1, 2, 3, 4, 5, 6],
      Tensor([1, 3, 5, 2, 4, 6] as [Int8], shape: [2, 3])
    ),
    (
      header(">i2", "(2, 1, 2)", order: "True"), [0, 1, 0, 2, 0, 3, 0, 4],
      Tensor([1, 3, 2, 4] as [Int16], shape: [2, 1, 2])
    ),
    (
      header("|b1", "(2, 2)", order: "True"), [1, 0, 0, 0],
      Tensor([true, false, false, false], shape: [2, 2])
    ),
    (header("<u2", "(2,)"), [1, 2, 0xFF, 0xFF], Tensor([0x0201, 0xFFFF] as [Int32])),
    (header(">u2", "(2,)"), [1, 2, 0xFF, 0xFE], Tensor([0x0102, 0xFFFE] as [Int32])),
    (header("<u4", "(1,)"), [0xFF, 0xFF, 0xFF, 0xFF], Tensor([0xFFFF_FFFF] as [Int64])),
    (
      header("<u8", "(1,)"), [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
      Tensor([.max] as [Int64])
    ),
    (
      header(">u4", "(2, 2)", order: "True"),
      [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4],
      Tensor([1, 3, 2, 4] as [Int64], shape: [2, 2])
    ),
    (
      "  {  'descr' : '|u1' , 'fortran_order' : False , 'shape' : ( 1 , 2 , ) }", [7, 8],
      Tensor([7, 8] as [UInt8], shape: [1, 2])
    ),
  ]

  @Test(arguments: readable, [(1, 0), (2, 0), (3, 0)] as [(UInt8, UInt8)])
  func `reads all versions, both byte orders and any spacing`(
    file: (String, [UInt8], Tensor), version: (UInt8, UInt8)
  ) throws {
    #expect(try Tensor(npy: NPYTests.file(file.0, file.1, version: version)) == file.2)
  }

  @Test(arguments: [[3, 5], [2, 3, 4], [1, 700, 800], [600, 1, 900]] as [Shape])
  func `Fortran order is undone, piece by piece`(shape: Shape) throws {
    let count = shape.elementCount
    let expected = Tensor((0..<count).map { Int32($0) }, shape: shape)
    // Where each element of the file, whose first index varies fastest, lies in C order.
    let strides = shape.strides
    var stored: [Int32] = []
    for number in 0..<count {
      var (rest, place) = (number, 0)
      for (size, stride) in zip(shape, strides) {
        place += rest % size * stride
        rest /= size
      }
      stored.append(Int32(place))
    }
    let sizes = shape.map(String.init).joined(separator: ", ")
    let bytes = stored.withUnsafeBytes { Array($0) }
    let file = NPYTests.file(NPYTests.header("<i4", "(\(sizes))", order: "True"), bytes)
    #expect(try Tensor(npy: file) == expected)
  }

  static let hostile: [([UInt8], NPYError)] = [
    ([], .notNPY),
    (Array("PK\u{3}\u{4} a zip file, as .npz".utf8), .notNPY),
    ([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1], .notNPY),
    (
      [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, 5],
      .malformedHeader(offset: 9, expected: "the header's length")
    ),
    (
      file(header("<f4", "()"), [0, 0, 0, 0], version: (4, 0)),
      .unsupportedVersion(major: 4, minor: 0)
    ),
    (
      file(header("<f4", "()"), [0, 0, 0, 0], version: (1, 1)),
      .unsupportedVersion(major: 1, minor: 1)
    ),
    (
      file("{}", version: (2, 0), length: 0xFFFF_FFFF),
      .headerTooLong(byteCount: 0xFFFF_FFFF, limit: 2)
    ),
    (file("{}", length: 3), .headerTooLong(byteCount: 3, limit: 2)),
    (
      file(String(repeating: " ", count: 70000), version: (3, 0)),
      .headerTooLong(byteCount: 70000, limit: 65524)
    ),
    (file(""), .malformedHeader(offset: 10, expected: "'{'")),
    (
      file(String(repeating: "{", count: 60000)),
      .malformedHeader(offset: 11, expected: "a string in quotes")
    ),
    (file(String(repeating: "(", count: 60000)), .malformedHeader(offset: 10, expected: "'{'")),
    (
      file("{}"),
      .malformedHeader(offset: 12, expected: "each of 'descr', 'fortran_order' and 'shape' once")
    ),
    (
      file("{'descr': '<f4', 'shape': (), }"),
      .malformedHeader(offset: 41, expected: "each of 'descr', 'fortran_order' and 'shape' once")
    ),
    (
      file("{'descr': '<f4', 'descr': '<f4', }"),
      .malformedHeader(offset: 27, expected: "each of 'descr', 'fortran_order' and 'shape' once")
    ),
    (
      file("{'evil': '<f4'}"),
      .malformedHeader(offset: 11, expected: "each of 'descr', 'fortran_order' and 'shape' once")
    ),
    (
      file("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (), }"),
      .malformedHeader(offset: 20, expected: "a plain type such as '<f4'")
    ),
    (file("{'descr': '<f4"), .malformedHeader(offset: 20, expected: "a plain type such as '<f4'")),
    (
      file("{'descr': '" + String(repeating: "f", count: 50000) + "'}"),
      .malformedHeader(offset: 20, expected: "a plain type such as '<f4'")
    ),
    (
      file(header("<f4", "()", order: "0")), .malformedHeader(offset: 44, expected: "True or False")
    ),
    (
      file(header("<f4", "()") + "x"),
      .malformedHeader(offset: 65, expected: "nothing but spaces after the dictionary")
    ),
    (file(header("<f4", "(3)")), .malformedHeader(offset: 62, expected: "','")),
    (file(header("<f4", "(3LL,)")), .malformedHeader(offset: 63, expected: "','")),
    (
      file(header("<f4", "(L,)")),
      .malformedHeader(offset: 61, expected: "a size of the shape, an integer of at least 0")
    ),
    (
      file(header("<u2", "(4611686018427387904,)")), .sizeOverflow(dimensions: [1 << 62])
    ),
    (
      file(header("<u4", "(2,)"), [0, 0, 0, 0]), .wrongDataSize(shape: [2], expected: 8, got: 4)
    ),
    (
      file(header("<f4", "(-1,)")),
      .malformedHeader(offset: 61, expected: "a size of the shape, an integer of at least 0")
    ),
    (
      file(header("<f4", "(9223372036854775808,)")),
      .malformedHeader(offset: 61, expected: "a size that fits in 63 bits")
    ),
    (
      file(header("<f4", "(" + String(repeating: "1,", count: 30000) + ")")),
      .tooManyDimensions(limit: 64)
    ),
    (
      file(header("<f4", "(4294967296, 4294967296)")),
      .sizeOverflow(dimensions: [1 << 32, 1 << 32])
    ),
    (file(header("<f8", "(2305843009213693952,)")), .sizeOverflow(dimensions: [1 << 61])),
    (file(header("<f8", "(0, 9223372036854775807, 3)")), .sizeOverflow(dimensions: [0, .max, 3])),
    (
      file(header("<f4", "(1000000000,)"), [0, 0, 0, 0]),
      .wrongDataSize(shape: [1_000_000_000], expected: 4_000_000_000, got: 4)
    ),
    (file(header("<f4", "(1,)"), [0, 0, 0]), .wrongDataSize(shape: [1], expected: 4, got: 3)),
    (
      file(header("<f4", "(1,)"), [0, 0, 0, 0, 0]), .wrongDataSize(shape: [1], expected: 4, got: 5)
    ),
    (
      file(header("<f4", "(2, 3)", order: "True")),
      .wrongDataSize(shape: [2, 3], expected: 24, got: 0)
    ),
    (
      file(header("|b1", "(2, 2)", order: "True"), [0, 1, 1, 3]), .notBoolean(index: 3, byte: 3)
    ),
    (
      file(header("<u8", "(2,)"), [UInt8](repeating: 0xFF, count: 16)),
      .integerTooLarge(index: 0, value: .max)
    ),
    (file(header("|b1", "(3,)"), [0, 1, 2]), .notBoolean(index: 2, byte: 2)),
    (file(header("<c8", "()")), .unsupportedType("<c8")),
    (file(header("|O", "()")), .unsupportedType("|O")),
    (file(header("<U2", "()")), .unsupportedType("<U2")),
    (file(header("|u2", "()")), .unsupportedType("|u2")),
    (file(header("|f4", "()")), .unsupportedType("|f4")),
    (file(header("=f4", "()")), .unsupportedType("=f4")),
    (file(header("", "()")), .unsupportedType("")),
  ]

  @Test(arguments: hostile)
  func `refuses what is no array`(bytes: [UInt8], expected: NPYError) {
    #expect(throws: expected) { try Tensor(npy: bytes) }
  }

  @Test func `every cut of a file is refused`() throws {
    let whole = try Tensor([1, 2, 3] as [Float]).npyBytes()
    for count in 0..<whole.count {
      #expect(throws: NPYError.self) { try Tensor(npy: Array(whole.prefix(count))) }
    }
  }

  @Test func `any changed byte of a header is refused or read, without a crash`() throws {
    let whole = try Tensor(zeros: [2, 3], elementType: .int16).npyBytes()
    for index in 0..<128 {
      for value: UInt8 in [0, 0x27, 0x28, 0x39, 0x7B, 0xFF] {
        var bytes = whole
        bytes[index] = value
        if let tensor = try? Tensor(npy: bytes) { #expect(tensor.byteCount == 12) }
      }
    }
  }

  @Test func `what NumPy can't hold is not written`() {
    #expect(throws: NPYError.unwritableType(.bfloat16)) {
      try Tensor(zeros: [1], elementType: .bfloat16).npyBytes()
    }
    #expect(throws: NPYError.tooManyDimensions(limit: 64)) {
      try Tensor(zeros: Shape([Int](repeating: 1, count: 65))).npyBytes()
    }
  }

  static let messages: [(NPYError, String)] = [
    (
      .notNPY,
      "the file does not begin with \\x93NUMPY, so it is not a .npy file; write it with "
        + "numpy.save"
    ),
    (
      .unsupportedVersion(major: 4, minor: 0),
      ".npy format 4.0 is not known (1.0, 2.0 and 3.0 are); save it again with numpy.save"
    ),
    (
      .headerTooLong(byteCount: 70000, limit: 65524),
      "the .npy header is 70000 bytes long, but at most 65524 are possible here; the file is "
        + "damaged or isn't a plain array"
    ),
    (
      .malformedHeader(offset: 20, expected: "'{'"),
      "the .npy header is malformed: expected '{' at offset 20 of the file"
    ),
    (
      .unsupportedType("<c8"),
      "elements of type <c8 can't be read; save them as one of f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8 and b1, for example with array.astype(\"f4\")"
    ),
    (
      .integerTooLarge(index: 3, value: .max),
      "element 3 is 18446744073709551615, and integers up to 9223372036854775807 can be read; "
        + "save the array as floats, with array.astype(\"f4\")"
    ),
    (
      .tooManyDimensions(limit: 64),
      "the array has more than 64 dimensions, which is the most NumPy allows"
    ),
    (
      .sizeOverflow(dimensions: [1, 2]),
      "an array of shape (1, 2) has more bytes than can be counted; the file is damaged"
    ),
    (
      .wrongDataSize(shape: [1], expected: 4, got: 3),
      "an array of shape [1] takes 4 bytes, but 3 follow the header; the file is truncated; "
        + "write it again"
    ),
    (
      .wrongDataSize(shape: [1], expected: 4, got: 5),
      "an array of shape [1] takes 4 bytes, but 5 follow the header; the file holds more than one array, or is damaged"
    ),
    (
      .notBoolean(index: 2, byte: 2),
      "element 2 of the boolean array is the byte 2, neither 0 nor 1; the file is damaged"
    ),
    (.unwritableType(.bfloat16), "NumPy has no type bfloat16; convert the tensor to float32 first"),
  ]

  @Test(arguments: [-1, Int.min])
  func `no file has a negative size`(byteCount: Int) throws {
    let bytes = try Tensor(zeros: [3]).npyBytes()
    #expect(throws: NPYError.headerTooLong(byteCount: 118, limit: -10)) {
      try NPYHeader(parsing: bytes, fileByteCount: byteCount)
    }
  }

  @Test(arguments: messages)
  func `errors say what is wrong and what to do`(error: NPYError, message: String) {
    #expect("\(error)" == message)
  }
}
