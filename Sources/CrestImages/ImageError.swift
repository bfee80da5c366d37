import CrestTensor

/// What is wrong with an image file or a folder of them.
///
/// Paths are as the user gave them.
public enum ImageError: Error, Equatable, Sendable {
  /// The system refused to open or read a file or to list a folder.
  case unreadable(path: String, reason: String)
  /// The file is not a kind of image that can be read.
  case unknownFormat(path: String, found: String)
  /// The file is damaged, or of a kind that isn't built.
  case undecodable(path: String, format: String, reason: String)
  /// The file says that the image is larger than is allowed, or has no pixels.
  case impossibleSize(path: String, width: Int, height: Int)
  /// Several files of a folder can't be used; the first of them, and how many.
  case badFiles(folder: String, first: [String], count: Int)
  /// No folder of a class is there.
  case noClasses(folder: String, found: String)
  /// A single class, which leaves nothing to tell apart.
  case oneClass(folder: String, name: String)
  /// A class without an image.
  case emptyClass(folder: String, name: String, others: String)
  /// A class that only another part than the training one has.
  case classNotTrained(folder: String, name: String, known: [String])
  /// A name that isn't UTF-8.
  case unreadableName(path: String)
  /// A folder for validation or test among those of classes.
  case partWithoutTraining(folder: String, name: String)
  /// A folder without an image, whose images were asked for.
  case noImages(path: String)
  /// A folder that leads back to itself by links.
  case circle(path: String)
  /// A line of a table of labels that isn't as expected.
  case table(path: String, line: Int, reason: String)
  /// A regular expression by which file names can't give classes.
  case pattern(String, reason: String)
  /// A part for testing that was asked for and isn't there.
  case noTestPart(folder: String)
}

extension ImageError: CustomStringConvertible {
  /// What is wrong, where, what was expected, what was found, and what to do.
  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "\(path) can't be read: \(reason)"
    case .unknownFormat(let path, let found):
      "\(path) is \(found), expected a PNG or JPEG image; convert it, or take it out of the folder"
    case .undecodable(let path, let format, let reason):
      "\(path) can't be decoded as \(format): \(reason); replace the file, or take it out of the folder"
    case .impossibleSize(let path, let width, let height):
      "\(path) says that it is \(width) × \(height), expected 1 to \(Preprocessing.Images.sides.upperBound) rows and "
        + "columns and at most \(ImageHeader.pixelLimit) pixels; replace the file, or take it out of the folder"
    case .badFiles(let folder, let first, let count):
      "\(folder) has \(count) \(count == 1 ? "file" : "files") that can't be used: "
        + first.enumerated().map { "(\($0.offset + 1)) \($0.element)" }.joined(separator: "; ")
        + (count > first.count ? "; and \(count - first.count) more" : "")
    case .noClasses(let folder, let found):
      "\(folder) holds no folder for a class, as in \(folder)/cat/1.jpg and \(folder)/dog/1.jpg; found \(found)"
    case .oneClass(let folder, let name):
      "\(folder) holds a single class, \"\(name)\"; at least two are needed to tell them apart"
    case .emptyClass(let folder, let name, let others):
      "the class \"\(name)\" of \(folder) has no PNG or JPEG image\(others); add some, or remove its folder"
    case .classNotTrained(let folder, let name, let known):
      "\(folder) holds the class \"\(name)\", which the training part doesn't have: \(known.joined(separator: ", ")); "
        + "add training images of it, or remove its folder"
    case .unreadableName(let path):
      "\(path) can't be read: its name isn't UTF-8; rename it"
    case .partWithoutTraining(let folder, let name):
      "\(folder) holds a folder \(name), which is no class, but none called train; put the training images in "
        + "\(folder)/train, and those of validation in \(folder)/valid"
    case .noImages(let path): "\(path) holds no PNG or JPEG image; name images, or a folder of them"
    case .table(let path, let line, let reason): "\(path), line \(line): \(reason)"
    case .pattern(let text, let reason): "the pattern \(text) gives no classes: \(reason)"
    case .noTestPart(let folder):
      "\(folder) has no images for testing; put them in \(folder)/test, or name them in the table's part, or ask for none"
    case .circle(let path): "\(path) leads back to a folder that it is in; remove that link"
    }
  }
}
