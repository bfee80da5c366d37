/// SHA-256 (FIPS 180-4), which checkpoints of format 1 are checked by.
///
/// Here and not from a library, since a library for it alone is half of what a user's first build compiles
/// (decision 26); plugins, where forgers count, are checked by swift-crypto.
package struct SHA256 {
  private static let constants: [UInt32] = primes(64).map { fraction(of: $0, root: 3) }

  private var state = primes(8).map { fraction(of: $0, root: 2) }
  private var pending: [UInt8] = []
  private var byteCount: UInt64 = 0

  package init() {}

  /// Adds bytes; how they are divided among calls makes no difference.
  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    byteCount &+= UInt64(bytes.count)
    var rest = bytes[...]
    if !pending.isEmpty {
      let missing = rest.prefix(64 - pending.count)
      pending += missing
      rest = rest.dropFirst(missing.count)
      guard pending.count == 64 else { return }
      pending.withUnsafeBytes { consume($0[...]) }
      pending.removeAll(keepingCapacity: true)
    }
    let whole = rest.count / 64 * 64
    consume(rest.prefix(whole))
    pending += rest.dropFirst(whole)
  }

  /// The hash of everything added so far, in lower-case hexadecimal.
  package var digits: String {
    var ended = self
    var end: [UInt8] = [0x80]
    end += [UInt8](repeating: 0, count: (119 - Int(byteCount % 64)) % 64)
    end += (0..<8).map { UInt8(truncatingIfNeeded: (byteCount &* 8) >> (56 - 8 * $0)) }
    end.withUnsafeBytes { ended.add($0) }
    return ended.state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  /// Takes in blocks of 64 bytes.
  private mutating func consume(_ bytes: Slice<UnsafeRawBufferPointer>) {
    let bytes = UnsafeRawBufferPointer(rebasing: bytes)
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { words in
      for start in stride(from: 0, to: bytes.count, by: 64) {
        for place in 0..<16 {
          let word = bytes.loadUnaligned(fromByteOffset: start + 4 * place, as: UInt32.self)
          words.initializeElement(at: place, to: UInt32(bigEndian: word))
        }
        for place in 16..<64 {
          let (a, b) = (words[place - 15], words[place - 2])
          let first = Self.rotate(a, 7) ^ Self.rotate(a, 18) ^ a >> 3
          let second = Self.rotate(b, 17) ^ Self.rotate(b, 19) ^ b >> 10
          words.initializeElement(
            at: place, to: words[place - 16] &+ first &+ words[place - 7] &+ second)
        }
        mix(UnsafeBufferPointer(words))
      }
    }
  }

  private mutating func mix(_ words: UnsafeBufferPointer<UInt32>) {
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    Self.constants.withUnsafeBufferPointer { constants in
      for place in 0..<64 {
        let sum1 = Self.rotate(e, 6) ^ Self.rotate(e, 11) ^ Self.rotate(e, 25)
        let choice = e & f ^ ~e & g
        let first = h &+ sum1 &+ choice &+ constants[place] &+ words[place]
        let sum0 = Self.rotate(a, 2) ^ Self.rotate(a, 13) ^ Self.rotate(a, 22)
        let majority = a & b ^ a & c ^ b & c
        (h, g, f, e) = (g, f, e, d &+ first)
        (d, c, b, a) = (c, b, a, first &+ sum0 &+ majority)
      }
    }
    for (place, word) in [a, b, c, d, e, f, g, h].enumerated() { state[place] &+= word }
  }

  private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
    word >> count | word << (32 - count)
  }

  /// The first primes.
  private static func primes(_ count: Int) -> [UInt64] {
    var primes: [UInt64] = []
    var candidate: UInt64 = 2
    while primes.count < count {
      if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
      candidate += 1
    }
    return primes
  }

  /// The first 32 bits of the fraction of a square or cube root: the largest r with rⁿ ≤ number · 2³²ⁿ.
  private static func fraction(of number: UInt64, root: Int) -> UInt32 {
    var (low, high): (UInt64, UInt64) = (0, 1 << 40)
    // r³ for r < 2⁴⁰ takes 120 bits.
    let bound = UInt128(number) << UInt128(32 * root)
    while low + 1 < high {
      let middle = (low + high) / 2
      let power = (1..<root).reduce(UInt128(middle)) { power, _ in power * UInt128(middle) }
      if power <= bound { low = middle } else { high = middle }
    }
    return UInt32(truncatingIfNeeded: low)
  }
}
