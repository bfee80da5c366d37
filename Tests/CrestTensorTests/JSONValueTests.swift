import CrestTensor
import Testing

@Suite struct `A JSON value` {
  typealias Numbers = JSONValue.Limits.Numbers

  private func read(
    _ text: String, _ numbers: Numbers, depth: Int = 3, count: Int = 10
  ) throws -> JSONValue {
    let limits = JSONValue.Limits(depth: depth, count: count, numbers: numbers)
    return try Array(text.utf8).withUnsafeBytes { bytes in
      try JSONValue(parsing: bytes, within: limits) { members in
        members["no"] == nil ? nil : "an object without no"
      }
    }
  }

  static let numbers: [(String, asWritten: JSONValue, asValues: JSONValue)] = [
    ("1", .integer(1), .integer(1)), ("-0", .integer(0), .integer(0)),
    ("1.0", .number(1), .integer(1)), ("1e3", .number(1000), .integer(1000)),
    ("0.5", .number(0.5), .number(0.5)),
    ("9007199254740993", .integer(9_007_199_254_740_993), .integer(9_007_199_254_740_992)),
    ("1e300", .number(1e300), .number(1e300)),
  ]

  @Test(arguments: numbers.indices)
  func `has numbers as they are written, or by their values`(index: Int) throws {
    let (text, asWritten, asValues) = Self.numbers[index]
    #expect(try read(text, .asWritten) == asWritten, "\(text)")
    #expect(try read(text, .asValues) == asValues, "\(text)")
  }

  static let faults: [(String, Numbers, offset: Int, expected: String)] = [
    ("", .asValues, 0, "a digit"), ("[1,2", .asValues, 4, "']'"),
    ("{\"a\":1,\"a\":2}", .asValues, 12, "\"a\" once"),
    (" {\"no\":1}", .asValues, 1, "an object without no"),
    ("[1e999]", .asValues, 1, "a number of 64 bits"),
    ("[1e999]", .asWritten, 1, "a number of 64 bits"),
    ("[99999999999999999999]", .asWritten, 1, "a number of 64 bits"),
    ("[[[[1]]]]", .asValues, 4, "at most 10 values, 3 deep"),
    ("[0,0,0,0,0,0,0,0,0,0]", .asValues, 19, "at most 10 values, 3 deep"),
    ("1 2", .asValues, 2, "nothing more"),
  ]

  @Test(arguments: faults.indices)
  func `is refused with the place and what should be there`(index: Int) throws {
    let (text, numbers, offset, expected) = Self.faults[index]
    let fault = try #require(throws: JSONScanner.Fault.self) { try read(text, numbers) }
    #expect(fault == JSONScanner.Fault(offset: offset, expected: expected), "\(text)")
    #expect(fault.description == "it is not JSON at byte \(offset): expected \(expected)")
  }

  @Test func `is larger than any Int where only values count`() throws {
    #expect(try read("99999999999999999999", .asValues) == .number(1e20))
  }

  @Test func `is written with its keys in order and in the fewest digits`() {
    let value = JSONValue.object([
      "b": .list([.null, .bool(true), .integer(-3), .number(1), .number(0.1), .number(1e20)]),
      "a\n\"": .text("é\u{1}\t"),
      "c": .list([.number(.nan), .number(-.infinity), .number(.infinity)]),
      "d": .object([:]), "e": .list([]),
    ])
    #expect(
      value.json
        == #"{"a\n\"":"é\u0001\t","b":[null,true,-3,1.0,0.1,1e+20],"c":["nan","-inf","inf"],"d":{},"e":[]}"#
    )
  }
}
