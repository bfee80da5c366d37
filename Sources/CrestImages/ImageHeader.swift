import CrestTensor

/// What the beginning of an image file says, read before any memory for pixels is taken.
package struct ImageHeader: Sendable, Hashable {
  /// The forms of files that can be decoded.
  package enum Format: String, Sendable, Hashable {
    case png = "PNG"
    case jpeg = "JPEG"
  }

  let format: Format
  /// Columns as stored.
  let width: Int
  /// Rows as stored.
  let height: Int
  /// Whether there are colours rather than shades of grey.
  let hasColours: Bool
  /// EXIF's orientation, 1 to 8.
  let orientation: Int

  /// The most pixels of an image; Pillow warns above as many.
  package static let pixelLimit = 89_478_485

  /// Columns and rows of the upright image.
  var uprightSize: (width: Int, height: Int) {
    orientation >= 5 ? (height, width) : (width, height)
  }

  /// Reads the header of a file of these bytes.
  ///
  /// - Parameters:
  ///   - bytes: The file, or its beginning.
  ///   - isWhole: Whether that is all of the file.
  ///   - path: Its path, for messages.
  /// - Returns: The header; nil when the beginning doesn't reach to it.
  /// - Throws: ``ImageError``.
  package static func read(
    _ bytes: [UInt8], isWhole: Bool, path: String
  ) throws(ImageError) -> ImageHeader? {
    let reader = ByteReader(bytes)
    let header: ImageHeader?
    if reader.has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], at: 0) {
      header = try png(reader, path, isWhole)
    } else if reader.has([0xFF, 0xD8, 0xFF], at: 0) {
      header = try jpeg(reader, path, isWhole)
    } else {
      throw .unknownFormat(path: path, found: reader.otherFormat)
    }
    guard let header else {
      guard isWhole else { return nil }
      let format: Format = reader.has([0xFF], at: 0) ? .jpeg : .png
      throw .undecodable(path: path, format: format.rawValue, reason: "it ends early")
    }
    let sides = Preprocessing.Images.sides
    guard sides.contains(header.width), sides.contains(header.height),
      header.width * header.height <= pixelLimit
    else { throw .impossibleSize(path: path, width: header.width, height: header.height) }
    return header
  }

  private static func png(
    _ bytes: ByteReader, _ path: String, _ isWhole: Bool
  ) throws(ImageError) -> ImageHeader? {
    guard bytes.has(Array("IHDR".utf8), at: 12) else {
      guard bytes.count >= 16 else { return nil }
      throw .undecodable(path: path, format: "PNG", reason: "it doesn't begin with its sizes")
    }
    guard let width = bytes.big32(16), let height = bytes.big32(20), let kind = bytes.byte(25)
    else {
      return nil
    }
    // A chunk eXIf may stand anywhere before the pixels.
    var place = 33
    var orientation = 1
    while let length = bytes.big32(place), !bytes.has(Array("IDAT".utf8), at: place + 4) {
      if bytes.has(Array("eXIf".utf8), at: place + 4), length <= bytes.count - place - 8 {
        orientation = bytes.orientation(from: place + 8, to: place + 8 + length)
      }
      // Lengths are below 2³², so this can't overflow.
      place += length + 12
    }
    guard isWhole || bytes.count >= place + 8 else { return nil }
    return ImageHeader(
      format: .png, width: width, height: height, hasColours: kind & 2 != 0,
      orientation: orientation)
  }

  private static func jpeg(
    _ bytes: ByteReader, _ path: String, _ isWhole: Bool
  ) throws(ImageError) -> ImageHeader? {
    var place = 2
    var orientation = 1
    while let first = bytes.byte(place) {
      func unsupported(_ reason: String) -> ImageError {
        .undecodable(path: path, format: "JPEG", reason: reason)
      }
      guard first == 0xFF else { throw unsupported("no marker at offset \(place)") }
      guard let marker = bytes.byte(place + 1) else { return nil }
      switch marker {
      case 0xFF:
        place += 1
        continue
      case 0x01, 0xD0...0xD7:
        place += 2
        continue
      case 0xD9, 0xDA: throw unsupported("its sizes are missing")
      case 0xC3, 0xC7, 0xCB, 0xCF: throw unsupported("lossless JPEG is not supported")
      case 0xC9, 0xCA, 0xCD, 0xCE: throw unsupported("arithmetic coding is not supported")
      default: break
      }
      guard let length = bytes.big16(place + 2) else { return nil }
      guard length >= 2 else { throw unsupported("a segment of length \(length)") }
      if marker == 0xE1, bytes.has(Array("Exif".utf8) + [0, 0], at: place + 4),
        place + 2 + length <= bytes.count
      {
        orientation = bytes.orientation(from: place + 10, to: place + 2 + length)
      }
      if (0xC0...0xCF).contains(marker), marker != 0xC4, marker != 0xC8, marker != 0xCC {
        guard let precision = bytes.byte(place + 4), let height = bytes.big16(place + 5),
          let width = bytes.big16(place + 7), let components = bytes.byte(place + 9)
        else { return nil }
        guard precision == 8 else {
          throw unsupported("\(precision) bits a sample are not supported")
        }
        return ImageHeader(
          format: .jpeg, width: width, height: height, hasColours: components != 1,
          orientation: orientation)
      }
      place += 2 + length
    }
    return nil
  }
}

/// Numbers in the bytes of a file, none of which need be there.
private struct ByteReader {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var count: Int { bytes.count }

  func byte(_ place: Int) -> UInt8? { bytes.indices.contains(place) ? bytes[place] : nil }

  func big16(_ place: Int) -> Int? { number(place, 2, isBig: true) }

  func big32(_ place: Int) -> Int? { number(place, 4, isBig: true) }

  func has(_ text: [UInt8], at place: Int) -> Bool {
    place + text.count <= count && text.indices.allSatisfy { bytes[place + $0] == text[$0] }
  }

  private func number(_ place: Int, _ size: Int, isBig: Bool) -> Int? {
    guard place >= 0, place + size <= count else { return nil }
    return (0..<size).reduce(0) { $0 << 8 | Int(bytes[place + (isBig ? $1 : size - 1 - $1)]) }
  }

  /// The orientation in TIFF's form of EXIF; 1 when there is none, or the form is broken.
  func orientation(from start: Int, to end: Int) -> Int {
    let isBig = has(Array("MM".utf8) + [0, 42], at: start)
    guard isBig || has(Array("II".utf8) + [42, 0], at: start),
      let offset = number(start + 4, 4, isBig: isBig),
      let entries = number(start + offset, 2, isBig: isBig), start + offset + 2 <= end
    else { return 1 }
    for entry in 0..<entries {
      let place = start + offset + 2 + 12 * entry
      guard place + 12 <= end else { return 1 }
      if number(place, 2, isBig: isBig) == 0x0112, number(place + 2, 2, isBig: isBig) == 3,
        let value = number(place + 8, 2, isBig: isBig)
      {
        return (1...8).contains(value) ? value : 1
      }
    }
    return 1
  }

  /// What the first bytes show, for messages.
  var otherFormat: String {
    let known: [(name: String, start: [UInt8], place: Int)] = [
      ("a GIF image", Array("GIF8".utf8), 0), ("a BMP image", Array("BM".utf8), 0),
      ("a WebP image", Array("WEBP".utf8), 8), ("a TIFF image", Array("II".utf8) + [42, 0], 0),
      ("a TIFF image", Array("MM".utf8) + [0, 42], 0), ("a HEIF image", Array("ftyp".utf8), 4),
      ("a PDF file", Array("%PDF".utf8), 0), ("a netpbm image", Array("P".utf8), 0),
    ]
    if count == 0 { return "empty" }
    return known.first { has($0.start, at: $0.place) }?.name ?? "of an unknown form"
  }
}
