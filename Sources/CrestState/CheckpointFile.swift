package import CrestFiles
public import CrestTensor

/// A run's state as one safetensors file, and back.
///
/// Weights are under their own names, so that other tools open it; moments and the like are under names that
/// begin with `crest.`. The metadata hold `crest.format`, `crest.state` (everything else, as JSON) and
/// `crest.xxh64`: the XXH64 of the whole file, with zeros in place of its own 16 digits. Files of format 1 have
/// `crest.sha256`, the SHA-256, in its place.
public enum CheckpointFile {
  /// The format that is written, and the last one that is known.
  public static let format = 2

  static let formatKey = "crest.format"
  static let stateKey = "crest.state"

  // MARK: Writing

  /// Writes a state to the file at `path`, whole or not at all, and onto the disk.
  ///
  /// - Throws: ``CheckpointError/unwritable(path:reason:)``;
  ///   ``CheckpointError/malformed(path:_:)`` when two arrays want one name.
  public static func write(_ state: RunState, to path: String) throws(CheckpointError) {
    try write(state, to: path, on: SystemFiles())
  }

  package static func write(
    _ state: RunState, to path: String, on files: any FileSystem
  ) throws(CheckpointError) {
    let contents = try contents(of: state, path: path)
    do throws(SystemError) {
      try files.replaceFile(at: path) { (put) throws(SystemError) in
        // The checksum takes about as long as writing, and is known only when all has been seen.
        let checksum = ConcurrentWork { contents.checksum }
        var offset = contents.header.count
        for tensor in contents.tensors {
          try tensor.withUnsafeBytes { (bytes) throws(SystemError) in try put(bytes, offset) }
          offset += tensor.byteCount
        }
        try contents.header(with: checksum.wait()).withBytes { (bytes) throws(SystemError) in
          try put(bytes, 0)
        }
      }
    } catch {
      throw .unwritable(path: path, reason: error.explanation)
    }
  }

  /// The bytes of a file of a state.
  package static func bytes(of state: RunState) throws(CheckpointError) -> [UInt8] {
    let contents = try contents(of: state, path: "the state")
    return contents.tensors.reduce(into: contents.header(with: contents.checksum)) {
      bytes, tensor in
      tensor.withUnsafeBytes { bytes += $0 }
    }
  }

  /// What a file of a state is made of.
  private static func contents(
    of state: RunState, path: String
  ) throws(CheckpointError) -> FileContents {
    var tensors: [(name: String, tensor: Tensor)] = []
    let json = state.fields.json { path, tensor in
      let name = RunState.tensorName(path)
      tensors.append((name, tensor))
      return name
    }
    let checksum = ChecksumKind(format: format)
    let zeros = String(repeating: "0", count: checksum.digitCount)
    let header: Safetensors.Header
    do throws(SafetensorsError) {
      header = try Safetensors.Header(
        arranging: tensors.map { ($0.name, $0.tensor.elementType, $0.tensor.shape) },
        metadata: [formatKey: "\(format)", stateKey: json, checksum.key: zeros])
    } catch {
      throw .malformed(path: path, error)
    }
    let byName = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.tensor) })
    let ordered = header.entries.compactMap { byName[$0.name] }
    guard let place = header.metadataRanges[checksum.key] else {
      programmerError("\(checksum.key) has no place in the header")
    }
    return FileContents(header: header.bytes, checksumPlace: place, tensors: ordered)
  }

  // MARK: Reading

  /// The state in the file at `path`, after the whole file has been verified.
  ///
  /// - Throws: ``CheckpointError``.
  public static func read(_ path: String) throws(CheckpointError) -> RunState {
    try read(path, on: SystemFiles())
  }

  package static func read(
    _ path: String, on files: any FileSystem
  ) throws(CheckpointError) -> RunState {
    let file = try OpenFile(path, on: files)
    let (header, bytes) = try file.header()
    var checksum = Checksum(ChecksumKind(format: try checkedFormat(header, path)))
    let expected = try checksum.addHeader(header, bytes, path)
    var tensors: [String: Tensor] = [:]
    for entry in header.entries {
      tensors[entry.name] = try file.tensor(entry, at: header.dataOffset) { checksum.add($0) }
    }
    guard checksum.digits == expected else { throw .checksum(path: path) }
    return try state(header, path, tensors)
  }

  /// The state in a file without its arrays, which are zeros, and without proof that the file is as it was
  /// written: for a quick look.
  package static func peek(
    _ path: String, on files: any FileSystem
  ) throws(CheckpointError) -> RunState {
    let file = try OpenFile(path, on: files)
    let (header, _) = try file.header()
    _ = try checkedFormat(header, path)
    let empty = Tensor(zeros: [0])
    let names = header.entries.map { ($0.name, empty) }
    return try state(
      header, path, Dictionary(names, uniquingKeysWith: { first, _ in first }))
  }

  /// The tensors of any safetensors file; those of a checkpoint that are not weights are left out.
  ///
  /// - Throws: ``CheckpointError``.
  public static func readWeights(_ path: String) throws(CheckpointError) -> [String: Tensor] {
    try readWeightsAndState(path).weights
  }

  /// As ``readWeights(_:)``, with the state of a checkpoint.
  package static func readWeightsAndState(
    _ path: String
  ) throws(CheckpointError) -> (weights: [String: Tensor], state: RunState?) {
    let files = SystemFiles()
    do throws(CheckpointError) {
      let state = try read(path, on: files)
      return (state.weights, state)
    } catch {
      guard case .notACheckpoint = error else { throw error }
    }
    let file = try OpenFile(path, on: files)
    let (header, _) = try file.header()
    var tensors: [String: Tensor] = [:]
    for entry in header.entries {
      tensors[entry.name] = try file.tensor(entry, at: header.dataOffset) { _ in }
    }
    return (tensors, nil)
  }

  private static func checkedFormat(
    _ header: Safetensors.Header, _ path: String
  ) throws(CheckpointError) -> Int {
    guard let text = header.metadata[formatKey] else { throw .notACheckpoint(path: path) }
    guard let number = Int(text), number >= 1 else {
      throw .malformedState(path: path, offset: 0, expected: "a format from 1 up in \(formatKey)")
    }
    guard number <= format else { throw .newerFormat(path: path, format: text, known: format) }
    return number
  }

  /// The state that a header's text describes, with every tensor used once.
  private static func state(
    _ header: Safetensors.Header, _ path: String, _ tensors: [String: Tensor]
  ) throws(CheckpointError) -> RunState {
    guard let json = header.metadata[stateKey] else {
      throw .malformedState(path: path, offset: 0, expected: "metadata called \(stateKey)")
    }
    var unused = tensors
    let state: RunState
    do throws(JSONScanner.Fault) {
      let fields = try StateValue(json: json) { (name) throws(JSONScanner.Fault) in
        guard let tensor = unused.removeValue(forKey: name) else {
          throw JSONScanner.Fault(offset: 0, expected: "a tensor called \"\(name)\", used once")
        }
        return tensor
      }
      if let name = unused.keys.min() {
        throw JSONScanner.Fault(offset: 0, expected: "a place for the tensor \"\(name)\"")
      }
      state = RunState(fields)
    } catch {
      throw .malformedState(path: path, offset: error.offset, expected: error.expected)
    }
    return try checkedFormat(header, path) == 1 ? state.upgradedFromFormat1() : state
  }
}

/// What a file is made of.
private struct FileContents: Sendable {
  /// The bytes up to the first tensor, with zeros in place of the checksum.
  let header: [UInt8]
  /// Where the checksum belongs.
  let checksumPlace: Range<Int>
  /// The tensors, in order.
  let tensors: [Tensor]

  /// The digits of the checksum.
  var checksum: String {
    var checksum = Checksum(ChecksumKind(format: CheckpointFile.format))
    header.withUnsafeBytes { checksum.add($0) }
    for tensor in tensors { tensor.withUnsafeBytes { checksum.add($0) } }
    return checksum.digits
  }

  /// The header with its checksum.
  func header(with checksum: String) -> [UInt8] {
    var bytes = header
    bytes.replaceSubrange(checksumPlace, with: checksum.utf8)
    return bytes
  }
}

/// A file that is being read.
private struct OpenFile: ~Copyable {
  private let file: RegularFile
  private var path: String { file.path }

  init(_ path: String, on files: any FileSystem) throws(CheckpointError) {
    do throws(RegularFile.Failure) {
      file = try RegularFile(path, on: files)
    } catch {
      throw .unreadable(path: path, reason: error.reason)
    }
  }

  /// The header, and the bytes it was read from.
  func header() throws(CheckpointError) -> (Safetensors.Header, bytes: [UInt8]) {
    var prefix = [UInt8](repeating: 0, count: min(8, file.byteCount))
    try fill(&prefix, at: 0)
    let length: Int
    do throws(SafetensorsError) {
      length = try parsing(prefix) { (bytes) throws(SafetensorsError) in
        try Safetensors.Header.byteCount(prefix: bytes, fileByteCount: file.byteCount)
      }
    } catch {
      throw .malformed(path: path, error)
    }
    var bytes = [UInt8](repeating: 0, count: 8 + length)
    try fill(&bytes, at: 0)
    do throws(SafetensorsError) {
      let header = try parsing(bytes) { (bytes) throws(SafetensorsError) in
        try Safetensors.Header(parsing: bytes, fileByteCount: file.byteCount)
      }
      return (header, bytes)
    } catch {
      throw .malformed(path: path, error)
    }
  }

  /// The tensor of `entry`, whose bytes `look` sees.
  func tensor(
    _ entry: Safetensors.Header.Entry, at dataOffset: Int, _ look: (UnsafeRawBufferPointer) -> Void
  ) throws(CheckpointError) -> Tensor {
    var tensor = Tensor(zeros: entry.shape, elementType: entry.elementType)
    try tensor.withUnsafeMutableBytes { (bytes) throws(CheckpointError) in
      try fill(bytes, at: dataOffset + entry.range.lowerBound)
      look(UnsafeRawBufferPointer(bytes))
      guard entry.elementType == .bool, let index = bytes.firstIndex(where: { $0 > 1 }) else {
        return
      }
      throw .malformed(
        path: path, .notBoolean(tensor: entry.name, index: index, byte: bytes[index]))
    }
    return tensor
  }

  private func fill(_ bytes: inout [UInt8], at offset: Int) throws(CheckpointError) {
    let result = bytes.withUnsafeMutableBytes { buffer in
      Result { () throws(CheckpointError) in try fill(buffer, at: offset) }
    }
    try result.get()
  }

  private func fill(
    _ buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(CheckpointError) {
    do throws(RegularFile.Failure) {
      try file.read(into: buffer, at: offset)
    } catch {
      throw .unreadable(path: path, reason: error.reason)
    }
  }

  private func parsing<Value>(
    _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(SafetensorsError) -> Value
  ) throws(SafetensorsError) -> Value {
    let result = bytes.withUnsafeBytes { buffer in
      Result { () throws(SafetensorsError) in try body(buffer) }
    }
    return try result.get()
  }
}

extension [UInt8] {
  /// Calls `body` with the bytes, which must not escape.
  fileprivate func withBytes<Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
  ) throws(Failure) {
    let result = withUnsafeBytes { buffer in
      Result { () throws(Failure) in try body(buffer) }
    }
    try result.get()
  }
}
