#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// An output in the making: of a file nobody sees a half, and without ``commit()`` nothing stays; what goes to
/// a pipe or device is there at once.
package struct OutputFile: ~Copyable {
  /// Where it will be, as it was given.
  package let path: String
  /// The path behind all links.
  private let destination: String
  /// Where it is meanwhile, in the folder of its destination, since a rename works only within a file system;
  /// nil for what has no meanwhile.
  private let temporaryPath: String?
  private let descriptor: CInt
  private var isInPlace = false
  private var buffer: [UInt8] = []
  private static let bufferByteCount = 1 << 16

  /// An output that takes the place of what is at `path`, if anything: a file's content is replaced whole at the
  /// end of the links that lead to it, with its permissions, and a pipe or device is written to.
  package init(replacing path: String) throws(OutputFailure) {
    let place = try OutputPlace(path)
    guard case .file(let permissions) = place.kind else {
      self.init(path, at: place.destination, by: nil, descriptor: try place.open())
      return
    }
    let name = ".crest-\(String(UInt64.random(in: .min ... .max), radix: 16)).tmp"
    let temporary = place.folder.hasSuffix("/") ? place.folder + name : place.folder + "/" + name
    let descriptor = try Self.create(temporary, for: path)
    if let permissions, fchmod(descriptor, mode_t(permissions & 0o777)) != 0 {
      let failure = OutputFailure(path: path, code: errno)
      close(descriptor)
      unlink(temporary)
      throw failure
    }
    self.init(path, at: place.destination, by: temporary, descriptor: descriptor)
  }

  /// A file at a `path` where nothing is.
  ///
  /// - Throws: ``OutputFailure``, with `EEXIST` when something is there.
  package init(creating path: String) throws(OutputFailure) {
    self.init(path, at: path, by: path, descriptor: try Self.create(path, for: path))
  }

  private init(
    _ path: String, at destination: String, by temporaryPath: String?, descriptor: CInt
  ) {
    self.path = path
    self.destination = destination
    self.temporaryPath = temporaryPath
    self.descriptor = descriptor
  }

  /// A descriptor of a new file.
  private static func create(_ place: String, for path: String) throws(OutputFailure) -> CInt {
    let descriptor = open(place, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else { throw OutputFailure(path: path, code: errno) }
    return descriptor
  }

  deinit {
    close(descriptor)
    if !isInPlace, let temporaryPath { unlink(temporaryPath) }
  }

  /// Adds bytes.
  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(OutputFailure) {
    if buffer.count + bytes.count <= Self.bufferByteCount {
      buffer += bytes
    } else {
      try flush()
      try writeNow(bytes)
    }
  }

  /// Puts the file in its place, on the disk and not only in the system's memory.
  package consuming func commit() throws(OutputFailure) {
    try flush()
    guard let temporaryPath else { return }
    guard fsync(descriptor) == 0 else { throw failure() }
    if temporaryPath != destination, rename(temporaryPath, destination) != 0 { throw failure() }
    isInPlace = true
    let folder = open(Self.folder(of: destination), O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard folder >= 0 else { throw failure() }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw failure() }
  }

  /// Replaces what is at `path` by `bytes`.
  package static func write(_ bytes: [UInt8], to path: String) throws(OutputFailure) {
    var file = try OutputFile(replacing: path)
    let sent = bytes.withUnsafeBytes { bytes in
      Result { () throws(OutputFailure) in try file.write(bytes) }
    }
    try sent.get()
    try file.commit()
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private mutating func flush() throws(OutputFailure) {
    let sent = buffer.withUnsafeBytes { bytes in
      Result { () throws(OutputFailure) in try writeNow(bytes) }
    }
    try sent.get()
    buffer.removeAll(keepingCapacity: true)
  }

  private func writeNow(_ bytes: UnsafeRawBufferPointer) throws(OutputFailure) {
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

  private func failure() -> OutputFailure { OutputFailure(path: path, code: errno) }
}

/// `write`, which a method hides.
private func systemWrite(_ descriptor: CInt, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
