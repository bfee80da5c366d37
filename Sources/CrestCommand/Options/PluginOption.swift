import ArgumentParser
import Crest

/// A plugin as an option names it: `name` or `path`, then perhaps `:key=value,…`.
struct PluginOption: ExpressibleByArgument {
  let name: String
  let settings: String?

  init?(argument: String) {
    let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    name = String(parts[0])
    settings = parts.count == 2 ? String(parts[1]) : nil
  }

  /// Loads the plugin.
  ///
  /// - Parameter policy: What is done when it fails.
  /// - Returns: The plugin, ready to be called.
  /// - Throws: `PluginError`; ``CommandError`` when the settings aren't `key=value`.
  func make(onFailure policy: PluginFailureOption) throws -> Plugin {
    var values: [String: PluginValue] = [:]
    for (key, value) in try keyedSettings(settings, of: "--plugin \(name)") {
      values[key] = .written(value)
    }
    let label = name.split(separator: "/").last.map(String.init) ?? name
    return try Plugin(name, values, onFailure: policy.policy) { level, line in
      guard level != .debug else { return }
      // A live line of progress may stand there.
      let clear = StandardError.isTerminal ? "\r\u{1B}[K" : ""
      StandardError.write("\(clear)\(label): \(line)\n")
    }
  }
}

/// What is done with a plugin that fails.
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

/// The settings in `key=value,…`, in their order.
func keyedSettings(
  _ text: String?, of owner: String
) throws(CommandError) -> [(key: String, value: String)] {
  var pairs: [(key: String, value: String)] = []
  for setting in text?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
    let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw .malformedSetting(owner: owner, setting: String(setting)) }
    let key = String(parts[0])
    guard !pairs.contains(where: { $0.key == key }) else {
      throw .repeatedSetting(owner: owner, setting: key)
    }
    pairs.append((key, String(parts[1])))
  }
  return pairs
}
