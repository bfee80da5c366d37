extension CSVLogger {
  /// The contents of a log: enough to recognise it when a run is resumed, and to complete it.
  public struct Record: Codable, Sendable, Hashable {
    /// Where it was written.
    public internal(set) var path = ""
    /// The bytes written so far.
    public internal(set) var byteCount = 0
    /// Of these bytes.
    var digest = LogDigest()
    /// Lines that could not be written, which come next; of a log of bytes, a scalar for each.
    public internal(set) var unwritten = ""

    init() {}
  }
}

/// A fingerprint of bytes that come piece by piece (FNV-1a of 64 bits): it finds another file, not a forged one.
struct LogDigest: Codable, Sendable, Hashable {
  private var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }
}
