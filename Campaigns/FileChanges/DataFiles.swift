import CrestTensor

/// A part of a data set of 8 × 8 images in ten classes.
enum DataPart: String, CaseIterable, CustomStringConvertible {
  case train, valid

  var description: String { rawValue }
  var idxName: String { self == .train ? "train" : "t10k" }
  private var count: Int { self == .train ? 512 : 64 }

  /// An array as files have it.
  struct Bytes {
    let sizes: [Int]
    /// The same with an axis of channels, which a model asks for.
    let arraySizes: [Int]
    let bytes: [UInt8]
    /// How NumPy calls the elements.
    let type: String
    /// The elements as NumPy has them.
    let elements: [UInt8]

    /// As numpy.save writes it.
    var npy: [UInt8] {
      let shape = arraySizes.map { "\($0)," }.joined(separator: " ")
      var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(shape)), }"
      header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
      let count = header.utf8.count
      return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(count & 0xFF), UInt8(count >> 8)]
        + Array(header.utf8)
        + elements
    }

    /// As MNIST's files have it.
    var idx: [UInt8] {
      let words = [0x800 + sizes.count] + sizes
      return words.flatMap { word in
        (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
      } + bytes
    }
  }

  /// Images that say in their first pixels which class they are of.
  func images(_ seed: UInt64) -> Bytes {
    let random = Philox(seed: seed, stream: self == .train ? 5 : 6)
    let bytes = (0..<count * 64).map { place in
      let noise = UInt8(random.integer(below: 128, UInt64(place)))
      return place % 64 == label(place / 64, seed) ? 255 : noise
    }
    let floats = bytes.flatMap { byte in withUnsafeBytes(of: Float(byte) / 255) { Array($0) } }
    return Bytes(
      sizes: [count, 8, 8], arraySizes: [count, 1, 8, 8], bytes: bytes, type: "<f4",
      elements: floats)
  }

  func labels(_ seed: UInt64) -> Bytes {
    let bytes = (0..<count).map { UInt8(label($0, seed)) }
    return Bytes(sizes: [count], arraySizes: [count], bytes: bytes, type: "|u1", elements: bytes)
  }

  private func label(_ example: Int, _ seed: UInt64) -> Int { (example * 7 + Int(seed)) % 10 }
}
