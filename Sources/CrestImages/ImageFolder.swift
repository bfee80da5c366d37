public import CrestData
import CrestFiles
public import CrestTensor

/// Photographs in folders, a folder for each class: `photos/cat/1.jpg`, `photos/dog/1.jpg`.
///
/// The class is the first folder's name, as of torchvision's `ImageFolder` and Keras's
/// `image_dataset_from_directory`; folders within belong to it. ``ImageLabels`` takes it from file names or from a table
/// instead. With `photos/train/cat/…` the parts are those that their
/// folders name: `valid`, `val` or `validation` for validation, while `test` is left alone unless asked for. Without a
/// part for validation a fifth of each class is held out, the same in every run.
///
/// Names that begin with a dot, `__MACOSX`, `Thumbs.db` and `desktop.ini` are skipped; links are followed. Classes and files
/// are in the order of their names' Unicode scalars, which doesn't hang on the machine. Images are PNG or JPEG, whatever
/// their names end in, and their headers are all read before anything is trained; EXIF's orientation is applied.
///
/// ```swift
/// let data = try ImageFolder("photos", height: 128, width: 128).split()
/// ```
public struct ImageFolder: Sendable {
  /// The folder's path.
  public let path: String
  /// Where the classes come from.
  public let labels: ImageLabels
  /// How many rows and columns images are brought to; nil for the common size of small images, and
  /// ``standardSide`` otherwise.
  public let size: (height: Int, width: Int)?
  /// Channels: 1 is grey; nil for 3, and 1 when all images are grey.
  public let channels: Int?
  /// What happens to other aspects.
  public let fit: Preprocessing.Images.Fit
  /// How pixels are weighed.
  public let filter: Preprocessing.Images.Filter
  /// By which figures bytes become numbers.
  public let normalization: ImageNormalization

  /// Rows and columns of images that don't have one small size.
  public static let standardSide = 128
  /// The largest side of images that stay as they are.
  static let smallSide = 96
  /// As many images, evenly spread over the training part, give the mean and the deviation of each channel; of images of
  /// one small size, all do.
  static let statisticsCount = 1_000

  /// A folder of photographs, which is looked at by ``split(divides:fraction:includingTest:)``.
  ///
  /// - Parameters:
  ///   - path: The folder.
  ///   - labels: Where the classes come from.
  ///   - height: Rows of the images; give both or none.
  ///   - width: Columns of the images.
  ///   - channels: 1 for grey, 3 for colours.
  ///   - fit: What happens to images of another aspect.
  ///   - filter: How pixels are weighed.
  ///   - normalization: By which figures bytes become numbers.
  /// - Precondition: the height and the width are both given or not; sizes and channels are as of
  ///   `Preprocessing.Images`, and of the normalization.
  public init(
    _ path: String, labels: ImageLabels = .folders, height: Int? = nil, width: Int? = nil,
    channels: Int? = nil, fit: Preprocessing.Images.Fit = .crop,
    filter: Preprocessing.Images.Filter = .bilinear, normalization: ImageNormalization = .own
  ) {
    programmerError(
      unless: (height == nil) == (width == nil), "a height without a width, or a width alone")
    self.path = path
    self.labels = labels
    self.normalization = normalization
    let channels = channels ?? normalization.channels
    programmerError(
      unless: normalization.channels ?? channels == channels,
      "images of \(channels ?? 0) channels, normalised by the figures of \(normalization.channels ?? 0)"
    )
    if let height, let width {
      size = (height, width)
      _ = Preprocessing.Images(channels: channels ?? 3, height: height, width: width)
    } else {
      size = nil
      programmerError(
        unless: channels ?? 3 == 3 || channels == 1, "images of \(channels ?? 0) channels")
    }
    (self.channels, self.fit, self.filter) = (channels, fit, filter)
  }

  /// Whether a folder may be one of photographs: it has folders or images, and no file of another data set.
  public static func isRecognised(_ path: String) -> Bool {
    guard FileStatus(of: path)?.kind == .folder,
      let names = try? SystemFiles().names(inFolder: path),
      !names.contains(where: DataSource.isDataFile)
    else { return false }
    return names.contains {
      !ImageTree.isSkipped($0)
        && (ImageTree.isImage($0) || FileStatus(of: FilePath.join(path, $0))?.kind == .folder)
    }
  }

  /// Finds the images, reads their headers, and the pixels of some for their mean and deviation.
  ///
  /// - Parameters:
  ///   - divides: Whether a part is held out when there is none for validation; if not, validation uses the training
  ///     images.
  ///   - fraction: The part that is held out of each class.
  ///   - includingTest: Whether the part for testing is read, too (`DataSplit.test`).
  /// - Returns: The parts, and notes on what was found.
  /// - Throws: ``ImageError``, `DataError`.
  /// - Precondition: `fraction` lies between 0 and 1.
  public func split(
    divides: Bool = true, fraction: Double = 0.2, includingTest: Bool = false
  ) throws -> DataSplit {
    let tree = try ImageTree(path, labels: labels)
    let test = includingTest ? try tree.testFiles() : nil
    if includingTest && test == nil { throw ImageError.noTestPart(folder: path) }
    let headers = try tree.headers(of: test)
    let images = self.images(for: headers.lazy.flatMap(\.self))
    let train = ImageFiles(
      name: path, files: tree.train.files, headers: headers[0], classes: tree.classes,
      preprocessing: Preprocessing(
        layout: .channelsFirst, divisor: 255, mean: [], standardDeviation: [], images: images))
    var split: DataSplit
    func set(_ part: ImageTree.Part, _ headers: [ImageHeader], of kind: String) -> ImageFiles {
      ImageFiles(
        name: part.path == train.name ? "\(train.name) (\(kind))" : part.path, files: part.files,
        headers: headers, classes: tree.classes, preprocessing: train.preprocessing)
    }
    if let valid = tree.valid {
      split = DataSplit(train: train, valid: set(valid, headers[1], of: "validation"))
    } else if divides {
      split = try DataSplit(dividing: train, fraction: fraction)
    } else {
      split = DataSplit(measuringOn: train)
    }
    split.test = test.map { set($0, headers[headers.count - 1], of: "test") }
    let chosen = (split.train as? Subset)?.indices ?? Array(0..<train.count)
    split = try split.prepared(
      by: normalization.preprocessing(of: images)
        ?? train.statistics(
          of: chosen,
          atMost: Self.smallSize(of: headers.lazy.flatMap(\.self)) == nil
            ? Self.statisticsCount : chosen.count))
    let left = Set((split.train.labels ?? []).map { Int($0) })
    let untrained = tree.classes.indices.filter { !left.contains($0) }.map { tree.classes[$0] }
    let sizes = headers.flatMap(\.self).map(\.uprightSize)
    split.notes = [
      .imageFiles(
        count: sizes.count, classes: tree.classes,
        smallest: [sizes.map(\.height).min() ?? 0, sizes.map(\.width).min() ?? 0],
        largest: [sizes.map(\.height).max() ?? 0, sizes.map(\.width).max() ?? 0], images)
    ]
    if !includingTest, let path = tree.testPath { split.notes.append(.partNotUsed(path: path)) }
    split.notes += tree.notes
    if !untrained.isEmpty { split.notes.append(.untrainedClasses(untrained)) }
    return split
  }

  /// The size for images with these headers.
  private func images(for headers: some Sequence<ImageHeader>) -> Preprocessing.Images {
    let (height, width) =
      size ?? Self.smallSize(of: headers) ?? (Self.standardSide, Self.standardSide)
    return Preprocessing.Images(
      channels: channels ?? (headers.contains(where: \.hasColours) ? 3 : 1), height: height,
      width: width, fit: fit, filter: filter)
  }

  /// The one small size that all images have; nil when they don't.
  private static func smallSize(
    of headers: some Sequence<ImageHeader>
  ) -> (height: Int, width: Int)? {
    let sizes = Set(headers.map { [$0.uprightSize.height, $0.uprightSize.width] })
    guard sizes.count == 1, let common = sizes.first, common.max() ?? 0 <= smallSide else {
      return nil
    }
    return (common[0], common[1])
  }
}
