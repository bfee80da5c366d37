import ArgumentParser
import Crest
import CrestPlugins

struct PluginsLock: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lock",
    abstract: "Trust plugins as they are now: write their hashes to crest-plugins.lock.",
    discussion: """
      First look at the plugin and at what it asks for. If one of its files changes, it is refused until \
      it is locked again.
      """)

  @Argument(help: ArgumentHelp("Names, or paths with a / in them.", valueName: "name|path"))
  var plugins: [String]

  func run() throws {
    let path = PluginLock.fileName
    var lock = try PluginLock(path: path)
    for name in plugins {
      let plugin = try CheckedPlugin(folder: PluginSearchPath.standard.folder(of: name))
      lock.trust(plugin)
      let manifest = plugin.manifest
      let permissions = manifest.permissions.map(\.rawValue).sorted()
      try StandardOutput.write(
        "\(manifest.identifier) \(manifest.version) (\(manifest.kind.rawValue)), \(plugin.folder), may read or set: "
          + "\(permissions.isEmpty ? "nothing" : permissions.joined(separator: ", "))\n")
      for library in plugin.libraryPaths {
        try StandardOutput.write("  with the library \(library)\n")
      }
    }
    try lock.write(to: path)
  }
}
