import CrestFiles
public import CrestTensor

/// Reads image files as arrays of bytes.
///
/// ```swift
/// let reader = ImageReader(Preprocessing.Images(height: 128, width: 128))
/// let answer = try learner.predict(reader.read(["holiday.jpg"]))
/// ```
public struct ImageReader: Sendable {
  /// How files become arrays.
  public let images: Preprocessing.Images

  /// A reader of images of one size.
  public init(_ images: Preprocessing.Images) { self.images = images }

  /// The images of files.
  ///
  /// - Returns: `uint8` [N, C, H, W], in the order of the files.
  /// - Throws: ``ImageError`` for the first that can't be read.
  public func read(_ paths: [String]) throws(ImageError) -> Tensor {
    let results = paths.mapConcurrently { path in
      Result { () throws(ImageError) in
        let file = ImageFiles.File(path: path, relativePath: path, label: 0)
        let pixels = try file.pixels(channels: images.channels)
        return pixels.resized(to: images).arranged(.channelsFirst, images)
      }
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(paths.count * images.shape.elementCount)
    for result in results { bytes += try result.get() }
    return Tensor(bytes, shape: Shape([paths.count] + images.shape.dimensions))
  }

  /// The files to which paths lead: files themselves, and the PNG and JPEG images in folders and below, in order.
  ///
  /// - Throws: ``ImageError``; ``ImageError/noImages(path:)`` for a folder without an image.
  public static func files(in paths: [String]) throws(ImageError) -> [String] {
    var files: [String] = []
    for path in paths {
      guard let status = FileStatus(of: path) else {
        throw .unreadable(path: path, reason: "there is no such file or folder")
      }
      guard status.kind == .folder else {
        files.append(path)
        continue
      }
      let found = try ImageTree.images(below: path).files.map(\.path)
      guard !found.isEmpty else { throw .noImages(path: path) }
      files += found
    }
    return files
  }
}
