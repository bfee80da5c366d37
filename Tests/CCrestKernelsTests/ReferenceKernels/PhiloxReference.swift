/// Philox 4×32-10 on 64-bit arithmetic, straight from the paper's figure.
func philoxReference(counter: [UInt32], key: [UInt32]) -> [UInt32] {
  var (c, k) = (counter.map(UInt64.init), key.map(UInt64.init))
  let mask: UInt64 = 0xffff_ffff
  for _ in 0..<10 {
    let left = 0xd251_1f53 * c[0]
    let right = 0xcd9e_8d57 * c[2]
    c = [right >> 32 ^ c[1] ^ k[0], right & mask, left >> 32 ^ c[3] ^ k[1], left & mask]
    k = [(k[0] + 0x9e37_79b9) & mask, (k[1] + 0xbb67_ae85) & mask]
  }
  return c.map { UInt32($0) }
}
