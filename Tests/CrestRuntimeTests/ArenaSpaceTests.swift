import CrestRuntime
import Testing

@Suite struct `The space of an arena` {
  /// The rule itself: of all before it that live at its time, in order of their offsets.
  private struct Plain {
    var taken: [(offset: Int, end: Int, lifetime: ClosedRange<Int>)] = []

    mutating func take(_ size: Int, _ lifetime: ClosedRange<Int>) -> Int {
      var offset = 0
      for other in taken where other.lifetime.overlaps(lifetime) {
        if offset + size <= other.offset { break }
        offset = max(offset, other.end)
      }
      let place = taken.firstIndex { $0.offset > offset } ?? taken.count
      taken.insert((offset, offset + size, lifetime), at: place)
      return offset
    }
  }

  /// How lifetimes lie: anywhere, one within the other as activations do that gradients need, or short.
  enum Kind: CaseIterable { case any, nested, short, mixed }

  @Test(arguments: Kind.allCases) func `is given as by comparing with all there is`(_ kind: Kind) {
    let seed = UInt64.random(in: .min ... .max)
    var random = SplitMix(state: seed)
    var (space, plain) = (ArenaSpace(), Plain())
    let count = 3000
    // From the largest down, as buffers are placed, many of one size.
    let sizes = (0..<count).map { _ in 64 << Int(random.next() % 6) }.sorted(by: >)
    for (number, size) in sizes.enumerated() {
      let begin = Int(random.next() % UInt64(count))
      let short = begin...begin + Int(random.next() % 4)
      let nested = number % count...2 * count - number % count
      let lifetime =
        switch kind {
        case .any: begin...begin + Int(random.next() % UInt64(count))
        case .nested: nested
        case .short: short
        case .mixed: number % 3 == 0 ? nested : short
        }
      let (got, expected) = (space.take(size, lifetime), plain.take(size, lifetime))
      #expect(got == expected, "\(kind), seed \(seed), buffer \(number)")
      if got != expected { return }
    }
    #expect(space.byteCount == plain.taken.map(\.end).max())
  }

  private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
      return z ^ z >> 31
    }
  }
}
