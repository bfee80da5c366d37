/// A form of data sets in folders, recognised by the names of the files.
///
/// To add one, conform to this and add a row to ``DataSource/formats``.
package protocol FolderFormat: Sendable {
  /// A file that it is recognised by and what it is, as in `data_batch_1.bin (CIFAR-10's binary version)`.
  static var example: String { get }
  /// What such a folder is called in help, as in `a CIFAR-10 binary folder`.
  static var summary: String { get }
  /// Whether a file of this name belongs to such a folder.
  ///
  /// Any file of a set is enough to recognise it, so that a missing one is reported as missing.
  static func has(_ name: String) -> Bool

  /// The folder at `path`.
  init(path: String)

  /// Reads the set.
  ///
  /// - Parameter divides: Whether a fifth of a set without a validation part is held out; if not, validation uses
  ///   the training examples.
  /// - Returns: Both parts.
  /// - Throws: ``DataError``.
  func split(divides: Bool) throws(DataError) -> DataSplit
}
