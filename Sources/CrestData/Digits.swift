import CCrestDigits
import CrestTensor

/// The embedded set of 1,797 handwritten digits of 8×8 pixels.
///
/// E. Alpaydin and C. Kaynak: *Optical Recognition of Handwritten Digits*, UCI Machine Learning
/// Repository, 1998, doi:10.24432/C50P49, licensed under CC BY 4.0; its test part, as in
/// scikit-learn's `load_digits`.
public enum Digits {
  /// The name that chooses the set.
  public static let name = "digits"

  /// All images, `[1, 8, 8]` with pixels from 0 to 16, and their digits.
  ///
  /// - Throws: ``DataError`` when the embedded copy is damaged.
  public static func images() throws(DataError) -> ByteImages {
    let path = "the embedded digits.csv.gz"
    var count = 0
    let bytes = crest_digits(&count)
    var reader = try GzipReader(
      Array(UnsafeBufferPointer(start: bytes, count: count)), path: path)
    let text = try reader.bytes(count: 264_712)
    try reader.finish()

    var pixels: [UInt8] = []
    var labels: [Int64] = []
    for (index, line) in text.split(separator: UInt8(ascii: "\n")).enumerated() {
      let row = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        .compactMap {
          UInt8(String(decoding: $0, as: UTF8.self))
        }
      guard row.count == 65, row.dropLast().allSatisfy({ $0 <= 16 }), row[64] <= 9 else {
        throw .malformedLine(
          path: path, line: index + 1, expected: "64 integers of 0 to 16 and one of 0 to 9")
      }
      pixels += row.dropLast()
      labels.append(Int64(row[64]))
    }
    return ByteImages(
      name: name, bytes: pixels, shape: [1, 8, 8], labels: labels,
      classNames: (0...9).map(String.init), preprocessing: .digits)
  }

  /// 1,438 images for training and 359 for validation.
  ///
  /// - Throws: ``DataError`` when the embedded copy is damaged.
  public static func split() throws(DataError) -> DataSplit {
    try DataSplit(dividing: images())
  }
}
