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

  @Option(
    help: ArgumentHelp(
      "By which figures bytes become numbers: own, the mean and deviation of the training images; imagenet; cifar10; half, "
        + "from -1 to 1; none, from 0 to 1 (default: as the model was trained; own).",
      valueName: "figures"))
  var imageNormalize: ImageNormalization?

  @Option(
    help: ArgumentHelp(
      "A CSV file with a line for each image: its path in the folder, its class, and perhaps its part (train, valid or "
        + "test), instead of a folder for each class.", valueName: "file.csv"))
  var labels: String?

  @Option(
    help: ArgumentHelp(
      "The columns of that file (default: by their names, as file,label,part; or the first and the second of two).",
      valueName: "file,label[,part]"))
  var labelColumns: LabelColumnsOption?

  @Option(
    help: ArgumentHelp("What is added to each path of that file, as in .jpg.", valueName: "text"))
  var labelSuffix: String?

  @Option(
    help: ArgumentHelp(
      #"A regular expression whose first group is the class in a file's name, as in "^(.+)_\d+""#
        + " for great_dane_17.jpg, instead of a folder for each class.", valueName: "regex"))
  var labelPattern: String?

  /// Refuses options that only images have.
  func checkUnused(by data: String) throws(CommandError) {
    let given = [
      ("--image-size", imageSize != nil), ("--image-fit", imageFit != nil),
      ("--image-normalize", imageNormalize != nil),
      ("--labels", labels != nil), ("--label-columns", labelColumns != nil),
      ("--label-suffix", labelSuffix != nil), ("--label-pattern", labelPattern != nil),
    ]
    for (option, isGiven) in given where isGiven {
      throw .needs(
        option: option, other: "a folder of photographs", advice: "omit it, as \(data) isn't one")
    }
  }

  /// Where the classes come from.
  private func imageLabels() throws(CommandError) -> ImageLabels {
    guard let labels else {
      for (option, isGiven) in [
        ("--label-columns", labelColumns != nil), ("--label-suffix", labelSuffix != nil),
      ] where isGiven {
        throw .needs(option: option, other: "--labels", advice: "name the table, or omit it")
      }
      return labelPattern.map { .pattern($0) } ?? .folders
    }
    guard labelPattern == nil else {
      throw .settingTwice(
        setting: "the class of an image", first: "--labels", second: "--label-pattern")
    }
    return .table(
      ImageLabels.Table(
        labels, fileColumn: labelColumns?.file, labelColumn: labelColumns?.label,
        partColumn: labelColumns?.part, suffix: labelSuffix ?? ""))
  }

  /// The folder of photographs for a model that takes `known` images, or examples of `sizes`.
  func folder(
    _ path: String, known: Preprocessing.Images?, sizes: [Int?]?
  ) throws(CommandError) -> ImageFolder {
    let input = sizes.flatMap(ImageInput.init)
    let size =
      imageSize.map { (height: $0.height, width: $0.width) }
      ?? known.map { (height: $0.height, width: $0.width) } ?? input?.size
    let channels = known?.channels ?? input?.channels
    if channels == 1, imageNormalize == .imageNet || imageNormalize == .cifar10 {
      throw .greyImages(option: "--image-normalize")
    }
    return ImageFolder(
      path, labels: try imageLabels(), height: size?.height, width: size?.width, channels: channels,
      fit: imageFit ?? known?.fit ?? .crop, filter: known?.filter ?? .bilinear,
      normalization: imageNormalize ?? .own)
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

/// The columns of a table of labels as typed.
struct LabelColumnsOption: ExpressibleByArgument {
  let file: String
  let label: String
  let part: String?

  init?(argument: String) {
    let names = argument.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard (2...3).contains(names.count), !names.contains("") else { return nil }
    (file, label, part) = (names[0], names[1], names.count > 2 ? names[2] : nil)
  }
}

extension Preprocessing.Images.Fit: ExpressibleByArgument {}
extension ImageNormalization: ExpressibleByArgument {}

extension ModelOptions {
  /// Whether the data are photographs in folders.
  var areImages: Bool { textKind == nil && ImageFolder.isRecognised(data) }

  /// Reads the data for a model.
  func loadData(
    divides: Bool, test: TestPart?, for source: ModelSource
  ) throws -> DataSplit {
    if !areImages { try images.checkUnused(by: data) }
    if textKind == nil { try texts.checkUnused(by: data) }
    if isTable { return try loadTable(divides: divides, test: test, for: source) }
    try table.checkUnused(by: data, ofTexts: textKind == .table)
    if case .file = test {
      throw CommandError.needs(
        option: "--test FILE", other: "a table", advice: "omit the file, as \(data) isn't one")
    }
    guard areImages else {
      let (known, size) = try source.textsAndSize
      guard test == nil else {
        throw CommandError.needs(
          option: "--test", other: "a folder of photographs",
          advice: "omit it, as \(data) isn't one")
      }
      return try texts.split(
        data, target: table.target, known: known, size: size, divides: divides,
        fraction: validFraction)
        ?? DataSource(data).load(divides: divides, fraction: validFraction)
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
    if known != nil, images.imageNormalize != nil, preprocessing == .model {
      throw CommandError.needs(
        option: "--image-normalize", other: "--preprocessing data",
        advice: "add it to train by other figures than the model's own, or omit both")
    }
    let split = try images.folder(data, known: known?.images, sizes: sizes).split(
      divides: divides, fraction: validFraction ?? 0.2, includingTest: test != nil)
    if validFraction != nil, split.origin == .ownValidation {
      throw DataError.ownValidation(name: data)
    }
    return split
  }
}
