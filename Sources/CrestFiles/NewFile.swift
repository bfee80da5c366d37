/// A file in the making: it takes its place whole, and once ``commit()`` returns it is on the disk; without that,
/// nothing of it stays unless removing it fails too.
///
/// It is written in the folder of its destination, since a rename works only within a file system, brought to the disk,
/// renamed, and the folder brought to the disk.
struct NewFile: ~Copyable {
  private let files: any FileSystem
  private let destination: String
  /// Where it is meanwhile: its destination when nothing was there.
  private let meanwhile: String
  private let descriptor: CInt
  private var isOpen = true
  private var isInPlace = false

  /// A file that takes the place of what is at `destination`, if anything, with its permissions.
  static func replacing(
    _ destination: String, permissions: UInt32?, on files: any FileSystem
  ) throws(SystemError) -> NewFile {
    let meanwhile = FilePath.join(FilePath.split(destination).folder, TemporaryName.new())
    let file = NewFile(
      at: meanwhile, for: destination, on: files, descriptor: try files.create(meanwhile))
    if let permissions {
      try files.setPermissions(file.descriptor, meanwhile, permissions & 0o777)
    }
    return file
  }

  /// A file at a `path` where nothing is.
  ///
  /// - Throws: ``SystemError``, with `EEXIST` when something is there.
  static func creating(_ path: String, on files: any FileSystem) throws(SystemError) -> NewFile {
    NewFile(at: path, for: path, on: files, descriptor: try files.create(path))
  }

  private init(
    at meanwhile: String, for destination: String, on files: any FileSystem, descriptor: CInt
  ) {
    self.files = files
    self.destination = destination
    self.meanwhile = meanwhile
    self.descriptor = descriptor
  }

  deinit {
    // Best effort: the error that counts is under way.
    if isOpen { try? files.close(descriptor, meanwhile) }
    if !isInPlace { try? files.remove(meanwhile) }
  }

  /// Writes all `bytes` from `offset` on.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(writtenAtOnce))
      let done = bytes.count - rest.count
      rest = rest.dropFirst(try files.write(descriptor, meanwhile, part, at: offset + done))
    }
  }

  /// Puts the file in its place.
  consuming func commit() throws(SystemError) {
    try files.synchronize(descriptor, meanwhile)
    isOpen = false
    try files.close(descriptor, meanwhile)
    if meanwhile != destination { try files.rename(meanwhile, to: destination) }
    isInPlace = true
    try files.synchronizeFolder(FilePath.split(destination).folder)
  }
}
