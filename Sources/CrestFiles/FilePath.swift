/// Paths as text.
package enum FilePath {
  /// The folder that holds the file at `path`, `.` when it names none, and the file's name.
  package static func split(_ path: String) -> (folder: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    return (
      slash == path.startIndex ? "/" : String(path[..<slash]),
      String(path[path.index(after: slash)...])
    )
  }

  /// `name` in `folder`.
  package static func join(_ folder: String, _ name: String) -> String {
    folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }
}

/// The names of files in the making: hidden, and telling whose they are.
package enum TemporaryName {
  private static let prefix = ".tmp-"

  /// A new name.
  package static func new() -> String {
    let random = String(UInt64.random(in: .min ... .max), radix: 16)
    return "\(prefix)\(SystemFiles.processNumber)-\(random)"
  }

  /// The number of the process that made a file of that name; nil for files of another kind.
  package static func owner(of name: String) -> CInt? {
    guard name.hasPrefix(prefix) else { return nil }
    return name.dropFirst(prefix.count).split(separator: "-").first.flatMap { CInt($0) }
  }
}
