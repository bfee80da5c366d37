/// A plugin whose files have been read once and checked; none of its code has run.
public struct CheckedPlugin: Sendable {
  /// The folder it was found in.
  public let folder: String
  /// What it says of itself.
  public let manifest: PluginManifest
  /// The SHA-256 of the manifest.
  let manifestDigest: String
  /// Its library or program.
  let file: TrustedFile
  /// The libraries that its library needs and that aren't in the process, each after those that it needs itself.
  private(set) var dependencies: [LibraryDependency] = []

  /// The SHA-256 of its library or program.
  public var digest: String { file.digest }

  /// The files of the libraries it brings along, which are locked with it.
  public var libraryPaths: [String] { libraries.map(\.file.path) }

  /// Reads and checks the plugin in `folder`: owners, permissions, manifest, hash, versions; of a library its form, its
  /// stamp and the libraries it needs, of a program its interpreter.
  ///
  /// - Throws: ``PluginError`` naming the file and what is wrong with it.
  public init(folder: String) throws(PluginError) {
    let written = try TrustedFile(PluginManifest.fileName, in: folder, limit: 1 << 20)
    let manifest = try PluginManifest(parsing: written.bytes, path: written.path)
    let file = try TrustedFile(manifest.file, in: folder, limit: 1 << 28)
    guard file.digest == manifest.sha256 else {
      throw .manifestLies(
        path: written.path,
        reason: "sha256 is \(manifest.sha256), but \(manifest.file) has \(file.digest); "
          + "build the plugin again, or fetch it again")
    }
    guard manifest.interface.contains(.current) else {
      throw .refused(
        path: written.path,
        reason: "it works with versions from \(manifest.interface.lowerBound) and below "
          + "\(manifest.interface.upperBound) of the interface, this is \(PluginInterface.current); "
          + "get a version of the plugin for it")
    }
    self.folder = folder
    self.manifest = manifest
    manifestDigest = written.digest
    self.file = file
    switch manifest.kind {
    case .library: try checkLibrary()
    case .process:
      if let name = manifest.interpreter.first { _ = try ProcessPlugin.interpreter(name, of: self) }
    }
  }

  private mutating func checkLibrary() throws(PluginError) {
    #if os(Linux)
      let elf: ELFFile
      let stamp: LibraryStamp
      do throws(ELFFault) {
        elf = try ELFFile(file.bytes)
        stamp = try elf.stamp()
        try elf.checkPlacement()
      } catch {
        throw .refused(path: file.path, reason: "\(error)")
      }
      if let reason = stamp.objection(interface: manifest.interface) {
        throw .refused(path: file.path, reason: reason)
      }
      dependencies = try LibraryDependencies(of: elf, path: file.path, folder: folder).found
    #else
      throw .refused(
        path: file.path,
        reason: "libraries are loaded on Linux only so far; use a plugin of the kind process")
    #endif
  }
}
