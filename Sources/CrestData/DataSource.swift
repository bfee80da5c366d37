import CrestFiles

/// Where a data set comes from: the name of an embedded one, or a folder whose kind is recognised by the
/// names of its files.
public enum DataSource: Sendable, Hashable {
  /// The embedded ``Digits``.
  case digits
  /// An ``IDXFolder``.
  case idx(path: String)
  /// A ``CIFAR10Folder``.
  case cifar10(path: String)
  /// An ``NPYFolder``.
  case npy(path: String)

  /// The names of the embedded sets.
  public static let builtInNames = [Digits.name]

  /// What messages say a folder can hold.
  static let folderKinds =
    "\(IDXFolder.trainImages)[.gz] (MNIST and its like), \(CIFAR10Folder.trainNames[0]) (CIFAR-10's "
    + "binary version) or train-x.npy or train-x.NAME.npy (NumPy arrays)"

  /// What `nameOrPath` leads to; a name of ``builtInNames`` wins over a folder, which can still be given
  /// as `./digits`.
  ///
  /// - Throws: ``DataError`` when there is no such name and folder, or the folder's kind isn't clear.
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
    let kinds: [(DataSource, String?)] = [
      (.idx(path: nameOrPath), names.first(where: DataSource.isIDX)),
      (.cifar10(path: nameOrPath), names.first(where: DataSource.isCIFAR10)),
      (.npy(path: nameOrPath), names.first(where: DataSource.isNPY)),
    ]
    let found = kinds.compactMap { kind, name in name.map { (kind, $0) } }
    guard let (source, _) = found.first else { throw .unrecognisedFolder(path: nameOrPath) }
    guard found.count == 1 else {
      throw .ambiguousFolder(path: nameOrPath, found: found.map(\.1))
    }
    self = source
  }

  /// Reads the set and its validation part.
  ///
  /// - Parameter divides: Whether a fifth of a set without a validation part is set apart; if not, the
  ///   examples to learn from are measured.
  /// - Returns: Both parts.
  /// - Throws: ``DataError``.
  public func load(divides: Bool = true) throws(DataError) -> DataSplit {
    switch self {
    case .digits: divides ? try Digits.split() : DataSplit(measuringOn: try Digits.images())
    case .idx(let path): try IDXFolder(path: path).split()
    case .cifar10(let path): try CIFAR10Folder(path: path).split()
    case .npy(let path): try NPYFolder(path: path).split(divides: divides)
    }
  }

  /// Whether a file of a folder is of a data set, by its name.
  public static func isDataFile(_ name: String) -> Bool {
    isIDX(name) || isCIFAR10(name) || isNPY(name)
  }

  // Any file of a set is enough to know its kind, so that a missing one is reported as missing.

  private static func isIDX(_ name: String) -> Bool {
    let plain = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
    return [
      IDXFolder.trainImages, IDXFolder.trainLabels, IDXFolder.validImages, IDXFolder.validLabels,
    ].contains(plain)
  }

  private static func isCIFAR10(_ name: String) -> Bool {
    CIFAR10Folder.trainNames.contains(name) || name == CIFAR10Folder.validName
  }

  private static func isNPY(_ name: String) -> Bool {
    name.hasSuffix(".npy")
      && ["train-x.", "train-y.", "valid-x.", "valid-y."].contains { name.hasPrefix($0) }
  }
}
