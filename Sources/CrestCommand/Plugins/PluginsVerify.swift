import ArgumentParser
import Crest
import CrestPlugins

struct PluginsVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check plugins as for training, and execute nothing of them.",
    discussion: """
      Owners, permissions, manifest, hashes against crest-plugins.lock, and of a library its form, its \
      interface version and the hash of the header it was made with.
      """)

  @Argument(help: ArgumentHelp("Names, or paths with a / in them.", valueName: "name|path"))
  var plugins: [String]

  func run() throws {
    let lock = try PluginLock(path: PluginLock.fileName)
    for name in plugins {
      let plugin = try CheckedPlugin(folder: PluginSearchPath.standard.folder(of: name))
      try plugin.check(lock, path: PluginLock.fileName)
      try StandardOutput.write(
        "\(plugin.manifest.identifier) \(plugin.manifest.version): ready\n")
    }
  }
}
