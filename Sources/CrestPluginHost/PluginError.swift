/// Why a plugin can't be found, trusted, loaded or called.
public enum PluginError: Error, Equatable, Sendable {
  /// No folder of the search path has a plugin of that name.
  case notFound(name: String, searched: [String])
  /// Folders of the search path that have a plugin of that name, one of them where the process was started.
  case ambiguous(name: String, folders: [String])
  /// A file that can't be read or written.
  case unreadable(path: String, reason: String)
  /// A file that isn't as it should be, so none of the plugin's code was run.
  case refused(path: String, reason: String)
  /// A file that is not in the lock file, or has changed since.
  case unlocked(path: String, reason: String)
  /// A plugin that was tried out and failed.
  case rehearsal(path: String, reason: String)
  /// What a plugin asks for against what its manifest says.
  case manifestLies(path: String, reason: String)
  /// A setting that doesn't fit the plugin's schema.
  case configuration(plugin: String, setting: String, reason: String)
  /// A policy that the plugin's kind doesn't have.
  case policy(plugin: String, reason: String)
  /// A plugin that failed at run time.
  case failed(plugin: String, during: String, reason: String)
  /// A state that can't be restored.
  case state(plugin: String, reason: String)
}

extension PluginError: CustomStringConvertible {
  /// What, where, expected, got and what to do.
  public var description: String {
    switch self {
    case .notFound(let name, let searched):
      "there is no plugin \"\(name)\" in \(searched.joined(separator: ", ")); "
        + "give its folder's path, or set CREST_PLUGIN_PATH"
    case .ambiguous(let name, let folders):
      "there are plugins \"\(name)\" in \(folders.joined(separator: " and ")); give the path of the one you mean, as "
        + "in --plugin \((folders.first ?? name).asPathOfPlugin)"
    case .unreadable(let path, let reason): "\(path): \(reason)"
    case .refused(let path, let reason): "\(path) is refused: \(reason)"
    case .unlocked(let path, let reason): "\(path) is not trusted: \(reason)"
    case .rehearsal(let path, let reason): "\(path) failed in a trial run: \(reason)"
    case .manifestLies(let path, let reason): "\(path) is wrong: \(reason)"
    case .configuration(let plugin, let setting, let reason):
      "plugin \(plugin): \(setting): \(reason)"
    case .policy(let plugin, let reason): "plugin \(plugin): \(reason)"
    case .failed(let plugin, let during, let reason):
      "plugin \(plugin) failed in \(during): \(reason)"
    case .state(let plugin, let reason): "the state of plugin \(plugin): \(reason)"
    }
  }
}

extension String {
  /// A relative path that isn't taken for a name.
  fileprivate var asPathOfPlugin: String { hasPrefix("/") || hasPrefix("./") ? self : "./" + self }
}
