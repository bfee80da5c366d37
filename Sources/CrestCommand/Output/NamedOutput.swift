import Crest
import CrestFiles
import CrestPlatform
import Foundation

/// A file or folder that the command writes, by the option that names it.
struct NamedOutput: Equatable {
  enum Kind {
    /// A file that is replaced atomically.
    case file
    /// A file that is written in place, line by line.
    case log
    /// A folder in which files are made.
    case folder
  }

  /// The option, as in `--log`.
  let option: String
  /// The path as typed.
  let path: String
  let kind: Kind

  init(_ option: String, _ path: String, _ kind: Kind = .file) {
    self.option = option
    self.path = path
    self.kind = kind
  }

  /// The outputs of options that were given.
  static func list(_ options: (name: String, path: String?)..., kind: Kind = .file) -> [NamedOutput]
  {
    options.compactMap { option in
      option.path.map { NamedOutput(option.name, $0, kind) }
    }
  }

  /// The identity that two outputs of one path share; nil for a folder that can't be made.
  fileprivate func place() throws(OutputError) -> (OutputPlace.Identity, OutputPlace?)? {
    guard kind != .folder else {
      return OutputPlace.identity(ofFolder: path).map { ($0, nil) }
    }
    do throws(OutputFailure) {
      let place = try OutputPlace(path, inPlace: kind == .log)
      return (place.identity, place)
    } catch {
      throw OutputError(error)
    }
  }
}

extension [NamedOutput] {
  /// Checks, before any work, that all outputs can be written and don't overwrite each other, and
  /// creates the missing folders among them, in which other outputs may be.
  ///
  /// - Parameter inputs: The inputs, by the option that names them: a file, or a folder whose files
  ///   no output may overwrite.
  /// - Returns: The outputs to close when everything is written.
  /// - Throws: ``CommandError/sameOutput(first:second:)``, ``CommandError/outputOverInput(_:input:)``, or
  ///   ``OutputError``.
  func open(besides inputs: [(option: String, path: String)] = []) throws -> OpenOutputs {
    let outputs = OpenOutputs()
    do {
      try open(outputs, besides: inputs)
    } catch {
      outputs.close()
      throw error
    }
    return outputs
  }

  private func open(
    _ opened: OpenOutputs, besides inputs: [(option: String, path: String)]
  ) throws {
    // An output inside a folder that will be created must not be mistaken for that folder.
    try checkDistinct { OutputPlace.identity(ofFolder: $0.path) }
    for output in self where output.kind == .folder { try opened.makeFolder(output.path) }
    for output in self where output.kind != .folder {
      guard let written = OutputPlace.identity(ofExisting: output.path) else { continue }
      // A trained network may replace the one it was trained from.
      for input in inputs
      where (output.option, input.option) != ("--export", "--model")
        && Self.files(at: input.path).contains(written)
      {
        throw CommandError.outputOverInput(output, input: input.option)
      }
    }
    var places: [OutputPlace] = []
    try checkDistinct { output in
      guard let (identity, place) = try output.place() else { return nil }
      if let place { places.append(place) }
      return identity
    }
    for place in places where place.kind == .pipe { try opened.open(place) }
  }

  /// Refuses two outputs with the same identity, if it is known.
  private func checkDistinct(
    by identity: (NamedOutput) throws -> OutputPlace.Identity?
  ) throws {
    var seen: [OutputPlace.Identity: NamedOutput] = [:]
    for output in self {
      guard let identity = try identity(output) else { continue }
      if let first = seen.updateValue(output, forKey: identity) {
        throw CommandError.sameOutput(first: first, second: output)
      }
    }
  }

  /// A path, and the files of data in the folder there.
  private static func files(at path: String) -> Set<OutputPlace.Identity> {
    // A path that isn't a folder has none.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let paths = [path] + names.filter(DataSource.isDataFile).map { FilePath.join(path, $0) }
    return Set(paths.compactMap { OutputPlace.identity(ofExisting: $0) })
  }
}

/// The outputs of a running command.
final class OpenOutputs {
  /// Pipes held open for their readers, who would take a closed pipe for the end.
  private var descriptors: [CInt] = []
  /// The folders that were created, outer ones first.
  private var folders: [String] = []

  /// Creates a folder and the folders around it, unless they exist.
  fileprivate func makeFolder(_ path: String) throws(OutputError) {
    guard !path.isEmpty, access(path, F_OK) != 0, errno == ENOENT else { return }
    var around = path[...]
    while around.last == "/" { around.removeLast() }
    while let last = around.last, last != "/" { around.removeLast() }
    if around.contains(where: { $0 != "/" }) { try makeFolder(String(around)) }
    guard mkdir(path, 0o777) != 0 else { return folders.append(path) }
    // For instance if a dangling link has the name.
    if errno != EEXIST { throw OutputError(OutputFailure(path: path)) }
  }

  fileprivate func open(_ place: OutputPlace) throws(OutputError) {
    do throws(OutputFailure) { descriptors.append(try place.open()) } catch {
      throw OutputError(error)
    }
  }

  /// Closes the pipes, and removes created folders that are still empty.
  func close() {
    for descriptor in descriptors { closeDescriptor(descriptor) }
    descriptors = []
    // A folder that isn't empty stays.
    for folder in folders.reversed() { rmdir(folder) }
    folders = []
  }
}

/// The system's `close`, which a method of the same name hides.
private func closeDescriptor(_ descriptor: CInt) { close(descriptor) }
