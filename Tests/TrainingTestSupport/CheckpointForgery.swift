package import CrestTensor

/// Checkpoints that no Crest writes, but with the right checksum.
package enum CheckpointForgery {
  /// The bytes of a file whose saved state is `json`.
  package static func file(json: String, tensors: [String: Tensor]) throws -> [UInt8] {
    let zeros = String(repeating: "0", count: 16)
    var bytes = try Safetensors(
      tensors: tensors,
      metadata: ["crest.format": "2", "crest.state": json, "crest.xxh64": zeros]
    ).bytes()
    var hash = Fingerprint()
    bytes.withUnsafeBytes { hash.add($0) }
    guard let place = bytes.firstRange(of: Array("\"\(zeros)\"".utf8)) else {
      preconditionFailure("the checksum has no place")
    }
    let digits = hash.text.dropFirst("xxh64:".count)
    bytes.replaceSubrange(place, with: "\"\(digits)\"".utf8)
    return bytes
  }
}
