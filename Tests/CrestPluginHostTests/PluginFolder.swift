import CrestPluginHost
import Foundation
import ProcessSupport

/// Folders of plugins that go when this does, with a lock file that trusts them.
final class PluginFolder {
  private let folder: TemporaryFolder
  var path: String { folder.path }
  var lock: String { path + "/crest-plugins.lock" }

  init() throws {
    // A test of logs does so at any time, and a library that is watched meanwhile would be blamed for it.
    signal(SIGPIPE, SIG_IGN)
    folder = try TemporaryFolder()
  }

  /// Writes a plugin's folder, and returns its path.
  @discardableResult
  func write(_ bytes: [UInt8], _ manifest: Manifest = Manifest()) throws -> String {
    let folder = path + "/" + manifest.identifier
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let file = URL(filePath: folder + "/" + manifest.file)
    try Data(bytes).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    try write(manifest.text(sha256: sha256(bytes)), to: folder)
    return folder
  }

  /// Replaces the manifest of the plugin in `folder`.
  func write(_ manifest: String, to folder: String) throws {
    try Data(manifest.utf8).write(to: URL(filePath: folder + "/crest-plugin.json"))
  }

  /// Writes a lock that trusts a file of any contents.
  func trust(_ identifier: String = "Probe", in folder: String) throws {
    try write(lockEntries: [entry(identifier, in: folder)])
  }

  /// Writes a lock that trusts the plugins in folders of their names.
  func trust(_ folders: [String]) throws {
    try write(
      lockEntries: folders.map { try entry(URL(filePath: $0).lastPathComponent, in: $0) })
  }

  /// Nothing but the hashes is looked at.
  private func entry(_ identifier: String, in folder: String) throws -> String {
    let manifest = try [UInt8](Data(contentsOf: URL(filePath: folder + "/crest-plugin.json")))
    let name =
      try FileManager.default.contentsOfDirectory(atPath: folder)
      .first { $0 != "crest-plugin.json" } ?? ""
    let file = try [UInt8](Data(contentsOf: URL(filePath: folder + "/" + name)))
    return """
      {"identifier": "\(identifier)", "version": "1.0.0", "manifest": "\(sha256(manifest))", \
      "file": "\(sha256(file))"}
      """
  }

  private func write(lockEntries: [String]) throws {
    let text = #"{"format": 1, "plugins": [\#(lockEntries.joined(separator: ", "))]}"#
    try Data(text.utf8).write(to: URL(filePath: lock))
  }
}

/// A manifest of the plugins for tests.
struct Manifest {
  var identifier = "Probe"
  var version = "1.0.0"
  var kind = "library"
  var interface = #"{"from": "1.0", "below": "2.0"}"#
  var file = "libProbe.so"
  var permissions =
    #"["metrics", "cancel", "learning_rate", "parameters", "gradients", "predictions", "losses", "activations"]"#
  var configuration = #"""
    {"mode": {"type": "string", "summary": "What it does.", "default": "none"},
     "number": {"type": "number", "summary": "A number.", "default": 0.5, "minimum": 0, "maximum": 1}}
    """#
  /// Other fields, each with a comma before it.
  var more = ""

  static func chaos(_ limits: String = #"{"answer_seconds": 0.3}"#) -> Manifest {
    Manifest(
      identifier: "Chaos", kind: "process", file: "chaos", permissions: #"["metrics"]"#,
      configuration: #"""
        {"fault": {"type": "string", "summary": "What goes wrong.", "default": "none"},
         "at": {"type": "integer", "summary": "The event.", "default": 1},
         "answer": {"type": "string", "summary": "What it answers.", "default": ""},
         "leave": {"type": "string", "summary": "What it leaves behind.", "default": "nothing"},
         "mark": {"type": "string", "summary": "The name of that.", "default": "chaos"}}
        """#,
      more: #", "limits": "# + limits)
  }

  /// That of `Fixtures/counter.c`.
  static let counter = Manifest(
    identifier: "Counter", kind: "process", file: "counter",
    permissions: #"["metrics", "learning_rate"]"#, configuration: "{}",
    more: #", "limits": {"answer_seconds": 60, "start_seconds": 60}"#)

  func text(sha256: String) -> String {
    """
    {"format": 1, "identifier": "\(identifier)", "version": "\(version)", "summary": "For tests.",
     "kind": "\(kind)", "interface": \(interface), "file": "\(file)", "sha256": "\(sha256)",
     "permissions": \(permissions), "configuration": \(configuration)\(more)}
    """
  }
}

/// The C compiler that comes with Swift.
enum Compiler {
  struct Failed: Error {
    let source: String
    let complaints: String
  }

  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The library of `Fixtures/probe.c`.
  static func probe(_ macros: [String] = []) throws -> [UInt8] {
    try build("Tests/CrestPluginHostTests/Fixtures/probe.c", ["-fPIC", "-shared"] + macros)
  }

  /// The library of a sample plugin.
  static func nanGuard() throws -> [UInt8] {
    try build("Plugins/NanGuard/NanGuard.c", ["-fPIC", "-shared", "-lm"])
  }

  /// The program of `Fixtures/counter.c`.
  static func counter() throws -> [UInt8] {
    try build("Tests/CrestPluginHostTests/Fixtures/counter.c", [])
  }

  /// The program of `Campaigns/plugins/chaos.c`.
  static let chaos = Result { try build("Campaigns/plugins/chaos.c", ["-O1"]) }

  static func build(_ source: String, _ options: [String]) throws -> [UInt8] {
    let folder = try TemporaryFolder()
    let result = try Executable.env.run(
      [
        "clang", "-std=gnu11", "-w", "-I",
        root.appending(path: "Sources/CCrestPlugin/include").path,
      ]
        + [
          source.hasPrefix("/") ? source : root.appending(path: source).path, "-o",
          folder["built"].path,
        ] + options)
    guard result.status == 0 else { throw Failed(source: source, complaints: result.error) }
    return try [UInt8](Data(contentsOf: folder["built"]))
  }
}

/// Lines that plugins logged.
final class LogLines {
  private(set) var lines: [String] = []
  func add(_ level: PluginLogLevel, _ line: String) { lines.append(line) }
}
