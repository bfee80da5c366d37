import CrestFiles
import CrestTensor

/// A folder of CIFAR-10's binary version.
///
/// Alex Krizhevsky: *Learning Multiple Layers of Features from Tiny Images*, 2009. Each record is a
/// label byte, then 1,024 red, 1,024 green and 1,024 blue bytes, row by row. A file may hold any whole
/// number of records, so that smaller sets in the same form can be read too; the published files hold
/// 10,000 each.
public struct CIFAR10Folder: Sendable {
  /// The folder's path.
  public let path: String

  /// The folder at `path`.
  public init(path: String) {
    self.path = path
  }

  static let trainNames = (1...5).map { "data_batch_\($0).bin" }
  static let validName = "test_batch.bin"
  static let classesName = "batches.meta.txt"
  private static let shape: Shape = [3, 32, 32]
  private static let recordByteCount = 1 + shape.elementCount
  private static let classCount = 10

  /// `data_batch_1.bin` to `data_batch_5.bin` to learn from and `test_batch.bin` to measure by, with
  /// the class names of `batches.meta.txt`.
  ///
  /// - Throws: ``DataError``.
  public func split() throws(DataError) -> DataSplit {
    let classNames = try readClassNames()
    return DataSplit(
      train: try images("CIFAR-10", CIFAR10Folder.trainNames, classNames),
      valid: try images("CIFAR-10 (test)", [CIFAR10Folder.validName], classNames))
  }

  private func readClassNames() throws(DataError) -> [String] {
    let path = FilePath.join(self.path, CIFAR10Folder.classesName)
    let text = try FileReader(path).allBytes(limit: 4096)
    let names = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline).map(
      String.init)
    guard names.count == CIFAR10Folder.classCount else {
      throw .wrongClassCount(path: path, expected: CIFAR10Folder.classCount, got: names.count)
    }
    return names
  }

  private func images(
    _ name: String, _ fileNames: [String], _ classNames: [String]
  ) throws(DataError) -> ByteImages {
    let size = CIFAR10Folder.recordByteCount
    var total = 0
    for fileName in fileNames {
      let file = try FileReader(FilePath.join(path, fileName))
      guard file.byteCount > 0 else { throw .noExamples(path: file.path) }
      guard file.byteCount.isMultiple(of: size) else {
        throw .partialRecord(
          path: file.path, byteCount: file.byteCount, recordByteCount: size)
      }
      total += file.byteCount
    }
    var position = 0
    var labels: [Int64] = []
    labels.reserveCapacity(total / size)
    let records = try [UInt8](count: total) { (buffer) throws(DataError) in
      for fileName in fileNames {
        let file = try FileReader(FilePath.join(path, fileName))
        // The sizes were added up with the files closed again, and somebody may have written since.
        guard file.byteCount <= total - position, file.byteCount.isMultiple(of: size) else {
          throw .unreadable(path: file.path, reason: "it was changed while it was read")
        }
        let part = UnsafeMutableRawBufferPointer(
          rebasing: buffer[position..<position + file.byteCount])
        try file.read(into: part, at: 0)
        for record in 0..<file.byteCount / size {
          let label = Int64(part[record * size])
          guard label < CIFAR10Folder.classCount else {
            throw .labelOutOfRange(
              path: file.path, index: record, label: label,
              classCount: CIFAR10Folder.classCount)
          }
          labels.append(label)
        }
        position += file.byteCount
      }
      if position != total {
        throw .unreadable(path: path, reason: "its files were changed while they were read")
      }
    }
    return ByteImages(
      name: name, bytes: records, offset: 1, stride: size, shape: CIFAR10Folder.shape,
      labels: labels, classNames: classNames, preprocessing: .cifar10)
  }
}
