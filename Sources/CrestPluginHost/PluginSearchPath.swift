import CrestFiles
import CrestPlatform

/// The folders that hold plugins, each in a folder of its name.
///
/// A plugin in one of them does nothing until it is named.
public struct PluginSearchPath: Equatable, Sendable {
  /// The folders.
  ///
  /// Of several plugins of one name in folders of the user the first wins; a plugin in a folder that is
  /// relative, and so belongs to where the process was started, and one elsewhere are ambiguous.
  public let folders: [String]

  /// A search path of these folders.
  public init(_ folders: [String]) { self.folders = folders }

  /// Those of the variable `CREST_PLUGIN_PATH`, with colons between them; then `.crest/plugins` here and in the
  /// user's own folder.
  public static var standard: PluginSearchPath {
    let given = getenv("CREST_PLUGIN_PATH").map { String(cString: $0) } ?? ""
    let home = getenv("HOME").map { String(cString: $0) } ?? ""
    return PluginSearchPath(
      given.split(separator: ":").map(String.init) + [".crest/plugins"]
        + (home.isEmpty ? [] : [FilePath.join(home, ".crest/plugins")]))
  }

  /// The folder of a plugin.
  ///
  /// - Parameter plugin: Its name; or the path of its folder or its manifest, with at least one `/`.
  /// - Returns: The folder's path.
  /// - Throws: ``PluginError/notFound(name:searched:)``.
  public func folder(of plugin: String) throws(PluginError) -> String {
    if plugin.contains("/") {
      let (folder, name) = FilePath.split(plugin)
      return name == PluginManifest.fileName ? folder : plugin
    }
    let found = candidates(plugin)
    guard let folder = found.first else { throw .notFound(name: plugin, searched: folders) }
    let rivals = Self.rivals(found)
    guard rivals.isEmpty else { throw .ambiguous(name: plugin, folders: rivals) }
    return folder
  }

  /// The folders of the plugins of a name, in the order of the search path; each once, however it is named.
  private func candidates(_ name: String) -> [String] {
    var places: Set<String> = []
    return folders.map { FilePath.join($0, name) }.filter(isPlugin).filter { folder in
      guard let place = realpath(folder, nil) else { return true }
      defer { free(place) }
      return places.insert(String(cString: place)).inserted
    }
  }

  /// Those of several folders of one name that may not stand for each other: what happens to lie where the process was
  /// started, as in a project of somebody else, is not what its user means by a name of their own.
  private static func rivals(_ folders: [String]) -> [String] {
    let here = folders.filter { !$0.hasPrefix("/") }
    let elsewhere = folders.filter { $0.hasPrefix("/") }
    return here.isEmpty || elsewhere.isEmpty ? [] : here + elsewhere
  }

  /// The folders of all plugins, in the order of the search path and of their names.
  public var all: [String] {
    folders.flatMap { folder in
      // A folder that isn't there holds none.
      let names = (try? SystemFiles().names(inFolder: folder)) ?? []
      return names.filter { !$0.hasPrefix(".") }.sorted().map { FilePath.join(folder, $0) }
        .filter(isPlugin)
    }
  }

  private func isPlugin(_ folder: String) -> Bool {
    access(FilePath.join(folder, PluginManifest.fileName), F_OK) == 0
  }
}
