import CrestPlatform

/// An output in the making: of a file nobody sees a half, and without ``commit()`` nothing stays; what goes to
/// a pipe or device is there at once.
package struct OutputFile: ~Copyable {
  /// Where it will be, as it was given.
  package let path: String
  /// The file; nil for a pipe or device.
  private var file: NewFile?
  /// The bytes that were handed on to the file.
  private var byteCount = 0
  /// The pipe or device; nil for a file.
  private let stream: CInt?
  private var buffer: [UInt8] = []
  private static let bufferByteCount = 1 << 16

  /// An output that takes the place of what is at `path`, if anything: a file's content is replaced whole at the
  /// end of the links that lead to it, with its permissions, and a pipe or device is written to.
  package init(replacing path: String) throws(OutputFailure) {
    let place = try OutputPlace(path)
    guard case .file(let permissions) = place.kind else {
      self.init(path, nil, stream: try place.open())
      return
    }
    let file = try Self.made(path) { () throws(SystemError) in
      try NewFile.replacing(place.destination, permissions: permissions, on: SystemFiles())
    }
    self.init(path, file, stream: nil)
  }

  /// A file at a `path` where nothing is.
  ///
  /// - Throws: ``OutputFailure``, with `EEXIST` when something is there.
  package init(creating path: String) throws(OutputFailure) {
    let file = try Self.made(path) { () throws(SystemError) in
      try NewFile.creating(path, on: SystemFiles())
    }
    self.init(path, file, stream: nil)
  }

  private init(_ path: String, _ file: consuming NewFile?, stream: CInt?) {
    self.path = path
    self.file = file
    self.stream = stream
  }

  private static func made(
    _ path: String, _ make: () throws(SystemError) -> NewFile
  ) throws(OutputFailure) -> NewFile {
    do throws(SystemError) { return try make() } catch {
      throw OutputFailure(path: path, code: error.code)
    }
  }

  deinit { if let stream { close(stream) } }

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
    guard let file = file.take() else { return }
    do throws(SystemError) { try file.commit() } catch {
      throw OutputFailure(path: path, code: error.code)
    }
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

  private mutating func flush() throws(OutputFailure) {
    // Taken out, so that it can be written while the rest of this changes.
    var gathered: [UInt8] = []
    swap(&gathered, &buffer)
    let sent = gathered.withUnsafeBytes { bytes in
      Result { () throws(OutputFailure) in try writeNow(bytes) }
    }
    try sent.get()
    gathered.removeAll(keepingCapacity: true)
    buffer = gathered
  }

  private mutating func writeNow(_ bytes: UnsafeRawBufferPointer) throws(OutputFailure) {
    if let stream {
      let code = SystemFiles.writeAll(bytes, to: stream)
      guard code == 0 else { throw OutputFailure(path: path, code: code) }
      return
    }
    do throws(SystemError) { try file?.write(bytes, at: byteCount) } catch {
      throw OutputFailure(path: path, code: error.code)
    }
    byteCount += bytes.count
  }
}
