import CrestTensor
import Foundation
import Testing

@Suite struct SafetensorsTests {
  /// A file with `header` as it stands and `data` after it.
  static func file(
    _ header: String, data: Int = 0, length: UInt64? = nil
  ) -> [UInt8] {
    let length = length ?? UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + header.utf8
      + [UInt8](repeating: 1, count: data)
  }

  static func entry(
    _ name: String = "a", type: String = "F32", shape: String = "[2]", offsets: String = "[0,8]"
  ) -> String {
    "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  @Test func `a file has the bytes that the format says`() throws {
    let contents = Safetensors(
      tensors: [
        "bytes": Tensor([7, 8, 9] as [UInt8]), "a \"b\"": Tensor([1.5] as [Float]),
      ], metadata: ["k": "v\n"])
    let header =
      #"{"__metadata__":{"k":"v\n"},"a \"b\"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"#
      + #""bytes":{"dtype":"U8","shape":[3],"data_offsets":[4,7]}}"#
    let padded = header + String(repeating: " ", count: (64 - (8 + header.utf8.count) % 64) % 64)
    let bytes = try contents.bytes()
    #expect(bytes == Self.file(padded) + [0, 0, 0xC0, 0x3F, 7, 8, 9])
    #expect((bytes.count - 7) % 64 == 0, "the data are aligned")
    #expect(try Safetensors(parsing: bytes) == contents)
    #expect(try Safetensors(parsing: bytes).bytes() == bytes)
  }

  @Test(arguments: ElementType.allCases)
  func `what is written is read again`(type: ElementType) throws {
    for shape in [[], [1], [2, 3], [4, 0, 2], [1, 1, 2, 1, 3]] as [Shape] {
      let numbers = (0..<shape.elementCount).map { $0 - 2 }
      let tensor =
        type.isFloat
        ? Tensor(rounding: numbers.map { Double($0) / 4 }, to: type, shape: shape)
        : Tensor(wrapping: numbers.map(Int64.init), to: type, shape: shape)
      let contents = Safetensors(tensors: ["x": tensor, "y": Tensor(zeros: [0])])
      #expect(try Safetensors(parsing: contents.bytes()) == contents)
    }
  }

  static let readable: [(String, Int)] = [
    ("{}", 0), ("{ }  ", 0), ("{" + entry() + "}", 8),
    ("{" + entry("b", offsets: "[8,16]") + " , " + entry() + "}", 16),
    ("{" + entry("a", shape: "[0]", offsets: "[0,0]") + "," + entry("b") + "}", 8),
    (
      #"{"__metadata__":{},"\u00e9\ud83d\ude00":{"shape":[],"data_offsets":[0,1],"dtype":"I8"}}"#, 1
    ),
  ]

  @Test(arguments: readable.indices)
  func `other writers' headers are read`(index: Int) throws {
    let (header, data) = Self.readable[index]
    _ = try Safetensors(parsing: Self.file(header, data: data))
  }

  static let refused: [(bytes: [UInt8], message: String)] = [
    (
      [],
      "a safetensors file has at least 10 bytes, but this one has 0; it is truncated, or of "
        + "another kind"
    ),
    (
      file("{}", length: 3),
      "the safetensors header is 3 bytes long, but at most 2 are possible here; the file is "
        + "truncated, damaged, or of another kind"
    ),
    (
      file("{}", length: .max),
      "the safetensors header is 18446744073709551615 bytes long, but at most 2 are possible "
        + "here; the file is truncated, damaged, or of another kind"
    ),
    (file("[]"), "the safetensors header is malformed: expected '{' at offset 8 of the file"),
    (file(" {}"), "the safetensors header is malformed: expected '{' at offset 8 of the file"),
    (
      file("{}x"),
      "the safetensors header is malformed: expected nothing more at offset 10 of the file"
    ),
    (
      file("{\"a"),
      "the safetensors header is malformed: expected the end of a string at offset 11 of the file"
    ),
    (
      file("{\"a\":[]}"),
      "the safetensors header is malformed: expected '{' at offset 13 of the file"
    ),
    (
      file("{\"a\":{\"x\":1}}"),
      "the safetensors header is malformed: expected one of dtype, shape and data_offsets at offset 18 "
        + "of the file"
    ),
    (
      file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", data: 8),
      "the safetensors header is malformed: expected dtype, shape and two ascending data_offsets of \"a\" "
        + "at offset 13 of the file"
    ),
    (
      file("{" + entry(offsets: "[8,0]") + "}", data: 8),
      "the safetensors header is malformed: expected dtype, shape and two ascending data_offsets of \"a\" "
        + "at offset 13 of the file"
    ),
    (
      file("{" + entry(shape: "[-2]") + "}", data: 8),
      "the safetensors header is malformed: expected an integer from 0 to 9223372036854775807 at "
        + "offset 37 of the file"
    ),
    (
      file("{" + entry(shape: "[2e0]") + "}", data: 8),
      "the safetensors header is malformed: expected an integer from 0 to 9223372036854775807 at "
        + "offset 37 of the file"
    ),
    (
      file("{" + entry() + "," + entry() + "}", data: 8),
      "the name \"a\" occurs twice in the safetensors header; the file is damaged or forged"
    ),
    (
      file("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}"),
      "the name \"k\" occurs twice in the safetensors header; the file is damaged or forged"
    ),
    (
      file("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F64\"}}"),
      "the name \"a.dtype\" occurs twice in the safetensors header; the file is damaged or forged"
    ),
    (
      file("{\"__metadata__\":{},\"__metadata__\":{}}"),
      "the name \"__metadata__\" occurs twice in the safetensors header; the file is damaged or "
        + "forged"
    ),
    (
      file("{\"__metadata__\":{\"k\":1}}"),
      "the safetensors header is malformed: expected a string in quotes at offset 29 of the file"
    ),
    (
      file("{" + entry(type: "F8_E4M3", offsets: "[0,2]") + "}", data: 2),
      "tensor \"a\" has elements of type F8_E4M3, expected one of F64, F32, F16, BF16, I64, I32, I16, I8, "
        + "U8, BOOL; convert it before it is saved"
    ),
    (
      file(
        "{" + entry(shape: "[" + [String](repeating: "1", count: 65).joined(separator: ",") + "]")
          + "}", data: 8), "tensor \"a\" has more than 64 dimensions"
    ),
    (
      file("{" + entry(shape: "[4611686018427387904,4]") + "}", data: 8),
      "tensor \"a\" of shape [4611686018427387904, 4] has more bytes than can be counted; the file is "
        + "damaged"
    ),
    (
      file("{" + entry(shape: "[4611686018427387904]") + "}", data: 8),
      "tensor \"a\" of shape [4611686018427387904] has more bytes than can be counted; the file is damaged"
    ),
    (
      file("{" + entry(shape: "[0,4611686018427387904,4]", offsets: "[0,0]") + "}"),
      "tensor \"a\" of shape [0, 4611686018427387904, 4] has more bytes than can be counted; the file is "
        + "damaged"
    ),
    (
      file("{" + entry(shape: "[3]") + "}", data: 8),
      "tensor \"a\" takes 12 bytes by its shape, but a range of 8; the file is damaged"
    ),
    (
      file("{" + entry() + "," + entry("b", offsets: "[4,12]") + "}", data: 12),
      "tensor \"b\" begins at byte 4 of the data, but the one before it ends at 8; the file is damaged or "
        + "forged"
    ),
    (
      file("{" + entry() + "," + entry("b", offsets: "[9,17]") + "}", data: 17),
      "tensor \"b\" begins at byte 9 of the data, but the one before it ends at 8, and bytes between "
        + "tensors are not allowed; the file is damaged or forged"
    ),
    (
      file("{" + entry(offsets: "[1,9]") + "}", data: 9),
      "tensor \"a\" begins at byte 1 of the data, but the one before it ends at 0, and bytes between "
        + "tensors are not allowed; the file is damaged or forged"
    ),
    (
      file("{" + entry() + "}", data: 7),
      "the tensors take 8 bytes, but 7 follow the header; the file is truncated"
    ),
    (
      file("{" + entry() + "}", data: 9),
      "the tensors take 8 bytes, but 9 follow the header; the file is damaged or forged"
    ),
    (
      file("{" + entry(type: "BOOL", offsets: "[0,2]") + "}") + [1, 2],
      "element 1 of the boolean tensor \"a\" is the byte 2, neither 0 nor 1; the file is damaged"
    ),
    (
      file("{\"\\ud800\":1}"),
      "the safetensors header is malformed: expected a character of Unicode at offset 12 of the file"
    ),
    (
      file("{\"\\x\":1}"),
      "the safetensors header is malformed: expected one of the escapes of JSON at offset 11 of the file"
    ),
    (
      Array(file("{\"ab\":1}").prefix(10)) + [0xFF, 0xFE] + Array("\":1}".utf8),
      "the safetensors header is malformed: expected a string in UTF-8 at offset 10 of the file"
    ),
    (
      file("{\"a\tb\":1}"),
      "the safetensors header is malformed: expected a string without control characters at offset 11 of "
        + "the file"
    ),
  ]

  @Test(arguments: refused.indices)
  func `what is wrong is said`(index: Int) throws {
    let (bytes, message) = Self.refused[index]
    let error = #expect(throws: SafetensorsError.self) { try Safetensors(parsing: bytes) }
    #expect(error?.description == message)
  }

  @Test func `what can't be written is refused`() throws {
    let reserved = #expect(throws: SafetensorsError.self) {
      try Safetensors(tensors: ["__metadata__": Tensor(zeros: [1])]).bytes()
    }
    #expect(
      reserved?.description
        == "a tensor in a safetensors file can't be named \"__metadata__\"; rename it")
    let twice = #expect(throws: SafetensorsError.self) {
      try Safetensors.Header(arranging: [("a", .int8, [1]), ("a", .int8, [2])])
    }
    #expect(twice == .duplicateName("a"))
    let deep = #expect(throws: SafetensorsError.self) {
      try Safetensors(tensors: ["a": Tensor(zeros: Shape([Int](repeating: 1, count: 65)))]).bytes()
    }
    #expect(deep == .tooManyDimensions(tensor: "a", limit: 64))
  }

  @Test func `nothing that is damaged in one place crashes the reader`() throws {
    let bytes = try Safetensors(
      tensors: [
        "a": Tensor([1, 2, 3] as [Float]), "b": Tensor(zeros: [2, 2], elementType: .bool),
      ],
      metadata: ["text": "é\"\\"]
    ).bytes()
    for place in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[place] ^= 1 << bit
        _ = try? Safetensors(parsing: damaged)
      }
      _ = try? Safetensors(parsing: Array(bytes.prefix(place)))
    }
  }
}

@Suite struct `A file of Python's safetensors` {
  @Test func `is read with all its types`() throws {
    let path = #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()
    let contents = try Safetensors(
      parsing: Array(
        Data(contentsOf: URL(filePath: path + "/Fixtures/safetensors/python.safetensors"))))
    #expect(contents.metadata == ["é\"\\\n": "text"])
    #expect(contents.tensors.count == ElementType.allCases.count + 2)
    for type in ElementType.allCases {
      let numbers: [Int64] =
        switch type {
        case .bool: [0, 1, 0, 1, 0, 1]
        case .uint8: [0, 1, 2, 3, 4, 5]
        default: [-2, -1, 0, 1, 2, 3]
        }
      let expected =
        type.isFloat
        ? Tensor(rounding: numbers.map(Double.init), to: type, shape: [2, 3])
        : Tensor(wrapping: numbers, to: type, shape: [2, 3])
      #expect(contents.tensors[type.rawValue] == expected, "\(type)")
    }
    #expect(contents.tensors["empty"] == Tensor(zeros: [4, 0, 2]))
    #expect(contents.tensors["scalar"] == Tensor(scalar: 1.5 as Float))
  }
}
