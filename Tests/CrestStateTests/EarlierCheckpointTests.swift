import CrestState
import CrestTensor
import Foundation
import ProcessSupport
import Testing

/// Checkpoints that earlier builds wrote.
@Suite struct `A checkpoint of format 1` {
  private static let path = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/checkpoints/format-1.safetensors").path

  @Test func `is read, and no change of a byte is accepted`() throws {
    let state = try CheckpointFile.read(Self.path)
    #expect(!state.weights.isEmpty)
    #expect(try CheckpointFile.readWeights(Self.path).keys.sorted() == state.weights.keys.sorted())
    let bytes = try [UInt8](Data(contentsOf: URL(filePath: Self.path)))
    let folder = try TemporaryFolder()
    for place in stride(from: bytes.count - 1, to: bytes.count / 2, by: -97) {
      var damaged = bytes
      damaged[place] ^= 1
      let copy = try folder.write(damaged, to: "copy.safetensors")
      #expect(throws: CheckpointError.self, "byte \(place)") { try CheckpointFile.read(copy) }
    }
  }

  /// Vectors of FIPS 180-4 and NIST's CAVP, and lengths around a block.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      String(repeating: "a", count: 1_000_000),
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    ),
  ])
  func `has the SHA-256 of the published vectors, however its bytes come`(
    text: String, digits: String
  ) {
    let bytes = Array(text.utf8)
    for size in [bytes.count, 1, 63, 64, 65, 1000] where size > 0 && bytes.count / size < 20_000 {
      var hash = SHA256()
      for start in stride(from: 0, to: bytes.count, by: size) {
        bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { hash.add($0) }
      }
      #expect(hash.digits == digits, "pieces of \(size)")
    }
    #expect(bytes.isEmpty == (SHA256().digits == digits))
  }
}
