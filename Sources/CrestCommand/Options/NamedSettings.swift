/// A name in an option, and its settings: `name` or `name:key=value,…`.
struct NamedSettings {
  let name: String
  private let settings: Substring?

  init(_ argument: String) {
    let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    name = String(parts[0])
    settings = parts.count == 2 ? parts[1] : nil
  }

  /// Reads the settings.
  ///
  /// - Parameter option: The option's name in messages, as in `--plugin`.
  /// - Returns: The settings, in their order.
  /// - Throws: ``CommandError`` if they aren't `key=value`, or repeat a key.
  func pairs(of option: String) throws(CommandError) -> [(key: String, value: String)] {
    let owner = "\(option) \(name)"
    var pairs: [(key: String, value: String)] = []
    for setting in settings?.split(separator: ",", omittingEmptySubsequences: false) ?? [] {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw .malformedSetting(owner: owner, setting: String(setting))
      }
      let key = String(parts[0])
      guard !pairs.contains(where: { $0.key == key }) else {
        throw .repeatedSetting(owner: owner, setting: key)
      }
      pairs.append((key, String(parts[1])))
    }
    return pairs
  }
}
