/// What TensorBoard reads: an `Event` message of tensorflow/core/util/event.proto, of one number or of the format's
/// version.
package struct TensorBoardEvent {
  /// What it tells.
  package enum Content {
    /// The version of the format, at the beginning of a file.
    case version
    /// A number at a step.
    case scalar(name: String, value: Float, step: Int)
  }

  /// In seconds since 1970.
  package let time: Double
  /// What it tells.
  package let content: Content

  /// An event.
  package init(time: Double, content: Content) { (self.time, self.content) = (time, content) }

  /// The message as a record of TFRecord: length, its checksum, message, its checksum, all little-endian.
  package var record: [UInt8] {
    let message = message
    let length = UInt64(message.count).littleEndianBytes
    return length + MaskedCRC32C.of(length).littleEndianBytes + message
      + MaskedCRC32C.of(message).littleEndianBytes
  }

  private var message: [UInt8] {
    // wall_time = 1
    let start = [0x09] + time.bitPattern.littleEndianBytes
    switch content {
    case .version:
      // file_version = 3
      return start + Self.field(0x1a, Array("brain.Event:2".utf8))
    case .scalar(let name, let value, let step):
      // tag = 1, simple_value = 2
      let number =
        Self.field(0x0a, Array(name.utf8)) + [0x15] + value.bitPattern.littleEndianBytes
      // step = 2, summary = 5, of one value = 1
      return start + [0x10] + Self.varint(UInt64(step)) + Self.field(0x2a, Self.field(0x0a, number))
    }
  }

  /// A field of bytes, whose tag is one byte.
  private static func field(_ tag: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    [tag] + varint(UInt64(bytes.count)) + bytes
  }

  private static func varint(_ value: UInt64) -> [UInt8] {
    var (rest, bytes) = (value, [UInt8]())
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}

/// CRC-32C (Castagnoli), masked as TFRecord does so that a checksum of bytes that hold one isn't 0.
private enum MaskedCRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 0 ? 0 : 0x82f6_3b78) }
  }

  static func of(_ bytes: [UInt8]) -> UInt32 {
    let sum = ~bytes.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    return (sum >> 15 | sum << 17) &+ 0xa282_ead8
  }
}

extension FixedWidthInteger {
  fileprivate var littleEndianBytes: [UInt8] { withUnsafeBytes(of: littleEndian) { Array($0) } }
}
