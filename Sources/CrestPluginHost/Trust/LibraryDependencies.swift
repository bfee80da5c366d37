import CCrestPluginHost
import CrestFiles
import CrestPlatform

/// A library that a plugin's library needs and that isn't in the process yet.
struct LibraryDependency: Sendable {
  /// Where it comes from.
  enum Source: Sendable {
    /// A folder of the system, which only root can write to.
    case system(String)
    /// The plugin's folder, or one that the plugin was built for: it is locked with the plugin, and copied.
    case own(TrustedFile)
  }

  /// The name it is needed by, which is its own (`SONAME`).
  let name: String
  let source: Source

  /// What tells it from another of its name: the SHA-256 of what is locked, else the path.
  var identity: String {
    switch source {
    case .system(let path): path
    case .own(let file): file.digest
    }
  }

  /// The file.
  var path: String {
    switch source {
    case .system(let path): path
    case .own(let file): file.path
    }
  }
}

/// Finds the libraries that a plugin's library needs, so that each is loaded from a place that is known to be safe before
/// the library is: then the system's loader looks for none, in no run path and no `LD_LIBRARY_PATH`.
struct LibraryDependencies {
  private let folder: String
  private(set) var found: [LibraryDependency] = []
  private var names: Set<String> = []

  /// Finds those of the library `elf` in a plugin's `folder`, each after those that it needs itself.
  ///
  /// - Throws: ``PluginError/refused(path:reason:)`` naming one that is in no safe place.
  init(of elf: ELFFile, path: String, folder: String) throws(PluginError) {
    self.folder = folder
    try add(try Self.dynamic(elf, path), neededBy: path)
  }

  private mutating func add(_ dynamic: ELFFile.Dynamic, neededBy path: String) throws(PluginError) {
    for name in dynamic.needed where names.insert(name).inserted {
      // What another plugin needs, too, may not be there next time.
      if crest_is_loaded(name) != 0 && !LoadedLibraries.isDependency(name) { continue }
      guard !name.isEmpty, !name.contains("/") else {
        throw .refused(
          path: path,
          reason: "it needs the library \(name.debugDescription) by a path; link it by its name")
      }
      let (source, library) = try find(name, runPath: dynamic.runPath, neededBy: path)
      let dependency = LibraryDependency(name: name, source: source)
      try add(library, neededBy: dependency.path)
      found.append(dependency)
    }
  }

  private func find(
    _ name: String, runPath: [String], neededBy path: String
  ) throws(PluginError) -> (LibraryDependency.Source, ELFFile.Dynamic) {
    if access(FilePath.join(folder, name), F_OK) == 0 { return try own(name, in: folder) }
    for folder in SystemLibraries.folders {
      if let library = SystemLibraries.library(name, in: folder) {
        return (.system(library.path), library.dynamic)
      }
    }
    var objection: PluginError?
    for folder in runPath {
      let place = folder.replacing("${ORIGIN}", with: "$ORIGIN")
        .replacing("$ORIGIN", with: FilePath.split(path).folder)
      guard place.hasPrefix("/") || folder.hasPrefix("$"),
        access(FilePath.join(place, name), F_OK) == 0
      else { continue }
      do throws(PluginError) {
        return try own(name, in: TrustedPath.check(place))
      } catch {
        objection = objection ?? error
      }
    }
    let reason =
      objection.map { ": \($0)" }
      ?? ": it is neither in the system's folders nor beside the plugin"
    throw .refused(
      path: path,
      reason: "it needs the library \(name.shown(limit: 255)), of which there is none that can be "
        + "trusted\(reason); put it into \(folder), and lock the plugin again")
  }

  private func own(
    _ name: String, in folder: String
  ) throws(PluginError) -> (LibraryDependency.Source, ELFFile.Dynamic) {
    let file = try TrustedFile(name, in: folder, limit: 1 << 28)
    let elf: ELFFile
    do throws(ELFFault) {
      elf = try ELFFile(file.bytes)
      try elf.checkPlacement()
    } catch {
      throw .refused(path: file.path, reason: "\(error)")
    }
    let dynamic = try Self.dynamic(elf, file.path)
    // Else the loader would not know it as the one that is needed, and look for another.
    guard dynamic.name == name else {
      throw .refused(
        path: file.path,
        reason: "it is needed as \(name.shown(limit: 255)), but its own name is "
          + "\(dynamic.name.debugDescription); link it with -Wl,-soname,\(name.shown(limit: 255))")
    }
    return (.own(file), dynamic)
  }

  private static func dynamic(
    _ elf: ELFFile, _ path: String
  ) throws(PluginError) -> ELFFile.Dynamic {
    do throws(ELFFault) { return try elf.dynamic() } catch {
      throw .refused(path: path, reason: "\(error)")
    }
  }
}

/// The libraries of the system.
private enum SystemLibraries {
  /// Where the system's loader looks: the folders of its configuration, and its own.
  static let folders: [String] = {
    #if arch(arm64)
      let machine = "aarch64-linux-gnu"
    #else
      let machine = "x86_64-linux-gnu"
    #endif
    let own = [
      "/lib/\(machine)", "/usr/lib/\(machine)", "/lib64", "/usr/lib64", "/lib", "/usr/lib",
    ]
    let folder = "/etc/ld.so.conf.d"
    let names = ((try? SystemFiles().names(inFolder: folder)) ?? []).filter {
      $0.hasSuffix(".conf")
    }
    let configured = (["/etc/ld.so.conf"] + names.sorted().map { FilePath.join(folder, $0) })
      .flatMap(folders(inConfiguration:))
    return own + configured.filter { !own.contains($0) }
  }()

  /// The lines of a file that are folders; a file that can't be read or trusted has none.
  private static func folders(inConfiguration path: String) -> [String] {
    guard (try? TrustedPath.check(path)) != nil else { return [] }
    let (folder, name) = FilePath.split(path)
    guard let file = try? TrustedFile(name, in: folder, limit: 1 << 20) else { return [] }
    return String(decoding: file.bytes, as: UTF8.self).split(separator: "\n")
      .filter { $0.hasPrefix("/") }.map(String.init)
  }

  /// The library of a name in one of the system's folders; nil when it isn't there, is for another machine, or could be
  /// changed by others.
  static func library(
    _ name: String, in folder: String
  ) -> (path: String, dynamic: ELFFile.Dynamic)? {
    let place = FilePath.join(folder, name)
    guard access(place, F_OK) == 0, let path = try? TrustedPath.check(place) else { return nil }
    let (folder, file) = FilePath.split(path)
    guard let contents = try? TrustedFile(file, in: folder, limit: 1 << 30),
      let dynamic = try? ELFFile(contents.bytes).dynamic(), dynamic.name == name
    else { return nil }
    return (path, dynamic)
  }
}
