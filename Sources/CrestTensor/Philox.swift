/// A counter-based random generator: a pure function of its key and counter, without state.
///
/// Philox 4×32-10 (Salmon, Moraes, Dror, Shaw: *Parallel random numbers: as easy as 1, 2, 3*,
/// 2011). The key is the run's seed; the counter is (index, step, stream), so shuffling,
/// augmentation, dropout and initialisation never share a number, and each of their numbers can be
/// drawn again at any time.
public struct Philox: Sendable, Hashable {
  /// The key.
  public let seed: UInt64
  /// What the numbers are for, see ``Stream``.
  public let stream: UInt32
  /// The epoch or step in which they are drawn.
  public let step: UInt32

  /// The generator of one stream in one epoch or step.
  public init(seed: UInt64, stream: UInt32, step: UInt32 = 0) {
    self.seed = seed
    self.stream = stream
    self.step = step
  }

  /// The four words of counter block `block`, that is of indices `4 · block ..< 4 · block + 4`.
  public func words(block: UInt64) -> (UInt32, UInt32, UInt32, UInt32) {
    var c0 = UInt32(truncatingIfNeeded: block)
    var c1 = UInt32(truncatingIfNeeded: block >> 32)
    var c2 = step
    var c3 = stream
    var k0 = UInt32(truncatingIfNeeded: seed)
    var k1 = UInt32(truncatingIfNeeded: seed >> 32)
    for _ in 0..<10 {
      let (high0, low0) = (0xD251_1F53 as UInt32).multipliedFullWidth(by: c0)
      let (high1, low1) = (0xCD9E_8D57 as UInt32).multipliedFullWidth(by: c2)
      (c0, c1, c2, c3) = (high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0)
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (c0, c1, c2, c3)
  }

  /// The 32 random bits at `index`.
  public func word(_ index: UInt64) -> UInt32 {
    let block = words(block: index >> 2)
    return switch index & 3 {
    case 0: block.0
    case 1: block.1
    case 2: block.2
    default: block.3
    }
  }

  /// The uniform number in [0, 1) at `index`: the upper 24 bits of its word over 2²⁴.
  public func uniform(_ index: UInt64) -> Float {
    Float(word(index) >> 8) * 0x1p-24
  }

  /// An integer in `0 ..< bound` at `index`, with negligible bias (Lemire 2019, 64 bits).
  ///
  /// - Precondition: `bound` is positive.
  public func integer(below bound: Int, _ index: UInt64) -> Int {
    programmerError(unless: bound > 0, "no whole number is below \(bound) and at least 0")
    let block = words(block: index)
    let bits = UInt64(block.0) << 32 | UInt64(block.1)
    return Int(bits.multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A permutation of `0 ..< count` (Fisher–Yates).
  ///
  /// - Precondition: `count` is not negative.
  public func permutation(_ count: Int) -> [Int] {
    programmerError(unless: count >= 0, "a permutation of \(count) numbers")
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, integer(below: last + 1, UInt64(last)))
    }
    return order
  }
}

extension Philox {
  /// The streams that the library uses itself; those of a model's parameters and dropouts have
  /// larger numbers.
  public enum Stream {
    /// The order of examples in an epoch.
    public static let shuffle: UInt32 = 1
    /// Augmentation of an example in an epoch.
    public static let augmentation: UInt32 = 2
    /// Drawing the validation part of a set.
    public static let split: UInt32 = 3
    /// Mixing the examples of a batch.
    public static let mixing: UInt32 = 4
    /// Drawing the tokens of a text that is written.
    public static let writing: UInt32 = 5
    /// The first stream of parameters' initial values, one each by their order in the graph.
    public static let parameters: UInt32 = 0x1000_0000
    /// The first stream of dropouts, one each by their order in the graph.
    public static let dropout: UInt32 = 0x2000_0000
  }
}
