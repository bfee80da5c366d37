#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// A file in the making, which nobody sees half-written: without ``commit()`` nothing stays.
struct OutputFile: ~Copyable {
  /// Where it will be.
  let path: String
  /// Where it is meanwhile, in the same folder, since a rename works only within a file system.
  private let temporaryPath: String
  private let descriptor: CInt
  private var isInPlace = false
  private var buffer: [UInt8] = []
  private static let bufferByteCount = 1 << 16

  /// A file that takes the place of what is at `path`, if anything.
  init(replacing path: String) throws(ONNXError) {
    let name = ".crest-\(String(UInt64.random(in: .min ... .max), radix: 16)).tmp"
    temporaryPath = FilePath.join(FilePath.folder(of: path), name)
    self.path = path
    descriptor = Self.create(temporaryPath)
    if descriptor < 0 { throw .unwritable(file: path, reason: systemMessage()) }
  }

  /// A file at a `path` where nothing is; nil when something is there.
  init?(creating path: String) throws(ONNXError) {
    temporaryPath = path
    self.path = path
    descriptor = Self.create(path)
    if descriptor < 0 {
      if errno == EEXIST { return nil }
      throw .unwritable(file: path, reason: systemMessage())
    }
  }

  /// A descriptor of a new file, or -1 with `errno`.
  private static func create(_ path: String) -> CInt {
    open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
  }

  deinit {
    if descriptor >= 0 {
      close(descriptor)
      if !isInPlace { unlink(temporaryPath) }
    }
  }

  mutating func write(_ bytes: UnsafeRawBufferPointer) throws(ONNXError) {
    if buffer.count + bytes.count <= Self.bufferByteCount {
      buffer += bytes
    } else {
      try flush()
      try writeNow(bytes)
    }
  }

  /// Puts the file in its place, on the disk and not only in the system's memory.
  consuming func commit() throws(ONNXError) {
    try flush()
    guard fsync(descriptor) == 0 else { throw failure() }
    if temporaryPath != path, rename(temporaryPath, path) != 0 { throw failure() }
    isInPlace = true
    let folder = open(FilePath.folder(of: path), O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard folder >= 0 else { throw failure() }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw failure() }
  }

  private mutating func flush() throws(ONNXError) {
    let sent = buffer.withUnsafeBytes { bytes in
      Result { () throws(ONNXError) in try writeNow(bytes) }
    }
    try sent.get()
    buffer.removeAll(keepingCapacity: true)
  }

  private func writeNow(_ bytes: UnsafeRawBufferPointer) throws(ONNXError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      // Linux writes at most 2 GiB at once, and other systems refuse more.
      let count = systemWrite(descriptor, part.baseAddress, min(part.count, 1 << 26))
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        throw failure()
      }
    }
  }

  private func failure() -> ONNXError {
    .unwritable(file: path, reason: systemMessage())
  }
}

/// `write`, which a method hides.
private func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}

/// Removes a file that nobody refers to yet; best effort, since an error is under way already.
func removeFile(at path: String) {
  unlink(path)
}

/// Whether both paths lead to the same folder.
func isSameFolder(_ left: String, _ right: String) -> Bool {
  var a = stat()
  var b = stat()
  return stat(left, &a) == 0 && stat(right, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino
}
