import CrestFiles
import CrestTensor

/// The records of the binary versions of CIFAR: labels, a byte each, then 1,024 red, 1,024 green and 1,024 blue bytes,
/// row by row.
///
/// A file may hold any whole number of records, so that smaller sets in the same form can be read too.
struct CIFARRecords {
  private let folder: String
  private let labelByteCount: Int
  private let classCount: Int
  private static let shape: Shape = [3, 32, 32]

  /// The records of `folder`, whose class is the last of `labelByteCount` bytes.
  init(folder: String, labelByteCount: Int, classCount: Int) {
    self.folder = folder
    self.labelByteCount = labelByteCount
    self.classCount = classCount
  }

  /// Both parts of a set, with the names of its classes.
  func split(
    _ name: String, train: [String], valid: String, classes: String, preprocessing: Preprocessing
  ) throws(DataError) -> DataSplit {
    let classNames = try classNames(classes)
    return DataSplit(
      train: try images(name, train, classNames, preprocessing: preprocessing),
      valid: try images("\(name) (test)", [valid], classNames, preprocessing: preprocessing))
  }

  /// The names in a file of the folder, one a line.
  private func classNames(_ fileName: String) throws(DataError) -> [String] {
    let path = FilePath.join(folder, fileName)
    let text = try FileReader(path).allBytes(limit: 4096)
    let names = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline).map(
      String.init)
    guard names.count == classCount else {
      throw .wrongClassCount(path: path, expected: classCount, got: names.count)
    }
    return names
  }

  /// The images of some files, in their order.
  private func images(
    _ name: String, _ fileNames: [String], _ classNames: [String], preprocessing: Preprocessing
  ) throws(DataError) -> ByteImages {
    let size = labelByteCount + CIFARRecords.shape.elementCount
    let total = try byteCount(of: fileNames, recordByteCount: size)
    var position = 0
    var labels: [Int64] = []
    labels.reserveCapacity(total / size)
    let records = try [UInt8](count: total) { (buffer) throws(DataError) in
      for fileName in fileNames {
        let file = try FileReader(FilePath.join(folder, fileName))
        // The sizes were added up with the files closed again, and somebody may have written since.
        guard file.byteCount <= total - position, file.byteCount.isMultiple(of: size) else {
          throw .unreadable(path: file.path, reason: "it was changed while it was read")
        }
        let part = UnsafeMutableRawBufferPointer(
          rebasing: buffer[position..<position + file.byteCount])
        try file.read(into: part, at: 0)
        for record in 0..<file.byteCount / size {
          let label = Int64(part[record * size + labelByteCount - 1])
          guard label < classCount else {
            throw .labelOutOfRange(
              path: file.path, index: record, label: label, classCount: classCount)
          }
          labels.append(label)
        }
        position += file.byteCount
      }
      if position != total {
        throw .unreadable(path: folder, reason: "its files were changed while they were read")
      }
    }
    return ByteImages(
      name: name, bytes: records, offset: labelByteCount, stride: size, shape: CIFARRecords.shape,
      labels: labels, classNames: classNames, preprocessing: preprocessing)
  }

  private func byteCount(
    of fileNames: [String], recordByteCount: Int
  ) throws(DataError) -> Int {
    var total = 0
    for fileName in fileNames {
      let file = try FileReader(FilePath.join(folder, fileName))
      guard file.byteCount > 0 else { throw .noExamples(path: file.path) }
      guard file.byteCount.isMultiple(of: recordByteCount) else {
        throw .partialRecord(
          path: file.path, byteCount: file.byteCount, recordByteCount: recordByteCount)
      }
      total += file.byteCount
    }
    return total
  }
}
