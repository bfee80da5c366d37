import CrestONNX
import ONNXTestSupport
import Testing

@Suite struct `Counting varints` {
  /// Around the width of a round, and around the rounds whose counts fit a byte.
  @Test(arguments: [0, 1, 7, 31, 32, 33, 255 * 32 - 1, 255 * 32, 255 * 32 + 1, 3 * 255 * 32 + 40])
  func `gives what counting one by one gives`(byteCount: Int) {
    var random = SplitMix(seed: 0xC4E5_7003)
    for share in [0, 30, 128, 256] {
      let bytes = (0..<byteCount).map { _ in
        UInt8(random.below(128)) | (random.below(256) < share ? 0x80 : 0)
      }
      let count = bytes.withUnsafeBytes { varintCount($0) }
      #expect(count == bytes.filter { $0 < 0x80 }.count, "a share of \(share) in 256")
    }
  }
}
