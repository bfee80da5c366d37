/// Steele, Lea and Flood's SplitMix64: the numbers that mutations follow from.
package struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  /// The numbers of one case of a seed, whichever cases are made before it.
  package init(seed: UInt64, case number: Int = 0) {
    state = seed &+ UInt64(number) &* 0xD1B5_4A32_D192_ED03
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  /// A number from 0 up to, not including, `count`.
  package mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }

  package mutating func element<Element>(of elements: [Element]) -> Element {
    elements[below(elements.count)]
  }
}
