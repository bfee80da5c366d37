package import CrestFiles

/// A file system in memory that knows what a loss of power would leave of it, and can let any call fail.
///
/// The model is that of a weak disk: a file's bytes are safe once the file was synchronised, a name once its
/// folder was; names reach the disk in the order they were changed, perhaps before the bytes they name.
///
/// One thread at a time uses it.
package final class SimulatedDisk: FileSystem {
  /// A call that shall fail.
  package struct Fault: Sendable {
    /// Its number, from 0, counted over all calls since ``failing(_:)``.
    package let call: Int
    /// `errno`.
    package let code: CInt
    /// Whether what was asked for happens nevertheless, as of a write to a network whose answer is lost.
    package let happens: Bool

    package init(call: Int, code: CInt, happens: Bool = false) {
      self.call = call
      self.code = code
      self.happens = happens
    }
  }

  fileprivate struct File {
    var bytes: [UInt8] = []
    var safe: [UInt8] = []
  }

  fileprivate enum Change {
    case create(String, Int)
    case rename(String, String)
    case remove(String)
  }

  fileprivate struct State {
    var files: [Int: File] = [:]
    var names: [String: Int] = [:]
    var safeNames: [String: Int] = [:]
    var changes: [Change] = []
    var open: [CInt: Int] = [:]
    var locks: Set<String> = []
    var nextFile = 0
    var nextDescriptor: CInt = 3
    var calls: [String] = []
    var fault: Fault?
    var synchronizes = true
    var afterCall: (@Sendable (SimulatedDisk) -> Void)?
  }

  private let state = Guarded()

  package init() {}

  /// A disk whose `fsync` does nothing.
  package static func forgetful() -> SimulatedDisk {
    let disk = SimulatedDisk()
    disk.state.withLock { $0.synchronizes = false }
    return disk
  }

  /// Counts calls from here on and lets one of them fail; nil for none.
  package func failing(_ fault: Fault?) {
    state.withLock {
      $0.calls = []
      $0.fault = fault
    }
  }

  /// The names of the calls since ``failing(_:)``.
  package var calls: [String] { state.withLock { $0.calls } }

  /// Calls `body` after each call.
  package func afterEachCall(_ body: (@Sendable (SimulatedDisk) -> Void)?) {
    state.withLock { $0.afterCall = body }
  }

  /// The names of all files.
  package var paths: [String] { state.withLock { $0.names.keys.sorted() } }

  package subscript(path: String) -> [UInt8]? {
    get { state.withLock { state in state.names[path].flatMap { state.files[$0]?.bytes } } }
    set {
      state.withLock { state in
        guard let newValue else {
          state.names[path] = nil
          state.safeNames[path] = nil
          return
        }
        state.files[state.nextFile] = File(bytes: newValue, safe: newValue)
        state.names[path] = state.nextFile
        state.safeNames[path] = state.nextFile
        state.nextFile += 1
      }
    }
  }

  /// Every content that the disk may have after a loss of power now, none twice.
  package func statesAfterPowerLoss() -> [[String: [UInt8]]] {
    let (files, safeNames, changes) = state.withLock { ($0.files, $0.safeNames, $0.changes) }
    var contents: Set<[String: [UInt8]]> = []
    for count in 0...changes.count {
      var names = safeNames
      for change in changes.prefix(count) { change.apply(to: &names) }
      for variant in 0..<4 {
        contents.insert(
          names.compactMapValues { number in
            files[number].map { Self.bytes(of: $0, variant: variant) }
          })
      }
    }
    return Array(contents)
  }

  /// What is left of a file whose end may not be safe: that end lost, zeros, half of it, or all.
  private static func bytes(of file: File, variant: Int) -> [UInt8] {
    guard file.bytes.starts(with: file.safe) else {
      // Written over what was safe: either may be there.
      return variant < 2 ? file.safe : file.bytes
    }
    let end = file.bytes.dropFirst(file.safe.count)
    return switch variant {
    case 0: file.safe
    case 1: file.safe + end.map { _ in 0 }
    case 2: file.safe + end.prefix(end.count / 2)
    default: file.bytes
    }
  }

  /// A disk of these files, all of them safe.
  package convenience init(_ contents: [String: [UInt8]]) {
    self.init()
    for (path, bytes) in contents { self[path] = bytes }
  }

  // MARK: Calls

  /// Does a call unless it is to fail.
  private func call<Result>(
    _ name: String, _ path: String, _ body: (inout State) throws(SystemError) -> Result
  ) throws(SystemError) -> Result {
    let (result, after) = state.withLock { state in
      defer { state.calls.append(name) }
      if let fault = state.fault, fault.call == state.calls.count {
        if fault.happens { _ = try? body(&state) }
        return (
          Swift.Result<Result, SystemError>.failure(
            SystemError(call: name, path: path, code: fault.code)), state.afterCall
        )
      }
      return (Swift.Result { () throws(SystemError) in try body(&state) }, state.afterCall)
    }
    after?(self)
    return try result.get()
  }

  private static let noSuchFile: CInt = 2
  private static let fileExists: CInt = 17
  private static let badDescriptor: CInt = 9

  package func create(_ path: String) throws(SystemError) -> CInt {
    try call("open", path) { (state) throws(SystemError) in
      guard state.names[path] == nil else {
        throw SystemError(call: "open", path: path, code: Self.fileExists)
      }
      let number = state.nextFile
      state.nextFile += 1
      state.files[number] = File()
      state.names[path] = number
      state.changes.append(.create(path, number))
      return state.opened(number)
    }
  }

  package func open(_ path: String) throws(SystemError) -> CInt {
    try call("open", path) { (state) throws(SystemError) in
      guard let number = state.names[path] else {
        throw SystemError(call: "open", path: path, code: Self.noSuchFile)
      }
      return state.opened(number)
    }
  }

  package func setPermissions(
    _ descriptor: CInt, _ path: String, _ permissions: UInt32
  ) throws(SystemError) {
    try call("fchmod", path) { (_) throws(SystemError) in }
  }

  package func status(_ descriptor: CInt, _ path: String) throws(SystemError) -> FileStatus {
    try call("fstat", path) { (state) throws(SystemError) in
      FileStatus(byteCount: try state.file(descriptor, path).bytes.count)
    }
  }

  package func read(
    _ descriptor: CInt, _ path: String, into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(SystemError) -> Int {
    try call("pread", path) { (state) throws(SystemError) in
      let bytes = try state.file(descriptor, path).bytes.dropFirst(offset).prefix(buffer.count)
      buffer.copyBytes(from: bytes)
      return bytes.count
    }
  }

  package func write(
    _ descriptor: CInt, _ path: String, _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(SystemError) -> Int {
    try call("write", path) { (state) throws(SystemError) in
      guard let number = state.open[descriptor] else {
        throw SystemError(call: "write", path: path, code: Self.badDescriptor)
      }
      // Less than asked for, as a system may.
      let part = bytes.prefix(max(1, bytes.count * 2 / 3))
      var whole = state.files[number]?.bytes ?? []
      if whole.count < offset + part.count {
        whole += [UInt8](repeating: 0, count: offset + part.count - whole.count)
      }
      whole.replaceSubrange(offset..<offset + part.count, with: part)
      state.files[number]?.bytes = whole
      return part.count
    }
  }

  package func synchronize(_ descriptor: CInt, _ path: String) throws(SystemError) {
    try call("fsync", path) { (state) throws(SystemError) in
      guard let number = state.open[descriptor] else {
        throw SystemError(call: "fsync", path: path, code: Self.badDescriptor)
      }
      guard state.synchronizes, let bytes = state.files[number]?.bytes else { return }
      state.files[number]?.safe = bytes
    }
  }

  package func close(_ descriptor: CInt, _ path: String) throws(SystemError) {
    try call("close", path) { (state) throws(SystemError) in
      state.open[descriptor] = nil
      state.locks.remove(path)
    }
  }

  /// The path: there are no links.
  package func destination(
    of path: String
  ) throws(SystemError) -> (path: String, permissions: UInt32?) { (path, nil) }

  package func rename(_ path: String, to newPath: String) throws(SystemError) {
    try call("rename", path) { (state) throws(SystemError) in
      guard let number = state.names.removeValue(forKey: path) else {
        throw SystemError(call: "rename", path: path, code: Self.noSuchFile)
      }
      state.names[newPath] = number
      state.changes.append(.rename(path, newPath))
    }
  }

  package func remove(_ path: String) throws(SystemError) {
    try call("unlink", path) { (state) throws(SystemError) in
      guard state.names.removeValue(forKey: path) != nil else {
        throw SystemError(call: "unlink", path: path, code: Self.noSuchFile)
      }
      state.changes.append(.remove(path))
    }
  }

  package func synchronizeFolder(_ path: String) throws(SystemError) {
    try call("fsync", path) { (state) throws(SystemError) in
      guard state.synchronizes else { return }
      for change in state.changes { change.apply(to: &state.safeNames) }
      state.changes = []
    }
  }

  package func names(inFolder path: String) throws(SystemError) -> [String] {
    try call("opendir", path) { (state) throws(SystemError) in
      state.names.keys.filter { $0.hasPrefix(path + "/") }.map {
        String($0.dropFirst(path.count + 1))
      }
    }
  }

  package func makeFolder(_ path: String) throws(SystemError) {
    try call("mkdir", path) { (_) throws(SystemError) in }
  }

  package func lock(_ path: String) throws(SystemError) -> CInt? {
    try call("flock", path) { (state) throws(SystemError) -> CInt? in
      guard state.locks.insert(path).inserted else { return nil }
      return state.opened(-1)
    }
  }

  package func isRunning(process: CInt) -> Bool { process != 1 << 30 }
}

extension SimulatedDisk {
  /// The state, which calls change within a disk that is a constant.
  private final class Guarded: @unchecked Sendable {
    private var state = State()

    func withLock<Result, Failure: Error>(
      _ body: (inout State) throws(Failure) -> Result
    ) throws(Failure) -> Result { try body(&state) }
  }
}

extension SimulatedDisk.State {
  fileprivate mutating func opened(_ number: Int) -> CInt {
    defer { nextDescriptor += 1 }
    open[nextDescriptor] = number
    return nextDescriptor
  }

  fileprivate func file(
    _ descriptor: CInt, _ path: String
  ) throws(SystemError) -> SimulatedDisk.File {
    guard let file = open[descriptor].flatMap({ files[$0] }) else {
      throw SystemError(call: "read", path: path, code: 9)
    }
    return file
  }
}

extension SimulatedDisk.Change {
  fileprivate func apply(to names: inout [String: Int]) {
    switch self {
    case .create(let path, let number): names[path] = number
    case .rename(let path, let newPath): names[newPath] = names.removeValue(forKey: path)
    case .remove(let path): names[path] = nil
    }
  }
}
