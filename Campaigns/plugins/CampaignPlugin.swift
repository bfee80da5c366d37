import CrestPlugins
import Foundation
import ProcessSupport

/// A plugin that a campaign builds, writes and locks in a folder of its own, which goes with this object.
final class CampaignPlugin {
  /// Where sources are, and the header.
  struct Sources {
    let folder: String
    let include: String

    /// Those of the package that this campaign was built from.
    static let own: Sources = {
      let folder = URL(filePath: #filePath).deletingLastPathComponent()
      let root = folder.deletingLastPathComponent().deletingLastPathComponent()
      return Sources(
        folder: folder.path, include: root.appending(path: "Sources/CCrestPlugin/include").path)
    }()
  }

  struct Failed: Error {
    let reason: String
  }

  let identifier: String
  let configuration: String
  private let parent: URL
  var folder: String { parent.appending(path: identifier).path }
  var lock: String { parent.appending(path: PluginLock.fileName).path }
  var library: String { folder + "/library.so" }

  init(_ identifier: String, configuration: String = "{}") throws {
    self.identifier = identifier
    self.configuration = configuration
    parent = FileManager.default.temporaryDirectory
      .appending(path: "crest-campaign-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      atPath: parent.appending(path: identifier).path, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(at: parent) }

  /// The library of a source file of the campaigns.
  static func build(_ source: String) throws -> [UInt8] {
    let built = FileManager.default.temporaryDirectory
      .appending(path: "crest-campaign-\(UUID().uuidString).so")
    defer { try? FileManager.default.removeItem(at: built) }
    let result = try Executable.env.run([
      "clang", "-O2", "-std=gnu11", "-fPIC", "-shared", "-fvisibility=hidden", "-I",
      Sources.own.include, "-o", built.path, Sources.own.folder + "/" + source, "-lm",
    ])
    guard result.status == 0 else { throw Failed(reason: result.error) }
    return try [UInt8](Data(contentsOf: built))
  }

  /// Writes the library and a manifest, and trusts both as they are, without looking at what they are.
  func write(_ bytes: [UInt8]) throws {
    try Data(bytes).write(to: URL(filePath: library))
    let digest = sha256(bytes)
    let manifest = """
      {"format":1,"identifier":"\(identifier)","version":"1.0.0","summary":"For a campaign.","kind":"library",
       "interface":{"from":"1.0","below":"2.0"},"file":"library.so","sha256":"\(digest)","permissions":[],
       "configuration":\(configuration)}
      """
    try Data(manifest.utf8).write(to: URL(filePath: folder + "/" + PluginManifest.fileName))
    let entry = """
      {"identifier":"\(identifier)","version":"1.0.0","manifest":"\(sha256(manifest.utf8))","file":"\(digest)"}
      """
    try Data(#"{"format":1,"plugins":[\#(entry)]}"#.utf8).write(to: URL(filePath: lock))
  }
}
