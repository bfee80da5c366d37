import CrestTensor

/// A folder of CIFAR-10's binary version.
///
/// Alex Krizhevsky: *Learning Multiple Layers of Features from Tiny Images*, 2009. Each record is a
/// label byte, then 1,024 red, 1,024 green and 1,024 blue bytes, row by row. A file may hold any
/// whole number of records, so smaller sets in the same format can be read too; the published files
/// hold 10,000 each.
package struct CIFAR10Folder: Sendable {
  /// The folder's path.
  package let path: String

  /// The folder at `path`.
  package init(path: String) {
    self.path = path
  }

  static let trainNames = (1...5).map { "data_batch_\($0).bin" }
  static let validName = "test_batch.bin"
  static let classesName = "batches.meta.txt"

  /// Returns `data_batch_1.bin` to `data_batch_5.bin` as the training set and `test_batch.bin` as the
  /// validation set, with the class names of `batches.meta.txt`.
  ///
  /// - Throws: ``DataError``.
  package func split() throws(DataError) -> DataSplit {
    try CIFARRecords(folder: path, labelByteCount: 1, classCount: 10).split(
      "CIFAR-10", train: CIFAR10Folder.trainNames, valid: CIFAR10Folder.validName,
      classes: CIFAR10Folder.classesName, preprocessing: .cifar10)
  }
}

extension CIFAR10Folder: FolderFormat {
  package static var example: String { "\(trainNames[0]) (CIFAR-10's binary version)" }
  package static var summary: String { "a CIFAR-10 binary folder" }

  package static func has(_ name: String) -> Bool {
    trainNames.contains(name) || name == validName
  }

  package func split(divides: Bool) throws(DataError) -> DataSplit { try split() }
}
