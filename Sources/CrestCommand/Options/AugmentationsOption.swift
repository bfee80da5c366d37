import ArgumentParser
import Crest

/// Test-time augmentation, by name.
struct AugmentationsOption: ParsableArguments {
  @Option(
    name: .customLong("tta"),
    help: ArgumentHelp(
      "Test-time augmentation: the mean of predictions for views of each image: mirror (the image and its mirror), "
        + "mirror-and-shift (also shifted by a pixel both ways).",
      valueName: "name"))
  var name: String?

  /// The views; nil for none.
  func augmentations() throws(CommandError) -> TestTimeAugmentation? {
    guard let name else { return nil }
    guard let found = TestTimeAugmentation.all.first(where: { $0.name == name }) else {
      throw .unknownName(what: "--tta", name: name, known: TestTimeAugmentation.all.map(\.name))
    }
    return found
  }
}
