/// The system calls by which files are read, replaced and found again.
///
/// One method is one call, so that tests can let each fail, keep a record, or lose power between any two.
package protocol FileSystem: Sendable {
  /// Creates a file for writing where nothing is (`open` with `O_CREAT | O_EXCL`).
  func create(_ path: String) throws(SystemError) -> CInt
  /// Gives an open file these permissions (`fchmod`).
  func setPermissions(_ descriptor: CInt, _ path: String, _ permissions: UInt32) throws(SystemError)
  /// Opens a file for reading, without waiting for who writes to a pipe.
  func open(_ path: String) throws(SystemError) -> CInt
  /// What an open file is (`fstat`).
  func status(_ descriptor: CInt, _ path: String) throws(SystemError) -> FileStatus
  /// Reads into `buffer` from `offset` on, perhaps less than fits; 0 at the end (`pread`).
  func read(
    _ descriptor: CInt, _ path: String, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(SystemError) -> Int
  /// Writes perhaps a part of `bytes`, at least one, from `offset` on (`pwrite`).
  func write(
    _ descriptor: CInt, _ path: String, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(SystemError) -> Int
  /// Waits until a file's bytes are on the disk (`fsync`; on macOS `F_FULLFSYNC`).
  func synchronize(_ descriptor: CInt, _ path: String) throws(SystemError)
  /// Closes a file, also when it fails.
  func close(_ descriptor: CInt, _ path: String) throws(SystemError)
  /// The file that `path` leads to once links are followed, there or not, and its permissions if it is there; an
  /// error when that is a pipe, a device or a folder (`readlink`).
  func destination(of path: String) throws(SystemError) -> (path: String, permissions: UInt32?)
  /// Gives a file another name, in place of what has it.
  func rename(_ path: String, to newPath: String) throws(SystemError)
  /// Removes a file (`unlink`).
  func remove(_ path: String) throws(SystemError)
  /// Waits until the names in a folder are on the disk.
  func synchronizeFolder(_ path: String) throws(SystemError)
  /// The names in a folder, in no order.
  func names(inFolder path: String) throws(SystemError) -> [String]
  /// Makes a folder unless it is there; the one it is in must be.
  func makeFolder(_ path: String) throws(SystemError)
  /// Takes the exclusive lock of a file, which is made if need be, without waiting; nil when another has it
  /// (`flock`).
  func lock(_ path: String) throws(SystemError) -> CInt?
  /// Whether there is a process of that number.
  func isRunning(process: CInt) -> Bool
}

/// What a file is, as `stat` tells it.
package struct FileStatus: Sendable {
  /// What can be done with it.
  package enum Kind: Sendable { case regular, folder, other }

  package let kind: Kind
  /// Its size in bytes.
  package let byteCount: Int
  /// How many bytes it takes on the disk: fewer when it has holes, which read as zeros.
  package let storedByteCount: Int
  /// The number of names it has.
  package let linkCount: Int
  /// The number of the user it belongs to.
  package let owner: UInt32
  /// Who may do what with it, as `chmod` takes it.
  package let permissions: UInt32
  /// When its content was written last, in nanoseconds since 1970.
  package let modified: Int

  package init(
    kind: Kind = .regular, byteCount: Int, storedByteCount: Int? = nil, linkCount: Int = 1,
    owner: UInt32 = 0, permissions: UInt32 = 0o600, modified: Int = 0
  ) {
    self.kind = kind
    self.byteCount = byteCount
    self.storedByteCount = storedByteCount ?? byteCount
    self.linkCount = linkCount
    self.owner = owner
    self.permissions = permissions
    self.modified = modified
  }

  /// Whether nobody has written to the file between the two, as far as its time tells.
  package func hasContent(of other: FileStatus) -> Bool {
    byteCount == other.byteCount && modified == other.modified
  }
}

extension FileSystem {
  /// Puts a file in its place so that after a crash or a loss of power there is either the new one, whole, or
  /// what was there before; once this returns, it is the new one.
  ///
  /// - Parameters:
  ///   - path: Where it shall be; what is there is replaced, of a link what it leads to.
  ///   - write: Hands the contents over, piece by piece, each with its offset in the file.
  /// - Throws: What failed.
  package func replaceFile(
    at path: String,
    _ write: (_ put: (UnsafeRawBufferPointer, Int) throws(SystemError) -> Void)
      throws(SystemError) -> Void
  ) throws(SystemError) {
    let place = try destination(of: path)
    let file = try NewFile.replacing(place.path, permissions: place.permissions, on: self)
    try write { (bytes, offset) throws(SystemError) in try file.write(bytes, at: offset) }
    try file.commit()
  }
}
