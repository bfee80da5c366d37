/// What is wrong with the bytes of a `.npy` file, or with a tensor that can't be written as one.
public enum NPYError: Error, Equatable, Sendable {
  /// The bytes don't begin as every `.npy` file does.
  case notNPY
  /// The format's version isn't 1.0, 2.0 or 3.0.
  case unsupportedVersion(major: UInt8, minor: UInt8)
  /// The header is longer than any array needs, or than the file.
  case headerTooLong(byteCount: Int, limit: Int)
  /// The header isn't a dictionary of `descr`, `fortran_order` and `shape`.
  case malformedHeader(offset: Int, expected: String)
  /// The elements have a type that no tensor has.
  case unsupportedType(String)
  /// There are more dimensions than NumPy itself allows.
  case tooManyDimensions(limit: Int)
  /// The sizes multiply to more bytes than can be counted.
  case sizeOverflow(dimensions: [Int])
  /// The file holds fewer or more bytes of data than its shape says.
  case wrongDataSize(shape: Shape, expected: Int, got: Int)
  /// A byte of a boolean array is neither 0 nor 1.
  case notBoolean(index: Int, byte: UInt8)
  /// An unsigned integer is larger than `int64` can hold.
  case integerTooLarge(index: Int, value: UInt64)
  /// NumPy has no name for the tensor's element type.
  case unwritableType(ElementType)
}

extension NPYError: CustomStringConvertible {
  /// What was expected, what was found, and what to do.
  public var description: String {
    switch self {
    case .notNPY:
      "the file does not begin with \\x93NUMPY, so it is not a .npy file; write it with numpy.save"
    case .unsupportedVersion(let major, let minor):
      ".npy format \(major).\(minor) is not known (1.0, 2.0 and 3.0 are); save it again with "
        + "numpy.save"
    case .headerTooLong(let byteCount, let limit):
      "the .npy header is \(byteCount) bytes long, but at most \(limit) are possible here; the file "
        + "is damaged or isn't a plain array"
    case .malformedHeader(let offset, let expected):
      "the .npy header is malformed: expected \(expected) at offset \(offset) of the file"
    case .unsupportedType(let name):
      "elements of type \(name) can't be read; save them as one of f2, f4, f8, i1, i2, i4, i8, u1, "
        + "u2, u4, u8 and b1, for example with array.astype(\"f4\")"
    case .tooManyDimensions(let limit):
      "the array has more than \(limit) dimensions, which is the most NumPy allows"
    case .sizeOverflow(let dimensions):
      "an array of shape (\(dimensions.map(String.init).joined(separator: ", "))) has more bytes "
        + "than can be counted; the file is damaged"
    case .wrongDataSize(let shape, let expected, let got):
      "an array of shape \(shape) takes \(expected) bytes, but \(got) follow the header; "
        + (got < expected
          ? "the file is truncated; write it again"
          : "the file holds more than one array, or is damaged")
    case .notBoolean(let index, let byte):
      "element \(index) of the boolean array is the byte \(byte), neither 0 nor 1; the file is "
        + "damaged"
    case .integerTooLarge(let index, let value):
      "element \(index) is \(value), and integers up to \(Int64.max) can be read; save the array as "
        + "floats, with array.astype(\"f4\")"
    case .unwritableType(let elementType):
      "NumPy has no type \(elementType); convert the tensor to float32 first"
    }
  }
}
