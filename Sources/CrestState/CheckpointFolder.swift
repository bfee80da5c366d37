package import CrestFiles
import CrestTensor

/// A folder that one run saves its checkpoints in.
///
/// It is locked while this exists, so that no two runs mix their files. Files that aren't checkpoints of Crest
/// are never touched, nor are damaged ones.
package final class CheckpointFolder {
  /// A checkpoint that was found.
  package struct Found: Sendable {
    /// The file.
    package let path: String
    /// What it holds.
    package let state: RunState
    /// Newer files that can't be used, and why.
    package let rejected: [CheckpointError]
  }

  /// Where it is.
  package let path: String
  private let files: any FileSystem
  private let lock: CInt

  /// The file by which a folder is locked.
  private static let lockName = ".crest-lock"
  private static let suffix = ".safetensors"
  /// The bytes of a checkpoint's name, so that its temporary file's has room for more.
  package static let longestName = 200

  /// Opens a folder, which is created if necessary.
  ///
  /// Removes half-written files of processes that no longer exist.
  ///
  /// - Throws: ``CheckpointError/locked(folder:)``, or ``CheckpointError/unwritable(path:reason:)`` when no
  ///   file can be made in it.
  package convenience init(_ path: String) throws(CheckpointError) {
    try self.init(path, on: SystemFiles())
  }

  package init(_ path: String, on files: any FileSystem) throws(CheckpointError) {
    self.path = path
    self.files = files
    let lock: CInt?
    do throws(SystemError) {
      try files.makeFolder(path)
      lock = try files.lock(FilePath.join(path, Self.lockName))
    } catch {
      throw .unwritable(path: path, reason: error.explanation)
    }
    guard let lock else { throw .locked(folder: path) }
    self.lock = lock
    do throws(SystemError) {
      // A lock that is there can be taken where nothing can be made.
      let probe = FilePath.join(path, TemporaryName.new())
      try files.close(files.create(probe), probe)
      try files.remove(probe)
      for name in try files.names(inFolder: path) {
        guard let owner = TemporaryName.owner(of: name), !files.isRunning(process: owner) else {
          continue
        }
        try files.remove(FilePath.join(path, name))
      }
    } catch {
      throw .unwritable(path: path, reason: error.explanation)
    }
  }

  deinit {
    // The system gives the lock up in any case.
    try? files.close(lock, FilePath.join(path, Self.lockName))
  }

  /// The newest intact checkpoint.
  ///
  /// Newest is the one of the most progress: files may have any name that ends in `.safetensors`.
  ///
  /// - Returns: The checkpoint; nil when there is none, weights alone not counted.
  /// - Throws: ``CheckpointError/noneReadable(folder:first:)`` when there are some and none can be used,
  ///   ``CheckpointError/unreadable(path:reason:)`` when the folder can't be read.
  package func newest() throws(CheckpointError) -> Found? {
    var candidates: [(progress: [Int], path: String)] = []
    var rejected: [CheckpointError] = []
    for path in try paths() {
      do throws(CheckpointError) {
        let state = try CheckpointFile.peek(path, on: files)
        if state.isComplete { candidates.append((state.progress, path)) }
      } catch {
        if case .notACheckpoint = error { continue }
        rejected.append(error)
      }
    }
    candidates.sort { left, right in
      left.progress == right.progress
        ? left.path > right.path : right.progress.lexicographicallyPrecedes(left.progress)
    }
    for candidate in candidates {
      do throws(CheckpointError) {
        return Found(
          path: candidate.path, state: try CheckpointFile.read(candidate.path, on: files),
          rejected: rejected)
      } catch {
        rejected.append(error)
      }
    }
    if let first = rejected.first { throw .noneReadable(folder: path, first: "\(first)") }
    return nil
  }

  /// The names of the files that might be checkpoints, sorted.
  private func paths() throws(CheckpointError) -> [String] {
    do throws(SystemError) {
      return try files.names(inFolder: path)
        .filter { $0.hasSuffix(Self.suffix) && !$0.hasPrefix(".") }.sorted()
        .map { FilePath.join(path, $0) }
        // A link that leads nowhere is a place for a checkpoint, and none yet.
        .filter { !isMissing($0) }
    } catch {
      throw .unreadable(path: path, reason: error.description)
    }
  }

  /// The path of a checkpoint called `name`.
  ///
  /// - Precondition: the name is one of a file in the folder (``isName(_:)``).
  package func path(of name: String) -> String {
    programmerError(unless: Self.isName(name), "a checkpoint called \(name)")
    return FilePath.join(path, name + Self.suffix)
  }

  /// Whether `name` can be a checkpoint's: not empty, not hidden, and in the folder itself.
  package static func isName(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix(".") && !name.contains { "/\0".contains($0) }
      && name.utf8.count <= longestName
  }

  private func isMissing(_ path: String) -> Bool {
    do throws(SystemError) {
      try files.close(files.open(path), path)
      return false
    } catch {
      return error.isMissingFile
    }
  }

  /// Saves a state under a name, replacing any checkpoint of that name; it is on the disk when this
  /// returns.
  ///
  /// - Throws: ``CheckpointError``; what was there before is then still there.
  package func save(_ state: RunState, as name: String) throws(CheckpointError) {
    try CheckpointFile.write(state, to: path(of: name), on: files)
  }

  /// Reads the whole checkpoint called `name` and verifies it.
  ///
  /// - Returns: Its path.
  /// - Throws: ``CheckpointError`` unless it is as it was written.
  package func verified(_ name: String) throws(CheckpointError) -> String {
    let path = path(of: name)
    _ = try CheckpointFile.read(path, on: files)
    return path
  }

  /// Removes a checkpoint, if it is there and is one.
  ///
  /// - Throws: ``CheckpointError``; a file that is damaged or of another kind is left alone.
  package func remove(_ name: String) throws(CheckpointError) {
    let path = path(of: name)
    do throws(CheckpointError) {
      _ = try CheckpointFile.peek(path, on: files)
    } catch {
      if isMissing(path) { return }
      throw error
    }
    do throws(SystemError) {
      try files.remove(path)
    } catch {
      if !error.isMissingFile { throw .unwritable(path: path, reason: error.explanation) }
    }
  }
}
