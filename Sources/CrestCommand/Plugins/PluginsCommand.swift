import ArgumentParser

/// Commands for plugins.
struct PluginsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugins", abstract: "List, check, trust and create plugins.",
    discussion: """
      A plugin is found by its name in the folders of CREST_PLUGIN_PATH, in .crest/plugins here and in \
      your home folder, or by a path with a / in it. It runs if crest train names it and \
      crest-plugins.lock here has its hashes.
      """,
    subcommands: [PluginsList.self, PluginsVerify.self, PluginsLock.self, PluginsNew.self])
}
