import ArgumentParser
import Crest
import CrestPlugins

struct PluginsList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the plugins that are found, and whether each would run.")

  @Flag(help: "Print one JSON object per plugin.")
  var json = false

  func run() throws {
    let lock = try PluginLock(path: PluginLock.fileName)
    var seen: [String: String] = [:]
    for folder in PluginSearchPath.standard.all {
      let name = String(folder.split(separator: "/").last ?? "")
      let row = Row(name: name, folder: folder, lock: lock)
      seen[name] = seen[name] ?? folder
      try StandardOutput.write(json ? row.json : row.text)
    }
    if seen.isEmpty && !json {
      try StandardOutput.write(
        "no plugins in \(PluginSearchPath.standard.folders.joined(separator: ", "))\n")
    }
  }

  /// The status of a folder in the search path.
  private struct Row {
    let name: String
    let folder: String
    var manifest: PluginManifest?
    /// Why it would not run; nil if it would.
    var obstacle: String?

    init(name: String, folder: String, lock: PluginLock) {
      self.name = name
      self.folder = folder
      do throws(PluginError) {
        let plugin = try CheckedPlugin(folder: folder)
        manifest = plugin.manifest
        let first = try PluginSearchPath.standard.folder(of: name)
        if first != folder {
          obstacle = "\(first) is found first"
        } else if plugin.manifest.identifier != name {
          obstacle = "its identifier is \(plugin.manifest.identifier), expected the folder's name"
        } else {
          try plugin.check(lock, path: PluginLock.fileName)
        }
      } catch {
        obstacle = "\(error)"
      }
    }

    var text: String {
      let what = manifest.map { " \($0.version) (\($0.kind.rawValue))" } ?? ""
      let isReady = "ready, trusted by \(PluginLock.fileName)"
      return "\(name)\(what), \(folder): \(obstacle ?? isReady)\n"
    }

    var json: String {
      JSONLine(
        event: "plugin",
        [
          ("name", .text(name)), ("folder", .text(folder)),
          ("version", manifest.map { .text($0.version) } ?? .null),
          ("kind", manifest.map { .text($0.kind.rawValue) } ?? .null),
          ("ready", .text(obstacle == nil ? "yes" : "no")),
          ("reason", obstacle.map { .text($0) } ?? .null),
        ]
      ).text
    }
  }
}
