#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// An open regular file, read by offset; closed when it goes out of scope.
struct FileReader: ~Copyable {
  let path: String
  /// The size of the file when it was opened.
  let byteCount: Int
  private let descriptor: CInt

  /// Opens a regular file.
  ///
  /// - Throws: ``DataError/missingFile(path:)``, ``DataError/notARegularFile(path:)`` or
  ///   ``DataError/unreadable(path:reason:)``.
  init(_ path: String) throws(DataError) {
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait forever.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw errno == ENOENT
        ? .missingFile(path: path) : .unreadable(path: path, reason: systemMessage())
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let reason = systemMessage()
      close(descriptor)
      throw .unreadable(path: path, reason: reason)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .notARegularFile(path: path)
    }
    self.path = path
    byteCount = Int(status.st_size)
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Fills `buffer` with the bytes from `offset` on.
  ///
  /// - Throws: ``DataError/truncated(path:expected:got:)`` if the file ends earlier, which can only
  ///   happen if it is truncated meanwhile.
  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(DataError) {
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
      if count > 0 {
        done += count
      } else if count == 0 {
        throw .truncated(path: path, expected: offset + buffer.count, got: offset + done)
      } else if errno != EINTR {
        throw .unreadable(path: path, reason: systemMessage())
      }
    }
  }

  /// `count` bytes from `offset` on.
  func bytes(count: Int, at offset: Int = 0) throws(DataError) -> [UInt8] {
    try makeBytes(count: count) { (buffer) throws(DataError) in
      try read(into: buffer, at: offset)
    }
  }

  /// The whole file.
  ///
  /// - Throws: ``DataError/fileTooLarge(path:byteCount:limit:)`` before anything is read.
  func allBytes(limit: Int = .max) throws(DataError) -> [UInt8] {
    guard byteCount <= limit else {
      throw .fileTooLarge(path: path, byteCount: byteCount, limit: limit)
    }
    return try bytes(count: byteCount)
  }
}

/// An array of `count` bytes written in place by `fill`.
func makeBytes(
  count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(DataError) -> Void
) throws(DataError) -> [UInt8] {
  var failure: DataError?
  let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
    do throws(DataError) {
      try fill(
        UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
      initializedCount = count
    } catch {
      failure = error
    }
  }
  if let failure { throw failure }
  return bytes
}

/// The kinds of things that a path leads to.
enum PathKind {
  case nothing, folder, other

  /// What is at `path`, following links.
  init(of path: String) {
    var status = stat()
    if stat(path, &status) != 0 {
      self = .nothing
    } else {
      self = status.st_mode & S_IFMT == S_IFDIR ? .folder : .other
    }
  }
}

/// The names in a folder in ascending order, without those that begin with a dot.
func fileNames(inFolder path: String) throws(DataError) -> [String] {
  guard let folder = opendir(path) else {
    throw .unreadable(path: path, reason: systemMessage())
  }
  defer { closedir(folder) }
  var names: [String] = []
  while true {
    errno = 0
    guard let entry = readdir(folder) else {
      if errno != 0 { throw .unreadable(path: path, reason: systemMessage()) }
      return names.sorted()
    }
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if !name.hasPrefix(".") { names.append(name) }
  }
}

/// `name` in the folder `path`.
func join(_ path: String, _ name: String) -> String {
  path.hasSuffix("/") ? path + name : path + "/" + name
}

/// The system's message for the last error.
private func systemMessage() -> String {
  String(cString: strerror(errno))
}
