import ArgumentParser

/// Commands for plugins.
struct PluginsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plugins", abstract: "Look at plugins, trust them, make new ones.",
    discussion: """
      A plugin is looked for by name in the folders of CREST_PLUGIN_PATH, in .crest/plugins here and in \
      your home folder; a path has a / in it. It runs when crest train names it, and when \
      crest-plugins.lock here has its hashes.
      """,
    subcommands: [PluginsList.self, PluginsVerify.self, PluginsLock.self, PluginsNew.self])
}
