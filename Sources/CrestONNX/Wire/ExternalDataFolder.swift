import CrestFiles

/// The folder of a model, from which external data files are opened and nothing else.
///
/// The four layers of ONNX's own scheme: the location is checked as text, the path is resolved below
/// the folder through no symbolic link, the file is a regular one with a single name, and offset and
/// length lie within it.
struct ExternalDataFolder: Sendable {
  private let folder: ConfinedFolder

  init(path: String, resolution: ConfinedFolder.Resolution) {
    folder = ConfinedFolder(path: path, resolution: resolution)
  }

  /// Opens the external data file at `location`.
  func open(_ location: String) throws(ExternalDataFailure) -> RegularFile {
    let components = try Self.components(of: location)
    let file: RegularFile
    do throws(ConfinedFolder.Failure) {
      file = try folder.open(components)
    } catch {
      switch error {
      case .missing: throw .init(.missing)
      case .leavesFolder: throw .init(.leavesFolder)
      case .notRegular: throw .init(.notARegularFile)
      case .changed: throw .init(.unreadable(reason: RegularFile.Failure.changed.reason))
      case .system(let error): throw .init(.unreadable(reason: error.message))
      }
    }
    guard file.status.linkCount == 1 else {
      throw .init(.hardLinked(count: file.status.linkCount))
    }
    return file
  }

  /// The components of a location that is a plain relative path.
  private static func components(
    of location: String
  ) throws(ExternalDataFailure) -> [String] {
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.utf8.isEmpty, location.utf8.count <= 4096,
      !location.utf8.contains(0), !location.utf8.contains(UInt8(ascii: "\\")),
      parts.allSatisfy({ !$0.isEmpty && $0 != ".." }), parts.last != "."
    else { throw .init(.forbiddenLocation) }
    return parts.filter { $0 != "." }.map(String.init)
  }
}

/// Why a external data file isn't opened; the model's place is added where it is known.
struct ExternalDataFailure: Error {
  let problem: ONNXError.ExternalDataProblem

  init(_ problem: ONNXError.ExternalDataProblem) {
    self.problem = problem
  }
}
