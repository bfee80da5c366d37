import Foundation

/// What somebody else does to a file while a run uses it.
package enum FileChange: String, CaseIterable, Sendable {
  case emptied, halved
  /// Written over in place, piece by piece: with bytes that mean nothing, or with a file of the same size that is valid.
  case garbled, rewritten
  /// Another file takes its name.
  case replaced, exchanged
  case removed, renamed

  /// Whether the new content is valid.
  package var isValid: Bool { self == .rewritten || self == .exchanged }

  /// Makes the change; a file that the run hasn't made yet, or has removed, is left alone.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - other: The content of the valid kinds.
  /// - Returns: Whether something was changed.
  /// - Throws: What Foundation throws when the new file can't be written.
  package func apply(to path: String, other: [UInt8] = []) throws -> Bool {
    guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int else {
      return false
    }
    switch self {
    case .emptied: return truncate(path, 0) == 0
    case .halved: return truncate(path, off_t(size / 2)) == 0
    case .garbled: return overwrite(path, [UInt8](repeating: 0x53, count: size))
    case .rewritten: return overwrite(path, other)
    case .replaced, .exchanged:
      let new = path + ".new"
      try Data(self == .exchanged ? other : [UInt8](repeating: 0x53, count: size))
        .write(to: URL(filePath: new))
      return rename(new, path) == 0
    case .removed: return unlink(path) == 0
    case .renamed: return rename(path, path + ".old") == 0
    }
  }

  /// As an exporter's `open(path, "r+b")` would, with time for a reader in between.
  private func overwrite(_ path: String, _ bytes: [UInt8]) -> Bool {
    let descriptor = open(path, O_WRONLY)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].prefix(8192).withUnsafeBytes {
        pwrite(descriptor, $0.baseAddress, $0.count, off_t(done))
      }
      guard count > 0 else { return false }
      done += count
      usleep(100)
    }
    return true
  }
}
