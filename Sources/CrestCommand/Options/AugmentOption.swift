import ArgumentParser
import Crest

/// A list of augmentations, each with its settings: `crop:padding=2,border=zero,flip`.
struct AugmentOption: ExpressibleByArgument {
  private let entries: [NamedSettings]

  init?(argument: String) {
    var entries: [String] = []
    for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
      // A comma lies between settings as it does between augmentations, which have no =.
      let isSetting = part.contains("=") && !part.prefix { $0 != "=" }.contains(":")
      if isSetting, let last = entries.popLast() {
        entries.append("\(last),\(part)")
      } else {
        entries.append(String(part))
      }
    }
    self.entries = entries.map { NamedSettings($0) }
  }

  /// The transforms, and how examples are mixed.
  func made() throws(CommandError) -> (transforms: [any Transform], mixing: [Mixing]) {
    var (transforms, mixing): ([any Transform], [Mixing]) = ([], [])
    for entry in entries {
      switch try Self.made(entry) {
      case .transform(let transform): transforms.append(transform)
      case .mixing(let choice): mixing.append(choice)
      }
    }
    return (transforms, mixing)
  }

  private static func made(_ entry: NamedSettings) throws(CommandError) -> NamedAugmentation.Made {
    guard let row = NamedAugmentation.all.first(where: { $0.name == entry.name }) else {
      throw .unknownName(
        what: "--augment", name: entry.name, known: NamedAugmentation.all.map(\.name))
    }
    let owner = "--augment \(row.name)"
    var texts: [String: String] = [:]
    for (key, value) in try entry.pairs(of: "--augment") {
      guard let setting = row.settings.first(where: { $0.name == key }) else {
        throw .unknownSetting(owner: owner, setting: key, known: row.settings.map(\.name))
      }
      guard !value.isEmpty else {
        throw .missingSetting(owner: owner, name: row.name, setting: key)
      }
      guard setting.kind.accepts(value) else {
        throw .settingValue(
          owner: owner, setting: key, value: value, expected: setting.kind.expected)
      }
      texts[key] = value
    }
    do throws(NamedAugmentation.Fault) {
      return try row.make(texts)
    } catch {
      throw .settingValue(
        owner: owner, setting: error.setting, value: error.value, expected: error.expected)
    }
  }
}
