public import CrestTensor

/// A folder of CIFAR-100's binary version.
///
/// Alex Krizhevsky: *Learning Multiple Layers of Features from Tiny Images*, 2009. As
/// ``CIFAR10Folder``, with two label bytes per record: the coarse label, which is not read, and the
/// fine one.
package struct CIFAR100Folder: Sendable {
  /// The folder's path.
  package let path: String

  /// The folder at `path`.
  package init(path: String) { self.path = path }

  static let trainName = "train.bin"
  static let validName = "test.bin"
  static let classesName = "fine_label_names.txt"

  /// Returns `train.bin` as the training set and `test.bin` as the validation set, with the class names of
  /// `fine_label_names.txt`.
  ///
  /// - Throws: ``DataError``.
  package func split() throws(DataError) -> DataSplit {
    try CIFARRecords(folder: path, labelByteCount: 2, classCount: 100).split(
      "CIFAR-100", train: [CIFAR100Folder.trainName], valid: CIFAR100Folder.validName,
      classes: CIFAR100Folder.classesName, preprocessing: .cifar100)
  }
}

extension CIFAR100Folder: FolderFormat {
  package static var example: String { "\(classesName) (CIFAR-100's binary version)" }
  package static var summary: String { "a CIFAR-100 binary folder" }

  package static func has(_ name: String) -> Bool {
    [trainName, validName, classesName].contains(name)
  }

  package func split(divides: Bool) throws(DataError) -> DataSplit { try split() }
}

extension Preprocessing {
  /// CIFAR-100: mean and standard deviation of red, green and blue over the 50,000 training images.
  public static let cifar100 = Preprocessing(
    layout: .channelsFirst, divisor: 255, mean: [0.50707516, 0.48654887, 0.44091784],
    standardDeviation: [0.26733429, 0.25643846, 0.27615047])
}
