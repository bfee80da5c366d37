import Crest
import CrestFiles
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file or folder that the command writes, by the option that names it.
struct NamedOutput: Equatable {
  enum Kind {
    /// Replaced whole.
    case file
    /// Written to line by line, where it is.
    case log
    /// Files are made in it.
    case folder
  }

  /// The option, as in `--log`.
  let option: String
  /// The path, as it is written.
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

  /// What two outputs of one path have in common; nil for a folder that can't be made.
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
  /// Checks, before any work, that all can be written and that no two overwrite each other.
  ///
  /// - Parameter inputs: What is read, by the option that names it: a file, or a folder whose files none may
  ///   overwrite.
  /// - Returns: Pipes that somebody reads, held open until all is written, since a reader takes a pipe that nobody
  ///   has open any more for ended.
  /// - Throws: ``CommandError/sameOutput(first:second:)``, ``CommandError/outputOverInput(_:input:)``, or
  ///   ``OutputError``.
  func open(besides inputs: [(option: String, path: String)] = []) throws -> OpenPipes {
    for output in self where output.kind != .folder {
      guard let written = FileIdentity(output.path), written.isRegular else { continue }
      // A trained network may take the place of the one it was trained from.
      for input in inputs
      where (output.option, input.option) != ("--export", "--model")
        && FileIdentity.files(at: input.path).contains(written)
      {
        throw CommandError.outputOverInput(output, input: input.option)
      }
    }
    var seen: [OutputPlace.Identity: NamedOutput] = [:]
    var places: [OutputPlace] = []
    for output in self {
      guard let (identity, place) = try output.place() else { continue }
      if let first = seen.updateValue(output, forKey: identity) {
        throw CommandError.sameOutput(first: first, second: output)
      }
      if let place { places.append(place) }
    }
    let pipes = OpenPipes()
    for place in places where place.kind == .pipe { try pipes.open(place) }
    return pipes
  }
}

/// Pipes that are held open.
final class OpenPipes {
  private var descriptors: [CInt] = []

  fileprivate func open(_ place: OutputPlace) throws(OutputError) {
    do throws(OutputFailure) { descriptors.append(try place.open()) } catch {
      throw OutputError(error)
    }
  }

  /// Lets their readers see the end.
  func close() {
    for descriptor in descriptors { closeDescriptor(descriptor) }
    descriptors = []
  }
}

/// The system's `close`, which a method hides.
private func closeDescriptor(_ descriptor: CInt) { close(descriptor) }

/// Which file a path leads to, through links; nil when there is none.
private struct FileIdentity: Hashable {
  private let device: UInt64
  private let number: UInt64
  let isRegular: Bool

  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    number = UInt64(status.st_ino)
    isRegular = status.st_mode & S_IFMT == S_IFREG
  }

  /// The file at a path, or the files of data in the folder there.
  static func files(at path: String) -> Set<FileIdentity> {
    guard let identity = FileIdentity(path) else { return [] }
    if identity.isRegular { return [identity] }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return Set(
      names.filter(DataSource.isDataFile).compactMap { FileIdentity(path + "/" + $0) })
  }
}
