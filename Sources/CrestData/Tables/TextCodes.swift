/// The different texts of a column, numbered from 0 as they are met, by their bytes.
struct TextCodes {
  private var bytes: [UInt8] = []
  /// Where each text ends in the bytes.
  private var ends: [Int] = []
  /// For each place of the hash table 0, or one more than a text's number.
  private var slots = [Int32](repeating: 0, count: 64)

  var count: Int { ends.count }

  /// The number of a text, which is new if it hasn't been met.
  mutating func code(of text: UnsafeBufferPointer<UInt8>) -> Int32 {
    var hasher = Hasher()
    hasher.combine(bytes: UnsafeRawBufferPointer(text))
    let mask = slots.count - 1
    var slot = hasher.finalize() & mask
    while slots[slot] != 0 {
      if isText(Int(slots[slot]) - 1, text) { return slots[slot] - 1 }
      slot = (slot + 1) & mask
    }
    bytes.append(contentsOf: text)
    ends.append(bytes.count)
    slots[slot] = Int32(ends.count)
    if ends.count * 2 > slots.count { grow() }
    return Int32(ends.count - 1)
  }

  /// The bytes of a text.
  private func range(_ number: Int) -> Range<Int> {
    (number == 0 ? 0 : ends[number - 1])..<ends[number]
  }

  private func isText(_ number: Int, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let range = range(number)
    guard range.count == text.count else { return false }
    return bytes.withUnsafeBufferPointer { bytes in
      for place in 0..<text.count where bytes[range.lowerBound + place] != text[place] {
        return false
      }
      return true
    }
  }

  private mutating func grow() {
    slots = [Int32](repeating: 0, count: slots.count * 2)
    let mask = slots.count - 1
    for number in ends.indices {
      let range = range(number)
      var hasher = Hasher()
      bytes.withUnsafeBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[range])) }
      var slot = hasher.finalize() & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(number + 1)
    }
  }

  /// The texts in the order of their numbers; they are UTF-8 if what was given was.
  var texts: [String] {
    ends.indices.map { String(decoding: bytes[range($0)], as: UTF8.self) }
  }
}

extension [String] {
  /// The texts in order: of whole numbers by their values, else by their scalars.
  var inOrder: [String] {
    let numbers = compactMap { name in Int(name).map { ($0, name) } }
    guard numbers.count < count else { return numbers.sorted { $0 < $1 }.map(\.1) }
    return sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
  }
}
