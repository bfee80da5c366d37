public import CrestData
import CrestFiles
public import CrestTensor
import Dispatch
import Synchronization

/// Images in files, each with one class, read from the disk whenever a batch needs them.
public struct ImageFiles: Dataset, CroppedImages {
  /// A file and its class.
  package struct File: Sendable, Hashable {
    let path: String
    /// The path from the folder of the set on.
    let relativePath: String
    let label: Int
  }

  /// The name of the set.
  public let name: String
  /// The one input, `image`.
  public let inputs: [Field]
  /// One class per image.
  public let target: Target
  /// The preprocessing of bytes, and how files become bytes.
  public let preprocessing: Preprocessing
  private let files: [File]
  private let headers: [ImageHeader]
  private let images: Preprocessing.Images
  private let preparation: ExamplePreparation

  /// - Precondition: the preprocessing is of images, and fits their channels.
  init(
    name: String, files: [File], headers: [ImageHeader], classes: [String],
    preprocessing: Preprocessing, elementType: ElementType = .float32
  ) {
    guard let images = preprocessing.images else {
      programmerError("image files without a size to bring them to")
    }
    do throws(PreprocessingError) {
      preparation = try ExamplePreparation(preprocessing, Self.shape(images, preprocessing))
    } catch {
      programmerError("\(name): \(error)")
    }
    (self.name, self.files, self.headers) = (name, files, headers)
    (self.images, self.preprocessing) = (images, preprocessing)
    inputs = [
      Field(
        name: "image", elementType: elementType, shape: Self.shape(images, preprocessing),
        storedType: .uint8)
    ]
    target = .classes(names: classes, shape: [])
  }

  private static func shape(
    _ images: Preprocessing.Images, _ preprocessing: Preprocessing
  ) -> Shape {
    preprocessing.layout == .channelsLast
      ? [images.height, images.width, images.channels] : images.shape
  }

  /// The same images with other preprocessing or in another type.
  private func with(_ preprocessing: Preprocessing, _ elementType: ElementType) -> ImageFiles {
    ImageFiles(
      name: name, files: files, headers: headers, classes: target.classNames ?? [],
      preprocessing: preprocessing, elementType: elementType)
  }

  /// The same images as bytes from 0 to 255, for a model that takes them so, or as floats.
  public func converted(to types: [ElementType]) throws(DataError) -> any Dataset {
    types == [.uint8] || types == [.float32] ? with(preprocessing, types[0]) : self
  }

  /// The number of images.
  public var count: Int { files.count }

  /// The class of every image.
  public var labels: [Int64]? { files.map { Int64($0.label) } }

  /// A hash of the files' paths in their folder, classes and headers, and of how they become arrays; their pixels are not
  /// read.
  public var fingerprint: String {
    var hash = Fingerprint()
    hash.add("ImageFiles \(images) \(preprocessing.layout.rawValue)")
    for (file, header) in zip(files, headers) {
      hash.add(file.relativePath)
      hash.add("\(file.label) \(header)")
    }
    return hash.text
  }

  /// The same images with other preprocessing; if that is of images of another size, of that size.
  ///
  /// - Throws: `DataError/unsuitablePreprocessing(name:reason:)` if it doesn't fit the channels.
  public func prepared(by preprocessing: Preprocessing) throws(DataError) -> any Dataset {
    let wanted = preprocessing.images ?? images
    // Values as they are stored are those of bytes, in the order that the set has.
    let layout =
      preprocessing.layout == .asStored ? self.preprocessing.layout : preprocessing.layout
    guard preprocessing.mean.isEmpty || preprocessing.mean.count == wanted.channels else {
      throw .unsuitablePreprocessing(
        name: name,
        reason:
          "it is for \(preprocessing.mean.count) channels, and the images have \(wanted.channels)")
    }
    return with(preprocessing.with(layout).of(wanted), inputs[0].elementType)
  }

  /// The same images with channels first or last.
  ///
  /// - Throws: `DataError/unsuitableShape(name:stored:wanted:)` for any other shape.
  public func rearranged(to shape: Shape) throws(DataError) -> any Dataset {
    guard shape != inputs[0].shape else { return self }
    let other: Preprocessing.Layout =
      preprocessing.layout == .channelsLast ? .channelsFirst : .channelsLast
    let turned = with(preprocessing.with(other), inputs[0].elementType)
    guard turned.inputs[0].shape == shape else {
      throw .unsuitableShape(name: name, stored: inputs[0].shape, wanted: shape)
    }
    return turned
  }

  /// Decodes images on all cores, and writes them and their classes into the first rows of `batch`.
  ///
  /// - Throws: ``ImageError`` for the first file that can't be decoded.
  public func write(_ examples: ArraySlice<Int>, into batch: inout Batch) throws {
    try write(examples, into: &batch, choosing: nil)
  }

  /// They are cut as they were decoded.
  package var areCroppable: Bool { true }

  /// Decodes images, and cuts a part out of each.
  package func write(
    _ examples: ArraySlice<Int>, into batch: inout Batch,
    part: @Sendable (_ row: Int, _ height: Int, _ width: Int) -> ImagePart
  ) throws {
    try withoutActuallyEscaping(part) { try write(examples, into: &batch, choosing: $0) }
  }

  private func write(
    _ examples: ArraySlice<Int>, into batch: inout Batch,
    choosing part: (@Sendable (_ row: Int, _ height: Int, _ width: Int) -> ImagePart)?
  ) throws {
    let chosen = Array(examples)
    let size = inputs[0].shape.elementCount
    let failure = Mutex<(row: Int, error: ImageError)?>(nil)
    let areBytes = inputs[0].elementType == .uint8
    batch.inputs[0].withUnsafeMutableBytes { output in
      let rowSize = size * (areBytes ? 1 : MemoryLayout<Float>.stride)
      programmerError(
        unless: output.count >= chosen.count * rowSize,
        "\(chosen.count) images into a smaller batch")
      // Each image has memory of its own in the batch.
      nonisolated(unsafe) let output = output
      DispatchQueue.concurrentPerform(iterations: chosen.count) { row in
        let place = UnsafeMutableRawBufferPointer(
          rebasing: output[row * rowSize..<(row + 1) * rowSize])
        do throws(ImageError) {
          let bytes = try bytes(of: chosen[row]) { height, width in part?(row, height, width) }
          if areBytes {
            place.copyBytes(from: bytes)
          } else {
            bytes.withUnsafeBufferPointer {
              preparation.convert($0, to: place.bindMemory(to: Float.self))
            }
          }
        } catch {
          failure.withLock { first in
            if first.map({ row < $0.row }) ?? true { first = (row, error) }
          }
        }
      }
    }
    if let failure = failure.withLock({ $0 }) { throw failure.error }
    batch.targets.withMutableElements(as: Int64.self) { labels in
      for (row, example) in chosen.enumerated() { labels[row] = Int64(files[example].label) }
    }
  }

  /// The bytes of an image, or of a part of it, in the size and the order of the set.
  private func bytes(
    of example: Int, part: (_ height: Int, _ width: Int) -> ImagePart?
  ) throws(ImageError) -> [UInt8] {
    programmerError(unless: files.indices.contains(example), "example \(example) of \(count)")
    let file = files[example]
    let pixels = try file.pixels(headers[example], channels: images.channels)
    let resized =
      part(pixels.height, pixels.width).map { pixels.resized($0, to: images) }
      ?? pixels.resized(to: images)
    return resized.arranged(preprocessing.layout, images)
  }

  // MARK: Statistics

  /// The preprocessing by the mean and deviation of each channel over some of the images, evenly spread and `most` at most.
  func statistics(of chosen: [Int], atMost most: Int) throws(ImageError) -> Preprocessing {
    let step = Swift.max(1, (chosen.count + most - 1) / most)
    let places = stride(from: 0, to: chosen.count, by: step).map { chosen[$0] }
    let results = places.mapConcurrently { example in
      Result { () throws(ImageError) in
        let pixels = try files[example].pixels(headers[example], channels: images.channels)
        return pixels.resized(to: images).histograms(images.channels)
      }
    }
    var histograms = [[Int]](repeating: [Int](repeating: 0, count: 256), count: images.channels)
    for result in results {
      for (channel, counts) in try result.get().enumerated() {
        for (byte, count) in counts.enumerated() { histograms[channel][byte] += count }
      }
    }
    return Preprocessing(layout: .channelsFirst, normalizing: histograms).of(images)
  }
}

extension ImageFiles.File {
  /// As many bytes hold the header of most files.
  private static let headerByteCount = 4096
  /// The most bytes of a file.
  private static let byteLimit = 1 << 30

  private func open() throws(ImageError) -> RegularFile {
    let file: RegularFile
    do throws(RegularFile.Failure) {
      file = try .settled(path)
    } catch {
      throw .unreadable(path: path, reason: error.message)
    }
    guard file.byteCount <= Self.byteLimit else {
      throw .unreadable(
        path: path, reason: "it has \(file.byteCount) bytes, expected at most \(Self.byteLimit)")
    }
    return file
  }

  private func read(
    _ file: borrowing RegularFile, _ count: Int
  ) throws(ImageError) -> [UInt8] {
    do throws(RegularFile.Failure) {
      return try file.bytes(count: count)
    } catch {
      throw .unreadable(path: path, reason: error.message)
    }
  }

  /// The header, for which as little of the file is read as it takes.
  func readHeader() throws(ImageError) -> ImageHeader {
    let file = try open()
    var count = Swift.min(Self.headerByteCount, file.byteCount)
    while true {
      let bytes = try read(file, count)
      let isWhole = count == file.byteCount
      if let header = try ImageHeader.read(bytes, isWhole: isWhole, path: path) {
        return header
      }
      count = Swift.min(count * 16, file.byteCount)
    }
  }

  private func allBytes() throws(ImageError) -> [UInt8] {
    let file = try open()
    return try read(file, file.byteCount)
  }

  /// The pixels of a file whose header was read before.
  func pixels(_ header: ImageHeader, channels: Int) throws(ImageError) -> Pixels {
    try Pixels(allBytes(), header, channels: channels, path: path)
  }

  /// The pixels, by the header that is read with them.
  func pixels(channels: Int) throws(ImageError) -> Pixels {
    let bytes = try allBytes()
    guard let header = try ImageHeader.read(bytes, isWhole: true, path: path) else {
      programmerError("\(path): a whole file without a header was not refused")
    }
    return try Pixels(bytes, header, channels: channels, path: path)
  }
}

extension [UInt8] {
  /// Pixels with channels interleaved, in a layout.
  func arranged(
    _ layout: Preprocessing.Layout, _ images: Preprocessing.Images
  ) -> [UInt8] {
    guard layout != .channelsLast, images.channels > 1 else { return self }
    let area = images.height * images.width
    return [UInt8](unsafeUninitializedCapacity: count) { output, initialized in
      for channel in 0..<images.channels {
        for place in 0..<area {
          output[channel * area + place] = self[place * images.channels + channel]
        }
      }
      initialized = count
    }
  }

  /// How often each byte occurs in each channel.
  func histograms(_ channels: Int) -> [[Int]] {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: 256), count: channels)
    for (place, byte) in enumerated() { counts[place % channels][Int(byte)] += 1 }
    return counts
  }
}
