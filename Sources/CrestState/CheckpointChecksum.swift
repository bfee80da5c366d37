import CrestTensor

/// The checksum that shows a checkpoint to be intact: a hash of the whole file.
///
/// Zeros stand in place of its own digits. It guards against accidents, not against forgers.
enum ChecksumKind: CaseIterable {
  /// Of files of format 2: XXH64, some gigabytes a second.
  case xxh64
  /// Of files of format 1.
  case sha256

  /// That of a format.
  init(format: Int) { self = format == 1 ? .sha256 : .xxh64 }

  /// The name of the metadata that hold it.
  var key: String {
    switch self {
    case .xxh64: "crest.xxh64"
    case .sha256: "crest.sha256"
    }
  }

  /// The number of its hexadecimal digits.
  var digitCount: Int {
    switch self {
    case .xxh64: 16
    case .sha256: 64
    }
  }
}

/// A checksum of bytes, piece by piece.
struct Checksum {
  private enum Hash {
    case xxh64(Fingerprint)
    case sha256(SHA256)
  }

  private let kind: ChecksumKind
  private var hash: Hash

  init(_ kind: ChecksumKind) {
    self.kind = kind
    hash =
      switch kind {
      case .xxh64: .xxh64(Fingerprint())
      case .sha256: .sha256(SHA256())
      }
  }

  mutating func add(_ bytes: UnsafeRawBufferPointer) {
    switch hash {
    case .xxh64(var fingerprint):
      fingerprint.add(bytes)
      hash = .xxh64(fingerprint)
    case .sha256(var sha):
      sha.add(bytes)
      hash = .sha256(sha)
    }
  }

  /// Adds a header with zeros in place of the checksum it states.
  ///
  /// - Returns: The checksum it states.
  mutating func addHeader(
    _ header: Safetensors.Header, _ bytes: [UInt8], _ path: String
  ) throws(CheckpointError) -> String {
    guard let place = header.metadataRanges[kind.key], place.count == kind.digitCount else {
      throw .malformedState(
        path: path, offset: 0, expected: "\(kind.digitCount) digits in \(kind.key)")
    }
    var blank = bytes
    blank.replaceSubrange(place, with: repeatElement(0x30, count: kind.digitCount))
    blank.withUnsafeBytes { add($0) }
    return String(decoding: bytes[place], as: UTF8.self)
  }

  /// The hash of everything added so far, in lower-case hexadecimal.
  var digits: String {
    switch hash {
    case .xxh64(let fingerprint): String(fingerprint.text.dropFirst("xxh64:".count))
    case .sha256(let sha): sha.digits
    }
  }
}
