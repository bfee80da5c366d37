import CrestData
import CrestTensor
import Testing

@Suite struct FingerprintTests {
  // Reference values of xxHash 0.8; the last from an independent implementation.
  static let known: [([UInt8], String)] = [
    ([], "xxh64:ef46db3751d8e999"),
    (Array("a".utf8), "xxh64:d24ec4f1a98c6e5b"),
    (Array("abc".utf8), "xxh64:44bc2cf5ad770999"),
    (Array("Nobody inspects the spammish repetition".utf8), "xxh64:fbcea83c8a378bf1"),
    (
      (0..<4).flatMap { _ in Array(0...255 as ClosedRange<UInt8>) } + "xyz".utf8,
      "xxh64:e146cb31b65bc21a"
    ),
  ]

  @Test(arguments: known, [1, 3, 31, 32, 33, 2000])
  func `is XXH64, however the bytes are divided`(case: ([UInt8], String), chunk: Int) {
    var hash = Fingerprint()
    let bytes = `case`.0
    for start in stride(from: 0, to: bytes.count, by: chunk) {
      bytes[start..<min(start + chunk, bytes.count)].withUnsafeBytes { hash.add($0) }
    }
    #expect(hash.text == `case`.1)
  }

  @Test func `tells sets apart by one byte, label or shape`() {
    let images = numberedImages(5)
    let shaped = ByteImages(
      name: "numbers", bytes: (0..<5).flatMap { [UInt8](repeating: $0, count: 4) },
      shape: [1, 4, 1], labels: [0, 1, 2, 0, 1], classNames: ["a", "b", "c"],
      preprocessing: .identity)
    let labelled = ByteImages(
      name: "numbers", bytes: (0..<5).flatMap { [UInt8](repeating: $0, count: 4) },
      shape: [1, 2, 2], labels: [0, 1, 2, 0, 2], classNames: ["a", "b", "c"],
      preprocessing: .identity)
    let parts = [
      Subset(images, indices: [0, 1], name: ""), Subset(images, indices: [1, 0], name: ""),
    ]
    let hashes =
      [images, shaped, labelled, numberedImages(4)].map(\.fingerprint) + parts.map(\.fingerprint)
    #expect(Set(hashes).count == hashes.count)
    #expect(images.fingerprint == numberedImages(5).fingerprint)
  }
}
