import CrestImages
import CrestTensor
import Foundation
import Testing

/// What `make_images.py` wrote.
struct PillowFile: Decodable {
  struct Decoded: Decodable, CustomTestStringConvertible {
    let file: String
    let channels: Int
    let height: Int
    let width: Int
    let pixels: Data

    var testDescription: String { "\(file), \(channels)" }
  }

  struct Resized: Decodable, CustomTestStringConvertible {
    let file: String
    let channels: Int
    let filter: String
    let fit: String
    let height: Int
    let width: Int
    let pixels: Data

    var testDescription: String { "\(file), \(filter), \(fit), \(height) × \(width)" }
  }

  let decoded: [Decoded]
  let resized: [Resized]

  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/images")

  static let all: PillowFile = {
    do {
      return try JSONDecoder().decode(
        PillowFile.self, from: Data(contentsOf: folder.appending(path: "pillow.json")))
    } catch {
      fatalError("\(error)")
    }
  }()

  /// The names of the images.
  static let names = Set(all.decoded.map(\.file)).sorted()

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appending(path: name)))
  }

  static func pixels(_ bytes: [UInt8], channels: Int, path: String) throws -> Pixels {
    let header = try ImageHeader.read(bytes, isWhole: true, path: path)
    return try Pixels(bytes, #require(header), channels: channels, path: path)
  }
}

@Suite struct `Images are those of Pillow` {
  @Test(arguments: PillowFile.all.decoded)
  func `decoded to the bit, and upright`(_ expected: PillowFile.Decoded) throws {
    let pixels = try PillowFile.pixels(
      PillowFile.bytes(expected.file), channels: expected.channels, path: expected.file)
    #expect(pixels.height == expected.height && pixels.width == expected.width)
    #expect(pixels.bytes == [UInt8](expected.pixels))
  }

  @Test(arguments: PillowFile.all.resized)
  func `resized to the bit, by each filter and fit`(_ expected: PillowFile.Resized) throws {
    let pixels = try PillowFile.pixels(
      PillowFile.bytes(expected.file), channels: expected.channels, path: expected.file)
    let images = Preprocessing.Images(
      channels: expected.channels, height: expected.height, width: expected.width,
      fit: try #require(.init(rawValue: expected.fit)),
      filter: try #require(.init(rawValue: expected.filter)))
    #expect(pixels.resized(to: images) == [UInt8](expected.pixels))
  }

  @Test func `the header is found wherever the first bytes end`() throws {
    for name in PillowFile.names {
      let bytes = try PillowFile.bytes(name)
      let whole = try ImageHeader.read(bytes, isWhole: true, path: name)
      var found = false
      // Of fewer bytes nobody can say what they are.
      for count in bytes.indices where count >= 8 {
        let header = try ImageHeader.read(Array(bytes[..<count]), isWhole: false, path: name)
        found = header != nil
        #expect(header == nil || header == whole)
      }
      #expect(found)
    }
  }
}
