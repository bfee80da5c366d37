import CrestFiles

/// Where a data set comes from: the name of an embedded one, or a folder whose format is recognised
/// by the names of its files.
///
/// - `train-images-idx3-ubyte` and its companions, plain or compressed by gzip: the four IDX files that
///   MNIST introduced. MNIST and Fashion-MNIST are recognised and get their class names and usual
///   normalisation; other sets are normalised by their own training images.
/// - `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`: CIFAR-10's binary version.
/// - `train.bin` and `test.bin`: CIFAR-100's binary version, with its fine labels.
/// - `train-x.npy`, `train-y.npy`, `valid-x.npy` and `valid-y.npy`: NumPy arrays, with `train-x.NAME.npy`
///   for several inputs in ascending order of their names. Floats become `float32` and are never
///   normalised; images of bytes are divided by 255 and normalised like those of other sources. Float
///   targets are values, integers and booleans are classes.
public struct DataSource: Sendable {
  /// The folder; nil for the embedded set.
  private let folder: (any FolderFormat)?

  /// The embedded ``Digits``.
  public static let digits = DataSource(folder: nil)

  /// The names of the embedded sets.
  public static let builtInNames = [Digits.name]

  /// The forms of folders that are recognised.
  package static let formats: [any FolderFormat.Type] = [
    IDXFolder.self, CIFAR10Folder.self, CIFAR100Folder.self, NPYFolder.self,
  ]

  /// What can be given, for help.
  package static var summary: String {
    list(builtInNames + formats.map { $0.summary }, separator: ", or ")
  }

  /// What a folder can hold, for messages.
  static var folderKinds: String { list(formats.map { $0.example }, separator: " or ") }

  private static func list(_ items: [String], separator: String) -> String {
    items.dropLast().joined(separator: ", ") + separator + (items.last ?? "")
  }

  private init(folder: (any FolderFormat)?) { self.folder = folder }

  /// The source for `nameOrPath`; a name of ``builtInNames`` wins over a folder, which can still be
  /// given as `./digits`.
  ///
  /// - Throws: ``DataError`` if there is no such name or folder, or the folder's format isn't
  ///   clear.
  public init(_ nameOrPath: String) throws(DataError) {
    if nameOrPath == Digits.name {
      self = .digits
      return
    }
    guard let status = FileStatus(of: nameOrPath) else {
      throw .unknownSource(nameOrPath, builtIn: DataSource.builtInNames)
    }
    guard status.kind == .folder else { throw .notAFolder(path: nameOrPath) }
    let names = try fileNames(inFolder: nameOrPath)
    let found = DataSource.formats.compactMap { format in
      names.first(where: format.has).map { (format: format, file: $0) }
    }
    guard let first = found.first else { throw .unrecognisedFolder(path: nameOrPath) }
    guard found.count == 1 else {
      throw .ambiguousFolder(path: nameOrPath, found: found.map(\.file))
    }
    folder = first.format.init(path: nameOrPath)
  }

  /// The form of the folder; nil for an embedded set.
  package var format: (any FolderFormat.Type)? { folder.map { type(of: $0) } }

  /// Reads the set and its validation part.
  ///
  /// - Parameters:
  ///   - divides: Whether a fifth of a set without a validation part is held out; if not, validation uses the
  ///     training examples.
  ///   - fraction: The part to hold out instead; nil for a fifth.
  /// - Returns: Both parts.
  /// - Throws: ``DataError``; ``DataError/ownValidation(name:)`` for a fraction of a set that has a validation part.
  /// - Precondition: `fraction` lies between 0 and 1.
  public func load(divides: Bool = true, fraction: Double? = nil) throws(DataError) -> DataSplit {
    if let fraction {
      let all = try load(divides: false)
      guard let whole = all.whole else { throw .ownValidation(name: all.train.name) }
      var split = try DataSplit(dividing: whole, fraction: fraction)
      split.notes = all.notes
      return split
    }
    if let folder { return try folder.split(divides: divides) }
    return divides ? try Digits.split() : DataSplit(measuringOn: try Digits.images())
  }

  /// Whether a file of a folder is of a data set, by its name.
  public static func isDataFile(_ name: String) -> Bool {
    formats.contains { $0.has(name) }
  }
}
