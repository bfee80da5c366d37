/// XXH64 of a stream of bytes (Yann Collet, *xxHash fast digest algorithm*, version 0.1.1), seed 0.
///
/// Chosen for its speed and its published test vectors. It tells data sets apart but does not
/// protect against forgery.
package struct Fingerprint {
  private static let primes: (UInt64, UInt64, UInt64, UInt64, UInt64) = (
    0x9E37_79B1_85EB_CA87, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9, 0x85EB_CA77_C2B2_AE63,
    0x27D4_EB2F_1656_67C5
  )

  private var lanes: (UInt64, UInt64, UInt64, UInt64)
  private var pending: [UInt8] = []
  private var byteCount: UInt64 = 0

  package init() {
    let (p1, p2, _, _, _) = Fingerprint.primes
    lanes = (p1 &+ p2, p2, 0, 0 &- p1)
    pending.reserveCapacity(32)
  }

  /// Adds bytes; how they are divided among calls makes no difference.
  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    byteCount &+= UInt64(bytes.count)
    var position = 0
    if !pending.isEmpty {
      position = Swift.min(32 - pending.count, bytes.count)
      pending += bytes[..<position]
      if pending.count < 32 { return }
      pending.withUnsafeBytes { lanes = Fingerprint.consume($0, lanes) }
      pending.removeAll(keepingCapacity: true)
    }
    let whole = (bytes.count - position) / 32 * 32
    lanes = Fingerprint.consume(
      UnsafeRawBufferPointer(rebasing: bytes[position..<position + whole]), lanes)
    pending += bytes[(position + whole)...]
  }

  /// Adds the bytes of `text` and its length.
  package mutating func add(_ text: String) {
    add(UInt64(text.utf8.count))
    Array(text.utf8).withUnsafeBytes { add($0) }
  }

  /// Adds a number as eight bytes, the least significant first.
  package mutating func add(_ number: UInt64) {
    withUnsafeBytes(of: number.littleEndian) { add($0) }
  }

  /// The hash of everything added so far.
  package var hash: UInt64 {
    let (p1, p2, p3, p4, p5) = Fingerprint.primes
    var hash: UInt64
    if byteCount < 32 {
      hash = p5
    } else {
      hash =
        Fingerprint.rotate(lanes.0, 1) &+ Fingerprint.rotate(lanes.1, 7)
        &+ Fingerprint.rotate(lanes.2, 12) &+ Fingerprint.rotate(lanes.3, 18)
      for lane in [lanes.0, lanes.1, lanes.2, lanes.3] {
        hash = (hash ^ Fingerprint.round(0, lane)) &* p1 &+ p4
      }
    }
    hash &+= byteCount
    var rest = pending[...]
    while rest.count >= 8 {
      let word = rest.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
      hash = Fingerprint.rotate(hash ^ Fingerprint.round(0, word), 27) &* p1 &+ p4
      rest = rest.dropFirst(8)
    }
    if rest.count >= 4 {
      let word = rest.prefix(4).reversed().reduce(0) { $0 << 8 | UInt64($1) }
      hash = Fingerprint.rotate(hash ^ word &* p1, 23) &* p2 &+ p3
      rest = rest.dropFirst(4)
    }
    for byte in rest {
      hash = Fingerprint.rotate(hash ^ UInt64(byte) &* p5, 11) &* p1
    }
    hash = (hash ^ hash >> 33) &* p2
    hash = (hash ^ hash >> 29) &* p3
    return hash ^ hash >> 32
  }

  /// The hash as text, with the name of its function.
  package var text: String {
    let digits = String(hash, radix: 16)
    return "xxh64:" + String(repeating: "0", count: 16 - digits.count) + digits
  }

  private static func rotate(_ value: UInt64, _ count: UInt64) -> UInt64 {
    value << count | value >> (64 - count)
  }

  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotate(lane &+ word &* primes.1, 31) &* primes.0
  }

  /// The length of `bytes` is a multiple of 32.
  private static func consume(
    _ bytes: UnsafeRawBufferPointer, _ start: (UInt64, UInt64, UInt64, UInt64)
  ) -> (UInt64, UInt64, UInt64, UInt64) {
    var (a, b, c, d) = start
    for offset in stride(from: 0, to: bytes.count, by: 32) {
      a = round(
        a, UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
      b = round(
        b, UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)))
      c = round(
        c, UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self)))
      d = round(
        d, UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self)))
    }
    return (a, b, c, d)
  }
}
