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
      guard let written = OutputPlace.identity(ofExisting: output.path) else { continue }
      // A trained network may take the place of the one it was trained from.
      for input in inputs
      where (output.option, input.option) != ("--export", "--model")
        && Self.files(at: input.path).contains(written)
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

  /// A path, and the files of data in the folder there.
  private static func files(at path: String) -> Set<OutputPlace.Identity> {
    // What is no folder holds none.
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let paths = [path] + names.filter(DataSource.isDataFile).map { path + "/" + $0 }
    return Set(paths.compactMap { OutputPlace.identity(ofExisting: $0) })
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
