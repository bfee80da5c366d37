import ArgumentParser
import Crest
import CrestPlugins

struct PluginsVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check plugins as before training, without running any of their code.",
    discussion: """
      Checks owners, permissions, the manifest, the hashes in crest-plugins.lock, and, for a library, its \
      format, its interface version, the hash of the header it was built with and the libraries it needs.
      """)

  @Argument(help: ArgumentHelp("Names, or paths with a / in them.", valueName: "name|path"))
  var plugins: [String]

  func run() throws {
    let lock = try PluginLock(path: PluginLock.fileName)
    for name in plugins {
      let plugin = try CheckedPlugin(folder: PluginSearchPath.standard.folder(of: name))
      try plugin.check(lock, path: PluginLock.fileName)
      try StandardOutput.write(
        "\(plugin.manifest.identifier) \(plugin.manifest.version), \(plugin.folder): ready, trusted by "
          + "\(PluginLock.fileName)\n")
    }
  }
}
