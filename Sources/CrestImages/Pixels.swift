import CCrestImages
import CCrestPixels
package import CrestData
package import CrestTensor

/// The upright pixels of an image, 8 bits a channel, row by row, channels interleaved.
package struct Pixels {
  package let width: Int
  package let height: Int
  package let channels: Int
  package let bytes: [UInt8]

  /// Decodes a file.
  ///
  /// - Parameters:
  ///   - file: The whole file.
  ///   - header: What its header says.
  ///   - channels: 1 or 3.
  ///   - path: Its path, for messages.
  /// - Throws: ``ImageError/undecodable(path:format:reason:)``.
  package init(
    _ file: borrowing [UInt8], _ header: ImageHeader, channels: Int, path: String
  ) throws(ImageError) {
    let count = header.width * header.height * channels
    var failure: String?
    let stored = file.withUnsafeBufferPointer { file in
      [UInt8](unsafeUninitializedCapacity: count) { pixels, initialized in
        var source = crest_image_source(
          bytes: file.baseAddress, byte_count: file.count, width: UInt32(header.width),
          height: UInt32(header.height), channels: Int32(channels))
        failure = Self.message { message in
          switch header.format {
          case .png: crest_png_decode(&source, pixels.baseAddress, message)
          case .jpeg: crest_jpeg_decode(&source, 1, pixels.baseAddress, message)
          }
        }
        initialized = failure == nil ? count : 0
      }
    }
    if let failure {
      throw .undecodable(path: path, format: header.format.rawValue, reason: failure)
    }
    self.channels = channels
    (width, height) = header.uprightSize
    guard header.orientation > 1 else {
      bytes = stored
      return
    }
    bytes = [UInt8](unsafeUninitializedCapacity: count) { upright, initialized in
      crest_image_orient(
        stored, header.width, header.height, Int32(channels), Int32(header.orientation),
        upright.baseAddress)
      initialized = count
    }
  }

  private init(width: Int, height: Int, channels: Int, bytes: [UInt8]) {
    (self.width, self.height, self.channels, self.bytes) = (width, height, channels, bytes)
  }

  /// What a decoder says; nil when it succeeds.
  private static func message(_ decode: (UnsafeMutablePointer<CChar>?) -> Int32) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CREST_IMAGE_MESSAGE)) { text in
      text.initialize(repeating: 0)
      return decode(text.baseAddress) == 0
        ? nil
        : String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
  }

  /// The image in the size and form that `images` asks for.
  ///
  /// - Precondition: it has as many channels.
  package func resized(to images: Preprocessing.Images) -> [UInt8] {
    programmerError(
      unless: channels == images.channels, "\(channels) channels for \(images.channels)")
    let ratio = (
      across: Double(width) / Double(images.width), down: Double(height) / Double(images.height)
    )
    switch images.fit {
    case .squish: return resized(left: 0, top: 0, width: width, height: height, to: images)
    case .crop:
      let scale = min(ratio.across, ratio.down)
      let part = (
        width: max(Int(scale * Double(images.width)), 1),
        height: max(Int(scale * Double(images.height)), 1)
      )
      return resized(
        left: (width - part.width) / 2, top: (height - part.height) / 2, width: part.width,
        height: part.height, to: images)
    case .pad:
      let scale = max(ratio.across, ratio.down)
      let whole = mirrored(
        width: max(Int(scale * Double(images.width)), width),
        height: max(Int(scale * Double(images.height)), height))
      return whole.resized(left: 0, top: 0, width: whole.width, height: whole.height, to: images)
    }
  }

  /// A part of the image in the size that `images` asks for, whatever its fit.
  package func resized(_ part: ImagePart, to images: Preprocessing.Images) -> [UInt8] {
    resized(
      left: part.left, top: part.top, width: part.width, height: part.height, to: images)
  }

  private func resized(
    left: Int, top: Int, width partWidth: Int, height partHeight: Int,
    to images: Preprocessing.Images
  ) -> [UInt8] {
    let count = images.height * images.width * channels
    return bytes.withUnsafeBufferPointer { bytes in
      [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
        var part = crest_image_part(
          pixels: bytes.baseAddress, row_stride: width * channels, left: left, top: top,
          width: partWidth, height: partHeight, channels: Int32(channels))
        let status = crest_image_resize(
          &part, images.filter.kernel, images.width, images.height, output.baseAddress)
        programmerError(unless: status == 0, "there is no memory to resize an image")
        initialized = count
      }
    }
  }

  /// The image in the middle of a larger one, whose rest is mirrored at the edges.
  private func mirrored(width newWidth: Int, height newHeight: Int) -> Pixels {
    guard newWidth > width || newHeight > height else { return self }
    func places(_ count: Int, in old: Int) -> [Int] {
      let period = max(2 * (old - 1), 1)
      return (0..<count).map { place in
        let offset = (place - (count - old) / 2) % period
        let within = offset < 0 ? offset + period : offset
        return min(within, period - within)
      }
    }
    let columns = places(newWidth, in: width)
    var output: [UInt8] = []
    output.reserveCapacity(newWidth * newHeight * channels)
    for row in places(newHeight, in: height) {
      for column in columns {
        let start = (row * width + column) * channels
        output += bytes[start..<start + channels]
      }
    }
    return Pixels(width: newWidth, height: newHeight, channels: channels, bytes: output)
  }
}

extension Preprocessing.Images.Filter {
  fileprivate var kernel: crest_image_filter {
    switch self {
    case .nearest: CREST_FILTER_NEAREST
    case .box: CREST_FILTER_BOX
    case .bilinear: CREST_FILTER_BILINEAR
    case .hamming: CREST_FILTER_HAMMING
    case .bicubic: CREST_FILTER_BICUBIC
    case .lanczos: CREST_FILTER_LANCZOS
    }
  }
}
