import CCrestKernels
import Testing

struct PhiloxTests {
  /// The known answers of the authors' Random123 1.14 (`kat_vectors`).
  @Test(
    arguments: [
      (
        [0, 0, 0, 0], [0, 0],
        [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
      ),
      (
        [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], [0xffff_ffff, 0xffff_ffff],
        [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
      ),
      (
        [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
      ),
    ] as [([UInt32], [UInt32], [UInt32])])
  func `the reference gives the published answers`(
    counter: [UInt32], key: [UInt32], answer: [UInt32]
  ) {
    #expect(philoxReference(counter: counter, key: key) == answer)
  }

  @Test(arguments: [0, 1, 2, 3, 4, 7, 1 << 34, 1 << 34 + 6, .max] as [UInt64])
  func `an element's uniform is its word of its block`(index: UInt64) {
    let seed: UInt64 = 0x0123_4567_89ab_cdef
    let block = index / 4
    let words = philoxReference(
      counter: [UInt32(truncatingIfNeeded: block), UInt32(block >> 32), 42, 3],
      key: [0x89ab_cdef, 0x0123_4567])
    let expected = Float(words[Int(index % 4)] >> 8) / Float(1 << 24)
    #expect(ck_philox_uniform(seed, 3, 42, index) == expected)
  }
}
