import CrestData
import CrestFiles
import CrestTensor
import Dispatch
import Synchronization

/// The image files below a folder, by part and class.
struct ImageTree {
  /// A part of the set.
  struct Part {
    let path: String
    var files: [ImageFiles.File] = []
  }

  /// The names of the classes, in order.
  let classes: [String]
  let train: Part
  /// The part for validation, if there is one.
  let valid: Part?
  /// The part for testing, if there is one.
  let test: TestPart
  /// What was found beside the images.
  private(set) var notes: [DataSplit.Note] = []

  /// Where the images for testing are.
  enum TestPart {
    case none
    /// A folder, which isn't looked at unless it is needed.
    case folder(String)
    case files(Part)
  }

  static let validNames = ["valid", "val", "validation"]
  static let testName = "test"
  private static let partNames = Set(validNames + [testName, "train"])
  /// What the systems of others leave in folders.
  private static let leftovers: Set<String> = ["__MACOSX", "Thumbs.db", "desktop.ini"]
  /// What the names of images that can't be read end in, and of those that can.
  private static let readable: Set<String> = ["png", "jpg", "jpeg", "jpe", "jfif"]
  /// The most bad files that a message names.
  static let namedCount = 10

  /// Whether a name ends as those of images that can be read.
  static func isImage(_ name: String) -> Bool {
    name.lastIndex(of: ".").map { readable.contains(name[name.index(after: $0)...].lowercased()) }
      ?? false
  }

  /// Whether a file or folder of this name is no part of the set.
  static func isSkipped(_ name: String) -> Bool { name.hasPrefix(".") || leftovers.contains(name) }

  /// Parts that were found.
  init(
    classes: [String], train: Part, valid: Part?, test: TestPart, leftOut: [String: Int],
    in path: String
  ) throws(ImageError) {
    (self.classes, self.train, self.valid, self.test) = (classes, train, valid, test)
    try check(leftOut, in: path)
  }

  /// Lists the files, whose classes are folders.
  ///
  /// - Throws: ``ImageError``.
  init(_ path: String) throws(ImageError) {
    let names = try Self.folders(in: path)
    let validName = Self.validNames.first(where: names.contains)
    guard names.contains("train") else {
      for name in names where Self.partNames.contains(name.lowercased()) {
        throw .partWithoutTraining(folder: path, name: name)
      }
      classes = names
      var leftOut = try Self.looseImages(in: path)
      train = try Self.part(path, classes: names, &leftOut)
      valid = nil
      test = .none
      try check(leftOut, in: path)
      return
    }
    let trainPath = FilePath.join(path, "train")
    classes = try Self.folders(in: trainPath)
    var leftOut = try Self.looseImages(in: path)
    leftOut.merge(try Self.looseImages(in: trainPath), uniquingKeysWith: +)
    train = try Self.part(trainPath, classes: classes, &leftOut)
    if let validName {
      let validPath = FilePath.join(path, validName)
      let found = try Self.folders(in: validPath)
      leftOut.merge(try Self.looseImages(in: validPath), uniquingKeysWith: +)
      for name in found where !classes.contains(name) {
        throw .classNotTrained(folder: validPath, name: name, known: classes)
      }
      valid = try Self.part(validPath, classes: classes, present: found, &leftOut)
    } else {
      valid = nil
    }
    test =
      names.contains(Self.testName) ? .folder(FilePath.join(path, Self.testName)) : .none
    try check(leftOut, in: path)
    let others = names.filter { $0 != "train" && $0 != validName && $0 != Self.testName }
    notes += others.map { .partNotUsed(path: FilePath.join(path, $0)) }
  }

  /// The path of the part for testing, for messages; nil when there is none.
  var testPath: String? {
    switch test {
    case .none: nil
    case .folder(let path): path
    case .files(let part): part.path == train.path ? "\(part.path) (\(Self.testName))" : part.path
    }
  }

  /// The images for testing; nil when there are none.
  ///
  /// - Throws: ``ImageError``.
  func testFiles() throws(ImageError) -> Part? {
    switch test {
    case .none: return nil
    case .files(let part): return part
    case .folder(let path):
      let found = try Self.folders(in: path)
      for name in found where !classes.contains(name) {
        throw .classNotTrained(folder: path, name: name, known: classes)
      }
      var leftOut: [String: Int] = [:]
      return try Self.part(path, classes: classes, present: found, &leftOut)
    }
  }

  private mutating func check(_ leftOut: [String: Int], in path: String) throws(ImageError) {
    if !leftOut.isEmpty { notes.append(.filesLeftOut(folder: path, leftOut)) }
    if classes.count == 1 { throw .oneClass(folder: train.path, name: classes[0]) }
    // By scalars: accents may be written in two ways.
    let folded = Dictionary(grouping: classes) { Array($0.lowercased().unicodeScalars) }
    for names in folded.values.filter({ $0.count > 1 }).sorted(by: { $0[0] < $1[0] }) {
      notes.append(.classesInTwoCases(names))
    }
  }

  /// The folders in a folder, in order.
  private static func folders(in path: String) throws(ImageError) -> [String] {
    let names = try list(path).filter {
      !isSkipped($0) && FileStatus(of: FilePath.join(path, $0))?.kind == .folder
    }
    guard !names.isEmpty else {
      let files = try list(path).filter { !isSkipped($0) }
      throw .noClasses(
        folder: path,
        found: files.isEmpty
          ? "an empty folder"
          : "\(files.count) \(files.count == 1 ? "file" : "files"), as \(files[0].shown(limit: 80))"
      )
    }
    return names
  }

  /// Images of no class.
  private static func looseImages(in path: String) throws(ImageError) -> [String: Int] {
    let count = try list(path).count { name in
      !isSkipped(name) && isImage(name)
        && FileStatus(of: FilePath.join(path, name))?.kind == .regular
    }
    return count == 0 ? [:] : ["images outside of a class's folder": count]
  }

  private static func list(_ path: String) throws(ImageError) -> [String] {
    let names: [String]
    do throws(SystemError) {
      names = try SystemFiles().names(inFolder: path)
    } catch {
      throw .unreadable(path: path, reason: error.message)
    }
    // A name of other bytes was repaired when it was read, and leads nowhere.
    for name in names where name.unicodeScalars.contains("\u{FFFD}") {
      let full = FilePath.join(path, name)
      if OutputPlace.identity(ofExisting: full) == nil { throw .unreadableName(path: full) }
    }
    return names.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
  }

  /// The images of classes below a folder.
  private static func part(
    _ path: String, classes: [String], present: [String]? = nil, _ leftOut: inout [String: Int]
  ) throws(ImageError) -> Part {
    var part = Part(path: path)
    for (label, name) in classes.enumerated() where present?.contains(name) ?? true {
      let before = part.files.count
      var others: [String: Int] = [:]
      var above: [OutputPlace.Identity] = []
      try collect(
        FilePath.join(path, name), within: name, label: label, above: &above, into: &part.files,
        &others)
      guard part.files.count > before else {
        let found = others.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
        throw .emptyClass(
          folder: path, name: name,
          others: found.isEmpty ? "" : ", only \(found.joined(separator: ", "))")
      }
      leftOut.merge(others, uniquingKeysWith: +)
    }
    return part
  }

  /// The images in a folder and below it, in order, and what else is there.
  static func images(
    below path: String
  ) throws(ImageError) -> (files: [ImageFiles.File], others: [String: Int]) {
    var files: [ImageFiles.File] = []
    var others: [String: Int] = [:]
    var above: [OutputPlace.Identity] = []
    try collect(path, within: "", label: 0, above: &above, into: &files, &others)
    return (files, others)
  }

  private static func collect(
    _ path: String, within relative: String, label: Int, above: inout [OutputPlace.Identity],
    into files: inout [ImageFiles.File], _ others: inout [String: Int]
  ) throws(ImageError) {
    guard let identity = OutputPlace.identity(ofExisting: path) else {
      throw .unreadable(path: path, reason: "it is gone")
    }
    guard !above.contains(identity) else { throw .circle(path: path) }
    above.append(identity)
    defer { above.removeLast() }
    for name in try list(path) where !isSkipped(name) {
      let full = FilePath.join(path, name)
      let inner = relative.isEmpty ? name : FilePath.join(relative, name)
      switch FileStatus(of: full)?.kind {
      case .folder:
        try collect(full, within: inner, label: label, above: &above, into: &files, &others)
      case .regular:
        let ending = name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() }
        if isImage(name) {
          files.append(ImageFiles.File(path: full, relativePath: inner, label: label))
        } else {
          others[ending.map { ".\($0)" } ?? "files without an ending", default: 0] += 1
        }
      case .other: others["pipes and devices", default: 0] += 1
      case nil: others["links to nothing", default: 0] += 1
      }
    }
  }

  // MARK: Headers

  /// The headers of the training files, then those of the validation files, and those of a part for testing.
  ///
  /// - Throws: ``ImageError/badFiles(folder:first:count:)`` with all that are wrong.
  func headers(of test: Part? = nil) throws(ImageError) -> [[ImageHeader]] {
    var bad: [String] = []
    var found: [[ImageHeader]] = []
    for part in [train, valid, test].compactMap(\.self) {
      let results = part.files.mapConcurrently { file in
        Result { () throws(ImageError) in try file.readHeader() }
      }
      var headers: [ImageHeader] = []
      for result in results {
        switch result {
        case .success(let header): headers.append(header)
        case .failure(let error): bad.append("\(error)")
        }
      }
      found.append(headers)
    }
    guard bad.isEmpty else {
      throw .badFiles(
        folder: train.path, first: Array(bad.prefix(Self.namedCount)), count: bad.count)
    }
    return found
  }
}

extension Array where Element: Sendable {
  /// As `map`, on all cores.
  func mapConcurrently<Result: Sendable>(
    _ transform: @escaping @Sendable (Element) -> Result
  ) -> [Result] {
    let results = Mutex([Result?](repeating: nil, count: count))
    // Few enough pieces that locks cost nothing, and enough that no core waits for long.
    let pieceSize = Swift.max(1, count / 64)
    let pieceCount = (count + pieceSize - 1) / pieceSize
    DispatchQueue.concurrentPerform(iterations: pieceCount) { piece in
      let range = piece * pieceSize..<Swift.min((piece + 1) * pieceSize, count)
      let made = range.map { transform(self[$0]) }
      results.withLock { results in
        for (place, result) in zip(range, made) { results[place] = result }
      }
    }
    return results.withLock { $0.compactMap(\.self) }
  }
}
