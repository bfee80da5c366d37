import CrestTensor
import Testing

@Suite struct PhiloxTests {
  /// Random123's known answers for philox4x32-10: counter, key, result.
  static let knownAnswers: [([UInt32], [UInt32], [UInt32])] = [
    (
      [0, 0, 0, 0], [0, 0],
      [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
    ),
    (
      [.max, .max, .max, .max], [.max, .max],
      [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
    ),
    (
      [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
      [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
    ),
  ]

  @Test(arguments: knownAnswers)
  func `gives the published words`(counter: [UInt32], key: [UInt32], expected: [UInt32]) {
    let generator = Philox(
      seed: UInt64(key[1]) << 32 | UInt64(key[0]), stream: counter[3], step: counter[2])
    let words = generator.words(block: UInt64(counter[1]) << 32 | UInt64(counter[0]))
    #expect([words.0, words.1, words.2, words.3] == expected)
  }

  @Test func `permutes every element once and differently by seed`() {
    let first = Philox(seed: 1, stream: 1).permutation(1000)
    #expect(first.sorted() == Array(0..<1000))
    #expect(first != Philox(seed: 2, stream: 1).permutation(1000))
    #expect(first == Philox(seed: 1, stream: 1).permutation(1000))
  }
}
