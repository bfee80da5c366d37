/// How many varints bytes hold: each ends in a byte below 128.
///
/// An int64 tensor may be large and is counted whenever a model is opened, so this goes as fast as
/// memory: in each of 8 · 4 bytes a count is kept, for as many rounds as one can hold.
package func varintCount(_ bytes: UnsafeRawBufferPointer) -> Int {
  typealias Lanes = SIMD4<UInt64>
  let width = MemoryLayout<Lanes>.size
  let tops = Lanes(repeating: 0x8080_8080_8080_8080)
  let evenBytes = Lanes(repeating: 0x00FF_00FF_00FF_00FF)
  var count = 0
  var offset = 0
  while bytes.count - offset >= width {
    var ends = Lanes()
    for _ in 0..<min(255, (bytes.count - offset) / width) {
      let lanes = bytes.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
      ends &+= (~lanes & tops) &>> 7
      offset += width
    }
    // Pairs of bytes to 16 bits, and those four to the topmost: at most 8 · 255 each.
    let pairs = (ends & evenBytes) &+ ((ends &>> 8) & evenBytes)
    let sums = (pairs &* Lanes(repeating: 0x0001_0001_0001_0001)) &>> 48
    count += Int(sums.wrappedSum())
  }
  return bytes[offset...].reduce(count) { $0 + ($1 < 0x80 ? 1 : 0) }
}
