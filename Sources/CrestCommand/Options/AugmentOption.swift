import ArgumentParser
import Crest

/// An augmentation of images that has a name on the command line.
struct Augmentation: Sendable {
  let name: String
  let settings: [CallbackSetting]
  /// Makes it; what isn't given is as in the type's own initialiser.
  let make: @Sendable (CallbackSettings) throws(CommandError) -> any Transform

  /// As in `crop:padding=n`.
  var usage: String { CallbackSetting.usage(of: name, settings) }

  static let all = [
    Augmentation(
      name: "crop",
      settings: [
        .init("padding", .wholeNumber),
        .init("border", .choice([PadAndCrop.Border.zero, .reflection].map(\.rawValue))),
      ]
    ) { settings throws(CommandError) in
      let own = PadAndCrop()
      return PadAndCrop(
        padding: try settings.wholeNumber("padding", atLeast: 0) ?? own.padding,
        border: try settings.value("border", PadAndCrop.Border.init) ?? own.border)
    },
    Augmentation(name: "flip", settings: [.init("alternating", .flag)]) {
      settings throws(CommandError) in
      HorizontalFlip(
        alternating: try settings.flag("alternating") ?? HorizontalFlip().alternating)
    },
    Augmentation(name: "cutout", settings: [.init("size", .wholeNumber)]) {
      settings throws(CommandError) in
      Cutout(size: try settings.wholeNumber("size", atLeast: 1) ?? Cutout().size)
    },
  ]
}

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

  func transforms() throws(CommandError) -> [any Transform] {
    var transforms: [any Transform] = []
    for entry in entries {
      guard let augmentation = Augmentation.all.first(where: { $0.name == entry.name }) else {
        throw .unknownName(
          what: "--augment", name: entry.name, known: Augmentation.all.map(\.name))
      }
      let settings = try CallbackSettings(
        of: "--augment", entry.name, augmentation.settings, entry)
      transforms.append(try augmentation.make(settings))
    }
    return transforms
  }
}
