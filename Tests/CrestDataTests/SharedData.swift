import Foundation

/// The folder of large data sets beside the package, which not everybody has.
enum SharedData {
  /// Why a test that needs it doesn't run.
  static let reason =
    "there is no folder shared/data beside the package or above it, and CREST_SHARED names none"

  /// The folder, from `CREST_SHARED` or found upwards from the package.
  static let path: String? = {
    let manager = FileManager.default
    if let given = ProcessInfo.processInfo.environment["CREST_SHARED"] { return given + "/data" }
    var folder = URL(filePath: #filePath).deletingLastPathComponent()
    while folder.path() != "/" {
      folder = folder.deletingLastPathComponent()
      let candidate = folder.appending(path: "shared/data").path(percentEncoded: false)
      if manager.fileExists(atPath: candidate) { return candidate }
    }
    return nil
  }()

  static var isThere: Bool { path != nil }

  /// A set's folder.
  static func folder(_ name: String) -> String { (path ?? "") + "/" + name }
}
