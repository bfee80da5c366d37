import CrestTensor
import Testing

@Suite struct SixteenBitFloatTests {
  @Test func `every bfloat16 survives float and back`() {
    let wrong = (0...UInt16.max).filter { bits in
      let float = Float(bitPattern: UInt32(bits) << 16)
      let back = BFloat16(float).bits
      // A signalling NaN comes back quiet.
      return float.isNaN ? back != bits | 0x0040 : back != bits || BFloat16(float).float != float
    }
    #expect(wrong == [])
  }

  @Test func `every binary16 survives float and back`() {
    let wrong = (0...UInt16.max).filter { bits in
      var half = HalfFloat(0)
      half.bits = bits
      let float = half.float
      return float.isNaN
        ? bits & 0x7C00 != 0x7C00 || bits & 0x3FF == 0 || !HalfFloat(float).float.isNaN
        : HalfFloat(float).bits != bits
    }
    #expect(wrong == [])
  }

  @Test func `binary16 has the values of the standard`() {
    let cases: [(UInt16, Float)] = [
      (0x0001, 0x1p-24), (0x03FF, 0x1.ff8p-15), (0x0400, 0x1p-14), (0x3C00, 1),
      (0x3555, 0x1.554p-2), (0x7BFF, 65504), (0x7C00, .infinity), (0xC000, -2),
      (0xFC00, -.infinity),
    ]
    for (bits, value) in cases {
      var half = HalfFloat(0)
      half.bits = bits
      #expect(half.float == value)
    }
  }

  // Between two neighbours the lower half rounds down, the upper half up, and the middle to the even
  // one; past the largest, the middle of what would come next rounds to infinity.

  @Test func `binary16 rounds to nearest even between all neighbours`() {
    let wrong = (0..<0x7C00 as Range<UInt16>).filter { bits in
      let (low, high) = (half(bits), bits == 0x7BFF ? 65536 : half(bits + 1))
      let middle = (low + high) / 2
      let even = bits.isMultiple(of: 2) ? bits : bits + 1
      return HalfFloat(middle).bits != even || HalfFloat(middle.nextDown).bits != bits
        || HalfFloat(middle.nextUp).bits != bits + 1
        || HalfFloat(-middle).bits != even | 0x8000
    }
    #expect(wrong == [])
  }

  @Test func `bfloat16 rounds to nearest even between all neighbours`() {
    let wrong = (0..<0x7F80 as Range<UInt16>).filter { bits in
      // The middle is exact in the bits of a float, even where a sum would overflow.
      let middle = Float(bitPattern: UInt32(bits) << 16 | 0x8000)
      let even = bits.isMultiple(of: 2) ? bits : bits + 1
      return BFloat16(middle).bits != even || BFloat16(middle.nextDown).bits != bits
        || BFloat16(middle.nextUp).bits != bits + 1 || BFloat16(-middle).bits != even | 0x8000
    }
    #expect(wrong == [])
  }

  private func half(_ bits: UInt16) -> Float {
    var half = HalfFloat(0)
    half.bits = bits
    return half.float
  }
}
