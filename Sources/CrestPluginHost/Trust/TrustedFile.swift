#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file as it was when it was read, from somebody who may be trusted with it.
struct TrustedFile {
  let path: String
  let bytes: [UInt8]
  /// The SHA-256 of the bytes.
  let digest: String

  /// Reads a file once.
  ///
  /// - Throws: ``PluginError`` when it or its folder belongs to another user than this one and root, or can
  ///   be written by others than its owner; when it is no regular file, or larger than `limit` bytes.
  init(_ name: String, in folder: String, limit: Int) throws(PluginError) {
    path = join(folder, name)
    try Self.check(folder: folder)
    // Not through a link: what it points to has another folder, which nobody looked at.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    guard descriptor >= 0 else {
      throw errno == ELOOP
        ? .refused(path: path, reason: "it is a symbolic link; put the file itself there")
        : .unreadable(path: path, reason: systemMessage())
    }
    defer { close(descriptor) }
    let status = try Self.check(descriptor, path)
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .refused(path: path, reason: "it is no regular file")
    }
    guard status.st_size <= limit else {
      throw .refused(
        path: path, reason: "it has \(status.st_size) bytes, expected at most \(limit)")
    }
    bytes = try Self.contents(descriptor, path, count: Int(status.st_size))
    digest = sha256(bytes)
  }

  private static func contents(
    _ descriptor: CInt, _ path: String, count: Int
  ) throws(PluginError) -> [UInt8] {
    var failure: String?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
      while done < count {
        let got = read(descriptor, buffer.baseAddress.map { $0 + done }, count - done)
        if got < 0 && errno == EINTR { continue }
        guard got > 0 else {
          failure = got == 0 ? "it was shortened while it was read" : systemMessage()
          return
        }
        done += got
      }
    }
    if let failure { throw .unreadable(path: path, reason: failure) }
    return bytes
  }

  /// Checks a folder that files are to be trusted in.
  static func check(folder: String) throws(PluginError) {
    let descriptor = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard descriptor >= 0 else { throw .unreadable(path: folder, reason: systemMessage()) }
    defer { close(descriptor) }
    _ = try check(descriptor, folder)
  }

  private static func check(_ descriptor: CInt, _ path: String) throws(PluginError) -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .unreadable(path: path, reason: systemMessage())
    }
    guard status.st_uid == 0 || status.st_uid == geteuid() else {
      throw .refused(
        path: path,
        reason: "it belongs to user \(status.st_uid), expected \(geteuid()) or root; copy it")
    }
    guard status.st_mode & 0o022 == 0 else {
      throw .refused(
        path: path, reason: "others than its owner may write it; run chmod go-w \(path)")
    }
    return status
  }
}

/// The system's words for the error of the call that has just failed.
func systemMessage() -> String { String(cString: strerror(errno)) }

/// `name` in `folder`.
func join(_ folder: String, _ name: String) -> String {
  folder.hasSuffix("/") ? folder + name : folder + "/" + name
}
