import Foundation

/// Data too large for the repository, in a folder `shared` beside the package or above it.
package enum SharedFolder {
  /// The path of a folder in there; nil when there is none.
  ///
  /// `CREST_SHARED` overrides where `shared` is.
  package static func path(_ name: String, filePath: String = #filePath) -> String? {
    if let given = ProcessInfo.processInfo.environment["CREST_SHARED"] { return "\(given)/\(name)" }
    var folder = URL(filePath: filePath).deletingLastPathComponent()
    while folder.path() != "/" {
      folder = folder.deletingLastPathComponent()
      let candidate = folder.appending(path: "shared/\(name)").path(percentEncoded: false)
      if FileManager.default.fileExists(atPath: candidate) { return candidate }
    }
    return nil
  }

  /// What a test says that is skipped for want of a folder.
  package static func reason(_ name: String) -> String {
    "there is no folder shared/\(name) beside the package or above it, and CREST_SHARED names none"
  }
}
