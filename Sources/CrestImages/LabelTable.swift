import CrestData
import CrestFiles

/// The lines of a table of labels.
struct LabelTable {
  /// The part that an image belongs to.
  enum Part: Sendable, Hashable {
    case train, valid, test
  }

  /// An image by the table.
  struct Entry: Sendable, Hashable {
    let line: Int
    let file: String
    let label: String
    let part: Part
  }

  let entries: [Entry]
  /// Whether the table says which part images belong to.
  let hasParts: Bool

  private static let fileNames = [
    "file", "filename", "file_name", "image", "image_id", "path", "id", "name", "fname",
  ]
  private static let labelNames = ["label", "class", "category", "target", "breed"]
  private static let partNames = ["part", "split", "is_valid"]
  private static let parts: [String: Part] = [
    "train": .train, "training": .train, "valid": .valid, "val": .valid, "validation": .valid,
    "test": .test,
  ]
  /// Of a column that says whether an image is for validation.
  private static let flags: [String: Part] = [
    "true": .valid, "1": .valid, "false": .train, "0": .train,
  ]

  /// Reads a table.
  ///
  /// - Parameters:
  ///   - table: Which, and its columns.
  ///   - isImage: Whether there is an image at a path.
  /// - Throws: ``ImageError/table(path:line:reason:)``, `DataError`.
  init(_ table: ImageLabels.Table, isImage: (String) -> Bool) throws {
    var file = try DelimitedFile(table.path)
    guard let first = try file.next() else {
      throw ImageError.table(
        path: table.path, line: 1, reason: "it is empty, expected a line for each image")
    }
    let isHeader = !isImage(first.cells[0] + table.suffix)
    let columns = try Columns(table, isHeader ? first.cells : nil, count: first.cells.count)
    var (entries, lines): ([Entry], [String: Int]) = ([], [:])
    var row = isHeader ? try file.next() : first
    while let found = row {
      let entry = try columns.entry(found, of: table)
      if let before = lines.updateValue(entry.line, forKey: entry.file) {
        throw ImageError.table(
          path: table.path, line: entry.line,
          reason: "\(entry.file) again, after line \(before); keep one of them")
      }
      entries.append(entry)
      row = try file.next()
    }
    guard !entries.isEmpty else {
      throw ImageError.table(
        path: table.path, line: first.line,
        reason: isHeader
          ? "no image after this line; if it isn't the names of columns, \(first.cells[0].shown(limit: 80)) is no image"
          : "no image")
    }
    self.entries = entries
    hasParts = columns.part != nil
  }

  /// The names of classes in order: of numbers by their values, else by their scalars.
  var classes: [String] {
    let names = Set(entries.map(\.label))
    let numbers = names.compactMap { name in Int(name).map { ($0, name) } }
    guard numbers.count < names.count else { return numbers.sorted { $0 < $1 }.map(\.1) }
    return names.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
  }

  /// Which cells say what.
  private struct Columns {
    let file: Int
    let label: Int
    let part: Int?
    let isFlag: Bool

    init(_ table: ImageLabels.Table, _ header: [String]?, count: Int) throws(ImageError) {
      func column(
        _ given: String?, among names: [String], elseOfTwo place: Int?
      ) throws(ImageError) -> Int? {
        guard let header else {
          guard given == nil else {
            throw .table(
              path: table.path, line: 1,
              reason:
                "a column \(given ?? "") is asked for, but the first line is of an image and names none"
            )
          }
          return count == 2 ? place : nil
        }
        if let given {
          guard let found = header.firstIndex(of: given) else {
            throw .table(
              path: table.path, line: 1,
              reason:
                "there is no column \(given.shown(limit: 80)), expected one of \(Self.list(header))"
            )
          }
          return found
        }
        let lower = header.map { $0.lowercased() }
        return names.lazy.compactMap { lower.firstIndex(of: $0) }.first
          ?? (count == 2 ? place : nil)
      }
      let found = (
        file: try column(table.fileColumn, among: LabelTable.fileNames, elseOfTwo: 0),
        label: try column(table.labelColumn, among: LabelTable.labelNames, elseOfTwo: 1)
      )
      guard let file = found.file, let label = found.label, file != label else {
        throw .table(
          path: table.path, line: 1,
          reason:
            "it isn't clear which column holds \(found.file == nil ? "the files" : "the classes") of "
            + (header.map(Self.list) ?? "\(count) cells without names") + "; name the column")
      }
      (self.file, self.label) = (file, label)
      part = try column(table.partColumn, among: LabelTable.partNames, elseOfTwo: nil)
      isFlag = part.map { header?[$0].lowercased() == "is_valid" } ?? false
    }

    private static func list(_ names: [String]) -> String {
      names.prefix(20).map { $0.shown(limit: 40) }.joined(separator: ", ")
        + (names.count > 20 ? " and \(names.count - 20) more" : "")
    }

    func entry(_ row: DelimitedFile.Row, of table: ImageLabels.Table) throws(ImageError) -> Entry {
      func wrong(_ reason: String) -> ImageError {
        .table(path: table.path, line: row.line, reason: reason)
      }
      let (name, className) = (row.cells[file] + table.suffix, row.cells[label])
      guard !row.cells[file].isEmpty else { throw wrong("no file") }
      guard !className.isEmpty else { throw wrong("no class for \(name.shown(limit: 80))") }
      // What others have written mustn't lead out of the folder.
      guard !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else {
        throw wrong("\(name.shown(limit: 80)) lies outside of the folder; write paths in it")
      }
      guard let part else {
        return Entry(line: row.line, file: name, label: className, part: .train)
      }
      let (known, cell) = (isFlag ? LabelTable.flags : LabelTable.parts, row.cells[part])
      guard let part = known[cell.lowercased()] else {
        throw wrong(
          "the part \"\(cell.shown(limit: 40))\", expected "
            + (isFlag ? "true or false" : "train, valid or test"))
      }
      return Entry(line: row.line, file: name, label: className, part: part)
    }
  }
}
