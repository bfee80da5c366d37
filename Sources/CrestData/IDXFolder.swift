import CrestFiles
import CrestTensor

/// A folder of the four IDX files that MNIST introduced, plain or compressed by gzip.
///
/// The format is Yann LeCun's: a big-endian number 2051 (images) or 2049 (labels), the sizes as
/// big-endian 32-bit integers, then bytes. MNIST and Fashion-MNIST are recognised by the hash of
/// their training labels and get their class names and usual normalisation. In any other set,
/// classes are named by their numbers, and images are normalised by the set's own training images.
package struct IDXFolder: Sendable {
  /// The folder's path.
  package let path: String

  /// The folder at `path`.
  package init(path: String) {
    self.path = path
  }

  static let trainImages = "train-images-idx3-ubyte"
  static let trainLabels = "train-labels-idx1-ubyte"
  static let validImages = "t10k-images-idx3-ubyte"
  static let validLabels = "t10k-labels-idx1-ubyte"

  /// The training files and, for validation, those called `t10k`.
  ///
  /// A plain file is preferred to the compressed one beside it. Sizes in headers are checked against
  /// the files before anything is allocated.
  ///
  /// - Throws: ``DataError``.
  package func split() throws(DataError) -> DataSplit {
    let train = try images(IDXFolder.trainImages, labels: IDXFolder.trainLabels)
    let valid = try images(IDXFolder.validImages, labels: IDXFolder.validLabels)
    guard train.shape == valid.shape else {
      throw .exampleMismatch(
        path: valid.imagesPath, example: "\(valid.shape)", otherPath: train.imagesPath,
        otherExample: "\(train.shape)")
    }
    let known = KnownSet.allCases.first { $0.labelsHash == hash(of: train.labels) }
    let name = known?.name ?? path
    let classNames =
      known?.classNames ?? (0...Int(train.labels.max() ?? 0)).map(String.init)
    if let index = valid.labels.firstIndex(where: { Int($0) >= classNames.count }) {
      throw .labelOutOfRange(
        path: valid.labelsPath, index: index, label: Int64(valid.labels[index]),
        classCount: classNames.count)
    }
    let preprocessing = known?.preprocessing ?? normalisation(of: train.pixels)
    return DataSplit(
      train: train.dataset(name, classNames, preprocessing),
      valid: valid.dataset(name + " (test)", classNames, preprocessing))
  }

  /// The contents of one pair of files.
  private struct Part {
    let imagesPath: String
    let labelsPath: String
    let shape: Shape
    let pixels: [UInt8]
    let labels: [UInt8]

    func dataset(
      _ name: String, _ classNames: [String], _ preprocessing: Preprocessing
    ) -> ByteImages {
      ByteImages(
        name: name, bytes: pixels, shape: shape, labels: labels.map(Int64.init),
        classNames: classNames, preprocessing: preprocessing)
    }
  }

  private func images(_ imagesName: String, labels labelsName: String) throws(DataError) -> Part {
    let imagesPath = existingPath(imagesName)
    let labelsPath = existingPath(labelsName)
    // Both headers before any contents, of which a small compressed file may announce gigabytes.
    let images = try IDXFile(imagesPath, magic: 2051, rank: 3)
    let labels = try IDXFile(labelsPath, magic: 2049, rank: 1)
    let sizes = images.sizes
    guard sizes[0] == labels.sizes[0] else {
      throw .countMismatch(
        path: imagesPath, count: sizes[0], otherPath: labelsPath, otherCount: labels.sizes[0])
    }
    // Classes are kept as 64 bits each.
    let (classBytes, overflow) = sizes[0].multipliedReportingOverflow(by: 9)
    try DataError.checkMemory(overflow ? .max : classBytes, labelsPath)
    let pixels = try images.bytes()
    return Part(
      imagesPath: imagesPath, labelsPath: labelsPath, shape: [1, sizes[1], sizes[2]],
      pixels: pixels, labels: try labels.bytes())
  }

  private func existingPath(_ name: String) -> String {
    let plain = FilePath.join(path, name)
    let compressed = plain + ".gz"
    return FileStatus(of: plain) == nil && FileStatus(of: compressed) != nil
      ? compressed : plain
  }

  private func hash(of labels: [UInt8]) -> UInt64 {
    var hash = Fingerprint()
    labels.withUnsafeBytes { hash.add($0) }
    return hash.hash
  }

  private func normalisation(of pixels: [UInt8]) -> Preprocessing {
    var histogram = [Int](repeating: 0, count: 256)
    for pixel in pixels { histogram[Int(pixel)] += 1 }
    return Preprocessing(layout: .channelsFirst, normalizing: [histogram])
  }
}

/// The IDX sets that are recognised by their training labels.
private enum KnownSet: CaseIterable {
  case mnist, fashionMNIST

  var name: String {
    switch self {
    case .mnist: "MNIST"
    case .fashionMNIST: "Fashion-MNIST"
    }
  }

  /// XXH64 of the 60,000 label bytes.
  var labelsHash: UInt64 {
    switch self {
    case .mnist: 0x54d0_e638_451d_fe02
    case .fashionMNIST: 0x97e6_7794_95a8_b4ba
    }
  }

  var classNames: [String] {
    switch self {
    case .mnist: (0...9).map(String.init)
    case .fashionMNIST:
      [
        "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
        "ankle boot",
      ]
    }
  }

  var preprocessing: Preprocessing {
    switch self {
    case .mnist: .mnist
    case .fashionMNIST: .fashionMNIST
    }
  }
}

extension IDXFolder: FolderFormat {
  package static var example: String { "\(trainImages)[.gz] (MNIST and its like)" }
  package static var summary: String { "an IDX folder (MNIST and its like)" }

  package static func has(_ name: String) -> Bool {
    let plain = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
    return [trainImages, trainLabels, validImages, validLabels].contains(plain)
  }

  package func split(divides: Bool) throws(DataError) -> DataSplit { try split() }
}
