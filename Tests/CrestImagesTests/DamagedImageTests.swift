import CrestImages
import CrestTensor
import Testing

@Suite struct `Damaged images` {
  @Test(arguments: PillowFile.names)
  func `are refused wherever they are cut`(_ name: String) throws {
    let bytes = try PillowFile.bytes(name)
    for count in bytes.indices {
      #expect(throws: ImageError.self, "\(name), the first \(count) bytes") {
        try PillowFile.pixels(Array(bytes[..<count]), channels: 3, path: name)
      }
    }
  }

  @Test(arguments: PillowFile.names)
  func `are decoded or refused, whatever their bytes are`(_ name: String) throws {
    let bytes = try PillowFile.bytes(name)
    let seed = UInt64.random(in: 0 ... .max)
    var state = seed
    func next(below bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var refused = 0
    for _ in 0..<300 {
      var changed = bytes
      for _ in 0...next(below: 4) { changed[next(below: bytes.count)] = UInt8(next(below: 256)) }
      do {
        let pixels = try PillowFile.pixels(changed, channels: 1, path: name)
        #expect(
          pixels.bytes.count == pixels.width * pixels.height, "seed \(seed)")
      } catch let error as ImageError {
        refused += 1
        #expect("\(error)".hasPrefix(name), "seed \(seed): \(error)")
      }
    }
    #expect(refused > 0, "seed \(seed)")
  }

  /// The first bytes of a PNG of a size.
  private static func png(width: UInt32, height: UInt32) -> [UInt8] {
    func big(_ number: UInt32) -> [UInt8] {
      [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
    return [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10] + big(13) + Array("IHDR".utf8) + big(width)
      + big(height) + [8, 2, 0, 0, 0] + big(0) + big(0) + Array("IDAT".utf8)
  }

  private static func jpeg(_ marker: UInt8, precision: UInt8 = 8) -> [UInt8] {
    [0xFF, 0xD8, 0xFF, marker, 0, 11, precision, 0, 4, 0, 4, 1, 1, 0x11, 0]
  }

  private static let refusals: [(bytes: [UInt8], message: String)] = [
    ([], "x is empty, expected a PNG or JPEG image; convert it, or take it out of the folder"),
    (
      Array("GIF89a".utf8),
      "x is a GIF image, expected a PNG or JPEG image; convert it, or take it out of the folder"
    ),
    (
      Array("RIFF0000WEBP".utf8),
      "x is a WebP image, expected a PNG or JPEG image; convert it, or take it out of the folder"
    ),
    (
      Array("hello".utf8),
      "x is of an unknown form, expected a PNG or JPEG image; convert it, or take it out of the folder"
    ),
    (
      png(width: 60_000, height: 60_000),
      "x says that it is 60000 × 60000, expected 1 to 65500 rows and columns and at most 89478485 pixels; replace the "
        + "file, or take it out of the folder"
    ),
    (
      png(width: 0, height: 3),
      "x says that it is 0 × 3, expected 1 to 65500 rows and columns and at most 89478485 pixels; replace the file, or "
        + "take it out of the folder"
    ),
    (
      jpeg(0xC3),
      "x can't be decoded as JPEG: lossless JPEG is not supported; replace the file, or take it out of the folder"
    ),
    (
      jpeg(0xC9),
      "x can't be decoded as JPEG: arithmetic coding is not supported; replace the file, or take it out of the folder"
    ),
    (
      jpeg(0xC1, precision: 12),
      "x can't be decoded as JPEG: 12 bits a sample are not supported; replace the file, or take it out of the folder"
    ),
    (
      [0xFF, 0xD8, 0xFF, 0xD9],
      "x can't be decoded as JPEG: its sizes are missing; replace the file, or take it out of the folder"
    ),
    (
      [0xFF, 0xD8, 0xFF, 0xE0, 0, 1],
      "x can't be decoded as JPEG: a segment of length 1; replace the file, or take it out of the folder"
    ),
  ]

  @Test(arguments: refusals)
  func `say what they are`(_ bytes: [UInt8], _ message: String) {
    let error = #expect(throws: ImageError.self) {
      try PillowFile.pixels(bytes, channels: 3, path: "x")
    }
    #expect(error?.description == message)
  }

  @Test func `of two sizes are refused`() throws {
    var bytes = try PillowFile.bytes("rgb.png")
    let header = try #require(try ImageHeader.read(bytes, isWhole: true, path: "x"))
    bytes[19] += 1
    #expect(throws: ImageError.self) { try Pixels(bytes, header, channels: 3, path: "x") }
  }
}
