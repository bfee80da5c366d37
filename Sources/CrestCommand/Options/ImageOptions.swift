public import ArgumentParser
public import Crest
import CrestImages

/// How photographs in folders become arrays.
struct ImageOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Rows and columns of the images of a folder of photographs: n, or rows by columns (default: those that the model "
        + "takes; \(ImageFolder.standardSide), or the size of small images that have one).",
      valueName: "n|nxm"))
  var imageSize: ImageSizeOption?

  @Option(
    help: ArgumentHelp(
      "What happens to images of another aspect: crop, the middle is taken; pad, edges are mirrored; squish, they are "
        + "distorted (default: as the model was trained; crop).", valueName: "way"))
  var imageFit: Preprocessing.Images.Fit?

  /// Refuses options that only images have.
  func checkUnused(by data: String) throws(CommandError) {
    let given = [("--image-size", imageSize != nil), ("--image-fit", imageFit != nil)]
    for (option, isGiven) in given where isGiven {
      throw .needs(
        option: option, other: "a folder of photographs", advice: "omit it, as \(data) isn't one")
    }
  }

  /// The folder of photographs for a model that takes `known` images, or examples of `sizes`.
  func folder(
    _ path: String, known: Preprocessing.Images?, sizes: [Int?]?
  ) -> ImageFolder {
    let input = sizes.flatMap(ImageInput.init)
    let size =
      imageSize.map { (height: $0.height, width: $0.width) }
      ?? known.map { (height: $0.height, width: $0.width) } ?? input?.size
    let channels = known?.channels ?? input?.channels
    return ImageFolder(
      path, height: size?.height, width: size?.width, channels: channels,
      fit: imageFit ?? known?.fit ?? .crop, filter: known?.filter ?? .bilinear)
  }
}

/// The images that an input of a model takes, as far as its sizes tell.
struct ImageInput {
  /// 1 or 3; nil when that is open.
  let channels: Int?
  /// Rows and columns; nil when one of them is open.
  let size: (height: Int, width: Int)?

  /// The images for an input of these sizes, channels first or last; nil when it doesn't take images.
  init?(_ sizes: [Int?]) {
    guard sizes.count == 3 else { return nil }
    func areChannels(_ size: Int?) -> Bool { size == 1 || size == 3 }
    let isLast = !areChannels(sizes[0]) && areChannels(sizes[2])
    guard isLast || sizes[0] == nil || areChannels(sizes[0]) else { return nil }
    channels = isLast ? sizes[2] : sizes[0]
    let (height, width) = isLast ? (sizes[0], sizes[1]) : (sizes[1], sizes[2])
    let sides = Preprocessing.Images.sides
    if let height, let width, sides.contains(height), sides.contains(width) {
      size = (height, width)
    } else {
      size = nil
    }
  }
}

/// Rows and columns as typed.
struct ImageSizeOption: ExpressibleByArgument {
  let height: Int
  let width: Int

  init?(argument: String) {
    let parts = argument.split(separator: "x", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Int($0) }
    guard (1...2).contains(parts.count), numbers.count == parts.count,
      numbers.allSatisfy(Preprocessing.Images.sides.contains)
    else { return nil }
    (height, width) = (numbers[0], numbers[numbers.count - 1])
  }
}

extension Preprocessing.Images.Fit: ExpressibleByArgument {}

extension ModelOptions {
  /// The network for photographs when none is named.
  static let imageModel = "resnet18"

  /// Whether the data are photographs in folders.
  var areImages: Bool { ImageFolder.isRecognised(data) }

  /// Reads the data for a model.
  func loadData(divides: Bool, for source: ModelSource) throws -> DataSplit {
    guard areImages else {
      try images.checkUnused(by: data)
      return try DataSource(data).load(divides: divides)
    }
    var known: Preprocessing?
    var sizes: [Int?]?
    switch source {
    case .file(let file, let weights):
      known = try weights?.preprocessing ?? file.metadata().preprocessing
      if let name = file.inputNames.first, file.inputNames.count == 1 {
        sizes = file.exampleSizes(ofInput: name)
      }
    case .builtIn(_, let weights): known = weights?.preprocessing
    }
    return try images.folder(data, known: known?.images, sizes: sizes).split(divides: divides)
  }
}
