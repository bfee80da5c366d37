import ArgumentParser
import Crest
import CrestFiles
import CrestPlugins

/// A plugin as given in an option: `name` or `path`, then perhaps `:key=value,…`.
struct PluginOption: ExpressibleByArgument {
  private let named: NamedSettings

  init(argument: String) { named = NamedSettings(argument) }

  /// Loads the plugin.
  ///
  /// - Parameter policy: What to do if it fails.
  /// - Returns: The plugin, ready to be called.
  /// - Throws: `PluginError`; ``CommandError`` when the settings aren't `key=value`.
  func make(onFailure policy: PluginFailureOption) throws -> Plugin {
    var values: [String: PluginValue] = [:]
    for (key, value) in try named.pairs(of: "--plugin") {
      values[key] = .written(value)
    }
    ProcessEnd.reporting { error in
      StandardError.write("Error: \("\(error)".shown())\n")
      if let failure = Failure(error) { Notes.writeFailure(failure) }
    }
    let label = named.name.split(separator: "/").last.map(String.init) ?? named.name
    let plugin = try Plugin(named.name, values, onFailure: policy.policy) { level, line in
      guard level != .debug else { return }
      // The live progress line may be there.
      if StandardError.isTerminal { StandardError.writeLive("\r\u{1B}[K") }
      StandardError.write("\(label): \(line)\n")
      Notes.writeEvent("\(label): \(line)")
    }
    // Which of several files of one name it is, and who vouches for it.
    Notes.write(
      "plugin \(plugin.name) \(plugin.manifest.version) is that in \(plugin.folder), trusted by "
        + PluginLock.fileName)
    return plugin
  }
}

/// What to do with a plugin that fails.
enum PluginFailureOption: String, CaseIterable, ExpressibleByArgument {
  case stop
  case disable
  case restart

  var policy: PluginFailurePolicy {
    switch self {
    case .stop: .stop
    case .disable: .disable
    case .restart: .restart(atMost: 3)
    }
  }
}
