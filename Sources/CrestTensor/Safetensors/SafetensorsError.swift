/// What is wrong with the bytes of a safetensors file, or with tensors that can't be put into one.
public enum SafetensorsError: Error, Equatable, Sendable {
  /// The bytes end before the header does.
  case tooShort(byteCount: Int)
  /// The header is longer than any is allowed to be, or than the file.
  case headerTooLong(byteCount: UInt64, limit: Int)
  /// The header isn't the JSON that the format prescribes.
  case malformedHeader(offset: Int, expected: String)
  /// A name occurs twice, which other readers might interpret differently.
  case duplicateName(String)
  /// The elements have a type that no tensor has.
  case unsupportedType(tensor: String, type: String)
  /// There are more dimensions than any array has.
  case tooManyDimensions(tensor: String, limit: Int)
  /// The sizes multiply to more bytes than can be counted.
  case sizeOverflow(tensor: String, dimensions: [Int])
  /// A tensor's byte range is larger or smaller than its shape says.
  case wrongSize(tensor: String, expected: Int, got: Int)
  /// A tensor begins before the one before it ends.
  case overlap(tensor: String, begin: Int, expected: Int)
  /// Bytes between two tensors belong to neither.
  case gap(tensor: String, begin: Int, expected: Int)
  /// The file holds fewer or more bytes of data than its tensors take.
  case wrongDataSize(expected: Int, got: Int)
  /// A byte of a boolean tensor is neither 0 nor 1.
  case notBoolean(tensor: String, index: Int, byte: UInt8)
  /// A tensor can't have that name.
  case reservedName(String)
}

extension SafetensorsError: CustomStringConvertible {
  /// What was expected, what was found, and what to do.
  public var description: String {
    switch self {
    case .tooShort(let byteCount):
      "a safetensors file has at least 10 bytes, but this one has \(byteCount); it is truncated, or "
        + "of another kind"
    case .headerTooLong(let byteCount, let limit):
      "the safetensors header is \(byteCount) bytes long, but at most \(limit) are possible here; the "
        + "file is truncated, damaged, or of another kind"
    case .malformedHeader(let offset, let expected):
      "the safetensors header is malformed: expected \(expected) at offset \(offset) of the file"
    case .duplicateName(let name):
      "the name \"\(name)\" occurs twice in the safetensors header; the file is damaged or forged"
    case .unsupportedType(let tensor, let type):
      "tensor \"\(tensor)\" has elements of type \(type), expected one of "
        + Safetensors.Header.typeNames.map(\.0).joined(separator: ", ")
        + "; convert it before it is saved"
    case .tooManyDimensions(let tensor, let limit):
      "tensor \"\(tensor)\" has more than \(limit) dimensions"
    case .sizeOverflow(let tensor, let dimensions):
      "tensor \"\(tensor)\" of shape [\(dimensions.map(String.init).joined(separator: ", "))] has more "
        + "bytes than can be counted; the file is damaged"
    case .wrongSize(let tensor, let expected, let got):
      "tensor \"\(tensor)\" takes \(expected) bytes by its shape, but a range of \(got); the file "
        + "is damaged"
    case .overlap(let tensor, let begin, let expected):
      "tensor \"\(tensor)\" begins at byte \(begin) of the data, but the one before it ends at "
        + "\(expected); the file is damaged or forged"
    case .gap(let tensor, let begin, let expected):
      "tensor \"\(tensor)\" begins at byte \(begin) of the data, but the one before it ends at "
        + "\(expected), and bytes between tensors are not allowed; the file is damaged or forged"
    case .wrongDataSize(let expected, let got):
      "the tensors take \(expected) bytes, but \(got) follow the header; "
        + (got < expected ? "the file is truncated" : "the file is damaged or forged")
    case .notBoolean(let tensor, let index, let byte):
      "element \(index) of the boolean tensor \"\(tensor)\" is the byte \(byte), neither 0 nor 1; the "
        + "file is damaged"
    case .reservedName(let name):
      "a tensor in a safetensors file can't be named \"\(name)\"; rename it"
    }
  }
}
