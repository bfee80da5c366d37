import CrestFiles

extension ImageTree {
  /// Lists the files, whose classes come from folders, names or a table.
  ///
  /// - Throws: ``ImageError``, `DataError` for a table that can't be read.
  init(_ path: String, labels: ImageLabels) throws {
    switch labels {
    case .folders: try self.init(path)
    case .pattern(let text): try self.init(path, pattern: text)
    case .table(let table): try self.init(path, table: table)
    }
  }

  // MARK: Names

  /// Parts are folders as of classes in folders; without one called train, all below the folder is one part.
  private init(_ path: String, pattern text: String) throws {
    let regex: Regex<AnyRegexOutput>
    do { regex = try Regex(text) } catch {
      throw ImageError.pattern(text, reason: "it is no regular expression: \(error)")
    }
    let trainPath = FilePath.join(path, "train")
    let isDivided = FileStatus(of: trainPath)?.kind == .folder
    let validPath =
      isDivided
      ? Self.validNames.map { FilePath.join(path, $0) }
        .first { FileStatus(of: $0)?.kind == .folder } : nil
    let testPath = FilePath.join(path, Self.testName)
    let hasTest = isDivided && FileStatus(of: testPath)?.kind == .folder
    var (leftOut, names): ([String: Int], [String: [String]]) = ([:], [:])
    var parts: [(path: String, files: [ImageFiles.File])] = []
    for part in [isDivided ? trainPath : path, validPath, hasTest ? testPath : nil].compactMap(
      \.self)
    {
      let (files, others) = try Self.images(below: part)
      leftOut.merge(others, uniquingKeysWith: +)
      names[part] = try Self.classNames(of: files, by: regex, text)
      parts.append((part, files))
    }
    let classes = Set(names[parts[0].path] ?? []).sorted {
      $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars)
    }
    guard !classes.isEmpty else { throw ImageError.noImages(path: parts[0].path) }
    let places = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    func part(_ path: String?) throws(ImageError) -> Part? {
      guard let path, let found = parts.first(where: { $0.path == path }) else { return nil }
      var labelled = Part(path: path)
      for (file, name) in zip(found.files, names[path] ?? []) {
        guard let label = places[name] else {
          throw .classNotTrained(folder: path, name: name, known: classes)
        }
        labelled.files.append(file.with(label: label))
      }
      return labelled
    }
    try self.init(
      classes: classes, train: part(parts[0].path) ?? Part(path: path), valid: part(validPath),
      test: part(hasTest ? testPath : nil).map(TestPart.files) ?? .none, leftOut: leftOut, in: path)
  }

  /// The class of each file by the first group of a pattern in its name.
  private static func classNames(
    of files: [ImageFiles.File], by regex: Regex<AnyRegexOutput>, _ text: String
  ) throws(ImageError) -> [String] {
    var (names, without): ([String], [String]) = ([], [])
    for file in files {
      let (_, name) = FilePath.split(file.path)
      guard let match = name.firstMatch(of: regex) else {
        without.append(file.path)
        continue
      }
      guard match.output.count > 1 else {
        throw .pattern(text, reason: "it has no group in parentheses, which would be the class")
      }
      guard let found = match.output[1].substring, !found.isEmpty else {
        without.append(file.path)
        continue
      }
      names.append(String(found))
    }
    guard without.isEmpty else {
      throw .pattern(
        text,
        reason: "\(without.count) of \(files.count) names don't match it, as "
          + FilePath.split(without[0]).name.shown(limit: 80))
    }
    return names
  }

  // MARK: Tables

  private init(_ path: String, table: ImageLabels.Table) throws {
    func isImage(_ file: String) -> Bool {
      FileStatus(of: FilePath.join(path, file))?.kind == .regular
    }
    let labels = try LabelTable(table, isImage: isImage)
    let missing = labels.entries.filter { !isImage($0.file) }
    guard missing.isEmpty else {
      throw ImageError.badFiles(
        folder: table.path,
        first: missing.prefix(Self.namedCount).map {
          "line \($0.line): there is no file \(FilePath.join(path, $0.file))"
        }, count: missing.count)
    }
    let classes = labels.classes
    let places = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
    func part(_ kind: LabelTable.Part) -> Part? {
      let files = labels.entries.filter { $0.part == kind }.map { entry in
        ImageFiles.File(
          path: FilePath.join(path, entry.file), relativePath: entry.file,
          label: places[entry.label] ?? 0)
      }
      return files.isEmpty ? nil : Part(path: path, files: files)
    }
    guard let train = part(.train) else {
      throw ImageError.table(
        path: table.path, line: labels.entries[0].line,
        reason: "no image of the table is for training")
    }
    // What the table doesn't list is counted, however it got there.
    let listed = Set(labels.entries.map(\.file))
    let others = try Self.images(below: path).files.count { !listed.contains($0.relativePath) }
    try self.init(
      classes: classes, train: train, valid: part(.valid),
      test: part(.test).map(TestPart.files) ?? .none,
      leftOut: others == 0
        ? [:] : ["images that \(table.path.shown(limit: 80)) doesn't list": others],
      in: path)
  }
}

extension ImageFiles.File {
  /// The same file with a class.
  func with(label: Int) -> ImageFiles.File {
    ImageFiles.File(path: path, relativePath: relativePath, label: label)
  }
}
